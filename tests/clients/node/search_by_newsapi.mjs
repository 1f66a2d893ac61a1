// Asks npm's newsapi, which gets our address by its option for a proxy.
import NewsAPI from "newsapi";

const [prefix, key, query] = process.argv.slice(2);
const client = new NewsAPI(key, { corsProxyUrl: prefix });
let refused = null;
try {
  await new NewsAPI("ni_wrong", { corsProxyUrl: prefix }).v2.everything({ q: query });
} catch (error) {
  refused = `${error.name} ${error.message}`;
}
// The client keeps one key for all its objects.
new NewsAPI(key, { corsProxyUrl: prefix });
console.log(
  JSON.stringify({
    refused,
    everything: await client.v2.everything({ q: query, pageSize: 2 }),
    headlines: await client.v2.topHeadlines({ language: "en", pageSize: 3 }),
    sources: await client.v2.sources({}),
  }),
);
