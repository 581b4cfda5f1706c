// As client.py, by the official TypeScript SDK.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.CLIENTS_PACKAGES}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}.js`)));
const { Client } = await load("client/index");
const { StdioClientTransport } = await load("client/stdio");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`);
// Waits until the person has done something.
const person = () => lines.next();
const words = (result) => result.content.filter((part) => part.type === "text").map((part) => part.text).join("\n");

function transport() {
  if (process.argv[2] === "stdio") {
    const [command, ...args] = process.argv.slice(3);
    return new StdioClientTransport({ command, args, env: JSON.parse(process.env.VARIABLES) });
  }
  const headers = { Authorization: `Bearer ${process.env.PORTCULLIS_TOKEN}` };
  return new StreamableHTTPClientTransport(new URL(process.argv[2]), { requestInit: { headers } });
}

const client = new Client({ name: "sdk-test", version: "1" });
const over = transport();
await client.connect(over);
const call = (name, args) => client.callTool({ name, arguments: args });

const { tools } = await client.listTools();
say({ tools: tools.map((tool) => tool.name).sort(), version: over.protocolVersion ?? null });
const count = { soql: "SELECT COUNT() FROM Account" };
let first = await call("query", count);
if (first.isError) {
  say({ connect: words(first) });
  await person();
  first = await call("query", count);
}
say({ answer: words(first), structured: first.structuredContent });
const held = await call("update_record", JSON.parse(process.env.CHANGE));
const { approval } = held._meta["portcullis/problem"];
say({ approve: approval.link, is_error: held.isError === true });
const waiting = await call("check_approval", { approval: approval.id });
say({ state: waiting.structuredContent.state });
await person();
const done = await call("check_approval", { approval: approval.id });
say({ done: words(done), is_error: done.isError === true });
await client.close();
process.exit(0);
