// Lets a reader drag over a timeline to choose a time. Without this script, each bar is a link.
const SVG = "http://www.w3.org/2000/svg";

function brush(drawing) {
  const columns = Number(drawing.dataset.columns);
  const start = Date.parse(drawing.dataset.start);
  const step = drawing.dataset.step * 1000;
  const mark = document.createElementNS(SVG, "rect");
  mark.classList.add("brush");
  mark.setAttribute("height", "100%");
  let from = -1;
  let to = -1;

  function find(event) {
    const frame = drawing.getBoundingClientRect();
    const place = Math.floor(((event.clientX - frame.left) / frame.width) * columns);
    return Math.min(columns - 1, Math.max(0, place));
  }

  function draw() {
    mark.setAttribute("x", `${(Math.min(from, to) / columns) * 100}%`);
    mark.setAttribute("width", `${((Math.abs(to - from) + 1) / columns) * 100}%`);
    drawing.append(mark);
  }

  function stop() {
    from = -1;
    mark.remove();
  }

  // A time as the server's own links write it: whole days without the time of day.
  function write(milliseconds) {
    const text = new Date(milliseconds).toISOString();
    return step % 86400000 ? `${text.slice(0, 19)}Z` : text.slice(0, 10);
  }

  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = to = find(event);
  });
  drawing.addEventListener("pointermove", (event) => {
    if (from < 0 || find(event) === to) return;
    drawing.setPointerCapture(event.pointerId);
    to = find(event);
    draw();
  });
  drawing.addEventListener("pointerup", () => {
    // Without a mark it was a click, which follows the bar's own link.
    if (from < 0 || !mark.isConnected) return stop();
    const url = new URL(location.href);
    for (const one of ["cursor", "page", "stream"]) url.searchParams.delete(one);
    url.searchParams.set("from", write(start + Math.min(from, to) * step));
    url.searchParams.set("to", write(start + (Math.max(from, to) + 1) * step - 1000));
    stop();
    location.assign(url);
  });
  drawing.addEventListener("pointercancel", stop);
}

const begin = () => document.querySelectorAll("[data-columns]").forEach(brush);
begin();
addEventListener("finished", begin);
