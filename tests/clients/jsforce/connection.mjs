// jsforce, connected as the administrator.

import { load, org } from "../checks.mjs";

export const { Connection, OAuth2, SfDate } = load("jsforce");

// What it logs, such as that Salesforce will retire SOAP logins, is no check.
export const quiet = { logLevel: "NONE" };

/** Connects with the administrator's token; `more` are settings of jsforce's `Connection`. */
export function connect(more = {}) {
  const [administrator] = org.users;
  return new Connection({
    instanceUrl: org.url,
    accessToken: administrator.access_token,
    version: "68.0",
    ...quiet,
    ...more,
  });
}
