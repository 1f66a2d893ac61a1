// Shows what the saved searches match while their page is open. The browser connects again by itself.
const section = document.getElementById("arrived");
const list = section.querySelector("ol");
const blank = document.getElementById("blank").content.firstElementChild;
const MOST_SHOWN = 50;

const stream = new EventSource(section.dataset.stream);
stream.addEventListener("match", (event) => {
  const { search, article } = JSON.parse(event.data);
  const item = blank.cloneNode(true);
  const link = item.querySelector("a");
  link.textContent = article.title;
  if (article.language) link.lang = article.language;
  if (/^https?:\/\//i.test(article.url)) link.href = article.url;
  item.querySelector(".who").textContent = article.publisher;
  item.querySelector(".why").textContent = search.name;
  item.querySelector(".later").hidden = !article.later_member_of;
  list.prepend(item);
  while (list.children.length > MOST_SHOWN) list.lastElementChild.remove();
  section.hidden = false;
});
