// Verifies the webhook on standard input, {"secret", "headers", "body"}, and prints its data.
import { Webhook } from "standardwebhooks";

let text = "";
for await (const piece of process.stdin) text += piece;
const { secret, headers, body } = JSON.parse(text);
process.stdout.write(JSON.stringify(new Webhook(secret).verify(body, headers)));
