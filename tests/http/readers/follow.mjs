// Follows a stream with npm's eventsource. Prints each event as a line of JSON, and ends when the
// client stops for good. `close` = close the client at the last event, as users should.
import { EventSource } from "eventsource";

const [url, how] = process.argv.slice(2);
const source = new EventSource(url);
const print = (name) => (event) => {
  console.log(JSON.stringify({ event: name, id: event.lastEventId, data: event.data }));
  if (how === "close" && (name === "done" || name === "problem")) {
    source.close();
  }
};
for (const name of ["source", "merge", "done", "problem"]) {
  source.addEventListener(name, print(name));
}
source.addEventListener("error", (event) => {
  console.log(JSON.stringify({ event: "error", code: event.code ?? null, state: source.readyState }));
});
