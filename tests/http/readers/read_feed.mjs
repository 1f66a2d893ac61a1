// Parses JSON feeds with npm's feedsmith: reads lines of {"feed": "…"} from standard input, and
// prints what it found in each, or its error.
import { createInterface } from "node:readline";
import { detectJsonFeed, parseJsonFeed } from "feedsmith";

for await (const line of createInterface({ input: process.stdin })) {
  const { feed } = JSON.parse(line);
  try {
    const value = JSON.parse(feed);
    console.log(JSON.stringify({ detected: detectJsonFeed(value), feed: parseJsonFeed(value) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
