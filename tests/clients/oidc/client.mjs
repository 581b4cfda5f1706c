// An agent's client by the official TypeScript SDK, which gets its token by itself: `client.mjs URL`. It prints the link that its
// person follows, waits for what comes back to its own port, and then prints a tool's answer.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.CLIENTS_PACKAGES}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}.js`)));
const { Client } = await load("client/index");
const { UnauthorizedError } = await load("client/auth");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp");

const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`);
const at = new URL(process.argv[2]);

const callback = createServer();
await new Promise((listening) => callback.listen(0, "127.0.0.1", listening));
const code = new Promise((came, failed) => {
  callback.on("request", (request, response) => {
    const back = new URL(request.url, "http://127.0.0.1");
    response.end("done");
    if (back.pathname !== "/callback") return;
    const got = back.searchParams.get("code");
    if (got) came(got);
    else failed(new Error(`the issuer gave no code: ${back.search}`));
  });
});

const kept = {};
const provider = {
  redirectUrl: `http://127.0.0.1:${callback.address().port}/callback`,
  get clientMetadata() {
    return { redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none", scope: "mcp" };
  },
  clientInformation: () => ({ client_id: "portcullis" }),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (link) => say({ link: link.href, resource: link.searchParams.get("resource") }),
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
};

const first = new StreamableHTTPClientTransport(at, { authProvider: provider });
try {
  await new Client({ name: "sdk-test", version: "1" }).connect(first);
  say({ refused: false });
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
}
await first.finishAuth(await code);
const client = new Client({ name: "sdk-test", version: "1" });
await client.connect(new StreamableHTTPClientTransport(at, { authProvider: provider }));
const answer = await client.callTool({ name: "query", arguments: { soql: "SELECT COUNT() FROM Account" } });
say({ answer: answer.content[0].text, is_error: answer.isError === true });
// A token for one agent is none for another.
const other = new StreamableHTTPClientTransport(new URL(at.href.replace("/helper", "/other")), {
  requestInit: { headers: { Authorization: `Bearer ${kept.tokens.access_token}` } },
});
// How the SDK says which status it was has changed between its versions; that nothing was reached is no refusal.
const isRefusal = (error) => error.code === 401 || /\b401\b/.test(error.message);
const refused = await new Client({ name: "sdk-test", version: "1" }).connect(other).then(() => false, isRefusal);
say({ other_refused: refused });
process.exit(0);
