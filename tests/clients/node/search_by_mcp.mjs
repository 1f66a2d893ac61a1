// Starts npm's mcp-searxng as a model's host does, and searches with its tool.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [address, query] = process.argv.slice(2);
const transport = new StdioClientTransport({
  command: process.execPath,
  args: ["node_modules/mcp-searxng/dist/cli.js"],
  env: { ...process.env, SEARXNG_URL: address },
});
const client = new Client({ name: "newsintel-tests", version: "1" });
await client.connect(transport);
const result = await client.callTool({ name: "searxng_web_search", arguments: { query } });
console.log(JSON.stringify(result));
await client.close();
