// Searches with openapi-fetch and the types that openapi-typescript made of our description.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [address, query] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: address });
const { data, error } = await client.GET("/articles", { params: { query: { q: query, limit: 2 } } });
// The answer may also be a feed or a table, by the parameter `format`.
if (!data || typeof data === "string" || !("articles" in data)) {
  throw new Error(JSON.stringify(error));
}
const articles: components["schemas"]["Article"][] = data.articles;
const titles: string[] = articles.map((article) => article.title);
const refused = await client.GET("/articles", { params: { query: { q: "" } } });
const code: string | undefined = refused.error?.code;
console.log(JSON.stringify({ titles, total: data.total, code }));
