// Shows a search while its sources answer. The finished page of the server replaces it at the end.
const stories = document.getElementById("stories");
const count = document.getElementById("count");
const fresh = document.getElementById("fresh");
const blank = document.getElementById("blank").content.firstElementChild;
const words = JSON.parse(stories.dataset.words);

// A reader who has begun to read keeps what is shown; then new stories wait behind a button.
const SETTLE_MS = 1000;
let reading = false;
let waiting = [];
for (const sign of ["keydown", "pointerdown", "scroll"]) {
  addEventListener(sign, () => { reading = true; }, { once: true, passive: true });
}

const plural = (number, one, more) => `${number} ${number === 1 ? one : more}`;

function link(anchor, url) {
  if (/^https?:\/\//i.test(url)) anchor.href = url;
  else anchor.removeAttribute("href");
}

// Replaces the blank story's id at the end of an address.
function aim(element, attribute, id) {
  element.setAttribute(attribute, element.getAttribute(attribute).replace(/[^/]*$/, id));
}

function change(name, value) {
  const url = new URL(location.href);
  for (const one of ["cursor", "page", "stream"]) url.searchParams.delete(one);
  url.searchParams.set(name, value);
  return url.search;
}

function write(part, text, language) {
  if (!text) return part.remove();
  part.textContent = text;
  if (language) part.lang = language;
  else part.removeAttribute("lang");
}

function date(time, moment) {
  time.dateTime = moment;
  time.textContent = new Date(moment).toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
  });
}

function fillReport(item, report) {
  write(item.querySelector(".who"), report.publisher);
  date(item.querySelector("time"), report.published_at);
  link(item.querySelector("a"), report.url);
  write(item.querySelector("a span"), report.title);
  write(item.querySelector(".why"), `${words.rules[report.rule] ?? "the first we found"}, ${Math.trunc(report.similarity * 100)} %`);
  return item;
}

function fill(article) {
  const item = blank.cloneNode(true);
  item.id = article.group_id;
  const who = item.querySelector(".meta .who");
  write(who, article.publisher);
  who.href = change("publisher", article.publisher);
  who.dataset.drop = change("without", article.publisher);
  date(item.querySelector(".meta time"), article.published_at);
  write(item.querySelector(".section"), article.section);
  link(item.querySelector(".open"), article.url);
  write(item.querySelector(".open span"), article.title, article.language);
  write(item.querySelector(".about"), article.description, article.language);
  const details = item.querySelector("details:not(.note)");
  if (article.duplicates.length) {
    details.querySelector("summary").textContent = plural(article.duplicates.length, "more report", "more reports");
    const row = details.querySelector("li");
    row.replaceWith(...article.duplicates.map((one) => fillReport(row.cloneNode(true), one)));
  } else details.remove();
  aim(item.querySelector(".view"), "href", article.group_id);
  for (const form of item.querySelectorAll("form")) aim(form, "action", article.id);
  const talk = item.querySelector(".talk");
  if (article.discussion) {
    link(talk, article.discussion.url);
    talk.textContent = plural(article.discussion.comments, "comment", "comments");
  } else talk.remove();
  return item;
}

// Shows stories in the order of their rank. What is being read stays where it is.
function show(items) {
  const shown = new Map([...stories.children].map((one) => [one.id, one]));
  for (const item of items) {
    const old = shown.get(item.id);
    if (old?.querySelector("details[open]:not(.note)")) item.querySelector("details:not(.note)")?.setAttribute("open", "");
  }
  if (!reading || !shown.size) {
    stories.replaceChildren(...items);
    waiting = [];
  } else {
    for (const item of items) {
      const old = shown.get(item.id);
      if (old && !old.contains(document.activeElement)) old.replaceWith(item.cloneNode(true));
    }
    waiting = items;
  }
  const extra = waiting.filter((one) => !shown.has(one.id)).length;
  fresh.textContent = `${extra} new`;
  fresh.hidden = !extra;
  if (!reading && items.length) setTimeout(() => { reading = true; }, SETTLE_MS);
}

fresh.addEventListener("click", () => {
  const first = waiting.find((one) => !document.getElementById(one.id));
  stories.replaceChildren(...waiting);
  waiting = [];
  fresh.hidden = true;
  first?.querySelector(".open").focus();
});

function report(source) {
  const chip = document.querySelector(`#chips [data-source="${CSS.escape(source.name)}"]`);
  if (!chip) return;
  chip.dataset.status = source.status;
  const took = source.latency_ms === null ? "" : `, ${Math.round(source.latency_ms)} ms`;
  chip.querySelector("span").textContent = (words.statuses[source.status] ?? source.status) + took;
}

// The finished page brings what only the server draws: the timeline, the publishers, the paging.
function finish() {
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.open("GET", stories.dataset.page);
  request.addEventListener("load", () => {
    const page = request.response;
    if (request.status !== 200 || !page) return;
    for (const id of ["chips", "timeline", "count", "side", "pages"]) {
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    }
    show([...page.getElementById("stories").children].map((one) => document.adoptNode(one)));
    dispatchEvent(new Event("finished"));
  });
  request.send();
}

const stream = new EventSource(stories.dataset.stream);
stream.addEventListener("source", (event) => report(JSON.parse(event.data)));
stream.addEventListener("merge", (event) => {
  const merged = JSON.parse(event.data);
  count.textContent = `${plural(merged.total, "story", "stories")} so far`;
  show(merged.articles.map(fill));
});
stream.addEventListener("done", (event) => {
  stream.close();
  const answer = JSON.parse(event.data);
  for (const [name, source] of Object.entries(answer.sources)) report({ name, ...source });
  finish();
});
stream.addEventListener("problem", (event) => {
  stream.close();
  const problem = JSON.parse(event.data);
  for (const [name, source] of Object.entries(problem.sources ?? {})) report({ name, ...source });
  count.textContent = `${problem.title}. ${problem.detail}`;
});
stream.addEventListener("error", () => {
  if (stream.readyState === EventSource.CLOSED) location.replace(stories.dataset.page);
});
