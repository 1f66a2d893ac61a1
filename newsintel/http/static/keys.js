// The keys of the pages, and what a click with Shift does.
const field = document.getElementById("q");
const help = document.getElementById("keys");
const opener = document.getElementById("show-keys");
opener.hidden = false;
opener.addEventListener("click", () => help.showModal());

const stories = () => [...document.querySelectorAll(".story")];
const current = () => document.activeElement.closest(".story");

function step(by) {
  const all = stories();
  const at = all.indexOf(current());
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.querySelector(".open").focus();
  next?.scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => { field?.focus(); field?.select(); },
  "?": () => help.showModal(),
  j: () => step(1),
  k: () => step(-1),
  o: () => current()?.querySelector(".open").click(),
  v: () => current()?.querySelector(".view")?.click(),
  s: () => current()?.querySelector(".save")?.click(),
  n: () => {
    const note = current()?.querySelector(".note");
    if (note) {
      note.open = true;
      note.querySelector("textarea").focus();
    }
  },
  a: () => document.getElementById("alert")?.click(),
  ".": () => current()?.querySelector(".less")?.click(),
  x: () => {
    const details = current()?.querySelector("details:not(.note)");
    if (details) details.open = !details.open;
  },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.matches("input, select, textarea") || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

addEventListener("click", (event) => {
  const publisher = event.target.closest("[data-drop]");
  if (!publisher || !event.shiftKey) return;
  event.preventDefault();
  location.assign(publisher.dataset.drop);
});

// Sends a form about an article without leaving the page.
addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.dataset.done) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, button));
  const answer = await fetch(event.target.action, { method: "POST", body, redirect: "manual" });
  button.textContent = answer.type === "opaqueredirect" ? button.dataset.done : "Not done: try again";
});

// Keeps empty fields out of addresses.
addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});
