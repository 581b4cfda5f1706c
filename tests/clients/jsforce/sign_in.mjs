// jsforce: every way in that it has, and out again.

import assert from "node:assert/strict";
import { allow } from "../browser.mjs";
import { checks, org } from "../checks.mjs";
import { Connection, OAuth2, connect, quiet } from "./connection.mjs";

const check = checks("jsforce");
const [administrator] = org.users;
const CALLBACK = "http://127.0.0.1:1717/callback";

/** Makes the app: with its secret, or as a public client that has a code verifier instead. */
const app = (more = {}) =>
  new OAuth2({ loginUrl: org.url, clientId: org.client_id, redirectUri: CALLBACK, ...more });

/** Signs the administrator in on the org's page, and redeems the code. */
async function authorized(oauth2, scope) {
  const url = oauth2.getAuthorizationUrl({ scope, state: "st&te" });
  const returned = await allow(url, CALLBACK, administrator);
  assert.equal(returned.get("state"), "st&te");
  const connection = new Connection({ oauth2, version: "68.0", ...quiet });
  const user = await connection.authorize(returned.get("code"));
  return { connection, user };
}

await check("OAuth: code with PKCE, refresh when a session ends, revoke", async () => {
  const { connection, user } = await authorized(app({ useVerifier: true }), "api refresh_token id");
  assert.match(user.id, /^005/);
  assert.match(user.organizationId, /^00D/);
  assert.equal(connection.instanceUrl, org.url);
  assert.equal((await connection.identity()).username, administrator.username);

  const first = connection.accessToken;
  const renewed = new Promise((resolve) => connection.on("refresh", resolve));
  await connection.oauth2.revokeToken(first);
  assert.equal((await connection.query("SELECT COUNT() FROM Account")).totalSize, 60);
  assert.equal(await renewed, connection.accessToken);
  assert.notEqual(connection.accessToken, first);

  const refreshToken = connection.refreshToken;
  await connection.logout(true);
  await assert.rejects(() => app().refreshToken(refreshToken), {
    name: "invalid_grant",
    message: "expired access/refresh token",
  });
});

await check("OAuth: code with a secret", async () => {
  const { connection } = await authorized(app({ clientSecret: org.client_secret }), "api");
  assert.equal(connection.refreshToken, undefined);
  assert.equal((await connection.query("SELECT COUNT() FROM Account")).totalSize, 60);
});

await check("OAuth: who is denied comes back with the error", async () => {
  const oauth2 = app({ useVerifier: true });
  const url = oauth2.getAuthorizationUrl({ scope: "api", state: "1" });
  const returned = await allow(url, CALLBACK, { ...administrator, decision: "deny" });
  assert.deepEqual(Object.fromEntries(returned), {
    error: "access_denied",
    error_description: "end-user denied authorization",
    state: "1",
  });
});

await check("OAuth: a code counts once, and only with its verifier", async () => {
  const oauth2 = app({ useVerifier: true });
  const code = async () => (await allow(oauth2.getAuthorizationUrl({ scope: "api" }), CALLBACK, administrator)).get("code");
  const [first, second] = [await code(), await code()];
  await assert.rejects(() => app({ useVerifier: true }).requestToken(first), { name: "invalid_grant" });
  const token = await oauth2.requestToken(second);
  assert.deepEqual([token.token_type, token.scope, token.instance_url], ["Bearer", "api", org.url]);
  await assert.rejects(() => oauth2.requestToken(second), { name: "invalid_grant" });
});

await check("OAuth: client credentials", async () => {
  const connection = new Connection({
    oauth2: { loginUrl: org.url, clientId: org.client_id, clientSecret: org.client_secret },
    version: "68.0",
    ...quiet,
  });
  const user = await connection.authorize({ grant_type: "client_credentials" });
  assert.match(user.id, /^005/);
  assert.match((await connection.identity()).username, /@/);
  const other = new OAuth2({ loginUrl: org.url, clientId: org.client_id, clientSecret: "wrong" });
  await assert.rejects(() => other.requestToken({ grant_type: "client_credentials" }), {
    name: "invalid_client",
    message: "invalid client credentials",
  });
});

await check("OAuth: a wrong app is told so", async () => {
  const other = new OAuth2({ loginUrl: org.url, clientId: "3MVG9nobody", redirectUri: CALLBACK });
  await assert.rejects(() => other.requestToken("code"), { name: "invalid_client_id" });
});

await check("SOAP: login of an old version, and logout", async () => {
  const connection = new Connection({ loginUrl: org.url, version: "50.0", ...quiet });
  const user = await connection.login(administrator.username, administrator.password);
  assert.match(user.id, /^005/);
  assert.match(user.organizationId, /^00D/);
  const { records } = await connection.query("SELECT Name FROM Account LIMIT 1");
  assert.match(records[0].attributes.url, /^\/services\/data\/v50\.0\//);
  const sessionId = connection.accessToken;
  await connection.logoutBySoap();
  const after = new Connection({ instanceUrl: org.url, accessToken: sessionId, version: "50.0", ...quiet });
  await assert.rejects(() => after.query("SELECT Id FROM Account").run(), { errorCode: "INVALID_SESSION_ID" });
});

await check("SOAP: a wrong password and a new version are faults", async () => {
  const old = new Connection({ loginUrl: org.url, version: "50.0", ...quiet });
  await assert.rejects(() => old.login(administrator.username, "wrong"), { message: /^INVALID_LOGIN: / });
  const recent = new Connection({ loginUrl: org.url, version: "65.0", ...quiet });
  await assert.rejects(() => recent.login(administrator.username, administrator.password), {
    message: /^UNSUPPORTED_API_VERSION|^INVALID_OPERATION|not supported|retired/i,
  });
});

await check("a token that is none is refused", async () => {
  const connection = connect({ accessToken: "00DDO0000000001!AQnothing" });
  await assert.rejects(() => connection.query("SELECT Id FROM Account").run(), {
    errorCode: "INVALID_SESSION_ID",
    message: "Session expired or invalid",
  });
});
