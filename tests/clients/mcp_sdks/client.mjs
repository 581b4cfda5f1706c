// As client.py, by the official TypeScript SDK.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.CLIENTS_PACKAGES}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}.js`)));
const { Client } = await load("client/index");
const { StdioClientTransport } = await load("client/stdio");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp");
const { ElicitRequestSchema } = await load("types");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`);
// Waits until the person has done something.
const person = () => lines.next();
const words = (result) => result.content.filter((part) => part.type === "text").map((part) => part.text).join("\n");

const TOKEN = process.env.PORTCULLIS_TOKEN;
// What the person was asked by way of this client, who approves what is shown.
const asked = [];

function transport() {
  if (process.argv[2] === "stdio") {
    const [command, ...args] = process.argv.slice(3);
    return new StdioClientTransport({ command, args, env: JSON.parse(process.env.VARIABLES) });
  }
  const headers = TOKEN ? { Authorization: `Bearer ${TOKEN}` } : {};
  return new StreamableHTTPClientTransport(new URL(process.argv[2]), { requestInit: { headers } });
}

const client = new Client({ name: "sdk-test", version: "1" }, { capabilities: { elicitation: { form: {} } } });
client.setRequestHandler(ElicitRequestSchema, async (request) => {
  asked.push(request.params.message);
  return { action: "accept", content: { approve: true } };
});
const over = transport();
await client.connect(over);
const call = (name, args, options) => client.callTool({ name, arguments: args }, undefined, options);

if (process.env.HEARS) {
  const heard = [];
  const onprogress = ({ progress, total, message }) => heard.push([progress, total, message]);
  const answer = await call("test_tool_with_progress", {}, { onprogress });
  say({ heard, answer: words(answer) });
  await client.close();
  process.exit(0);
}

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
const change = JSON.parse(process.env.CHANGE);
const held = await call("update_record", change);
const { approval } = held._meta["portcullis/problem"];
say({ approve: approval.link, is_error: held.isError === true });
const waiting = await call("check_approval", { approval: approval.id });
say({ state: waiting.structuredContent.state });
await person();
const done = await call("check_approval", { approval: approval.id });
say({ done: words(done), is_error: done.isError === true });

// What there is besides tools, and a change of which the person is asked here.
const read = await client.readResource({ uri: `salesforce://${change.object}/${change.id}` });
const prompt = await client.getPrompt({ name: "prepare_meeting", arguments: { account: "Acme" } });
const ref = { type: "ref/resource", uri: "salesforce://{object}" };
const completed = await client.complete({ ref, argument: { name: "object", value: "acco" } });
const field = await client.complete({
  ref: { type: "ref/prompt", name: "check_field" },
  argument: { name: "field", value: "indus" },
  context: { arguments: { object: "Account" } },
});
say({
  read: read.contents[0].text,
  prompt: prompt.messages[0].content.text,
  completed: completed.completion.values[0],
  field: field.completion.values,
});
await person();
change.fields.Site += " by a word in the chat";
const changed = await call("update_record", change);
say({ changed: words(changed), is_error: changed.isError === true, asked });
await person();

// A call that takes long, which is given up.
const given = new AbortController();
const slow = call("query", { soql: "SELECT Id FROM Contact LIMIT 1" }, { signal: given.signal });
const ended = slow.then(() => false, () => true);
say({ slow: true });
await person();
given.abort("no patience");
const cancelled = await ended;
const after = await call("get_identity", {});
say({ cancelled, after: after.isError === true });
await person();
await client.close();
process.exit(0);
