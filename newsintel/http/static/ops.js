// Keeps the page of operators current while it is looked at. Without it, there is a link to refresh.
const EVERY_MS = 5000;

function load() {
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.responseType = "document";
  request.timeout = EVERY_MS;
  request.addEventListener("load", () => {
    const fresh = request.status === 200 && request.response?.getElementById("ops");
    if (fresh) update(document.getElementById("ops"), document.adoptNode(fresh));
  });
  request.addEventListener("loadend", plan);
  request.send();
}

// The parts themselves stay, and so do the focus and what was scrolled; their contents change.
function update(old, fresh) {
  [...old.children].forEach((part, place) => {
    const now = fresh.children[place];
    if (now && !part.isEqualNode(now)) part.replaceChildren(...now.childNodes);
  });
}

function plan() {
  setTimeout(() => (document.hidden ? plan() : load()), EVERY_MS);
}

plan();
