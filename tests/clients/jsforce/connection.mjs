// jsforce, connected as the administrator.

import { load, org } from "../checks.mjs";

export const { Connection, OAuth2, SfDate } = load("jsforce");

// It warns at each SOAP login that Salesforce will retire it, which is known.
export const quiet = { logLevel: "ERROR" };

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
