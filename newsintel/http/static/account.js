// Sends the page's forms as JSON, which the API requires, and shows the response.
"use strict";

const show = (root) => root.querySelectorAll("form[hidden]").forEach((form) => { form.hidden = false; });

async function send(form) {
  const fields = Object.fromEntries(new FormData(form));
  const options = { method: form.dataset.method };
  if (Object.keys(fields).length) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(fields);
  }
  const answer = await fetch(form.action, options);
  if (answer.status === 204) return null;
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

async function showKey(made) {
  document.getElementById("key").textContent = made.key;
  document.getElementById("made").hidden = false;
  document.getElementById("made").scrollIntoView();
  const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  document.getElementById("keys").replaceWith(fresh.getElementById("keys"));
  show(document);
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = document.getElementById("said");
  said.textContent = "";
  try {
    const answer = await send(event.target);
    if (answer) { event.target.reset(); await showKey(answer); } else location.reload();
  } catch (error) {
    said.textContent = error.message;
  }
});

show(document);
