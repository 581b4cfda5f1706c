// What every script in JavaScript shares: how a client is loaded, and how a check is made.
//
// A check is one line, `ok CLIENT: CHECK` or `FAILED CLIENT: CHECK` with the reason below it.

import { createRequire } from "node:module";
import { join } from "node:path";
import { inspect } from "node:util";

/** Loads a client from the folder that the runner installed them into. */
export const load = createRequire(join(process.env.CLIENTS_PACKAGES, "package.json"));

/** Where the org is and how to get in: the line that `salesforce-devorg` prints. */
export const org = JSON.parse(process.env.ORG);

/** Makes the function that runs a client's checks, one after the other, each whatever the last did. */
export function checks(client) {
  return async (name, body) => {
    try {
      await body();
      console.log(`ok ${client}: ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`FAILED ${client}: ${name}`);
      console.log(inspect(error, { depth: 4, maxArrayLength: null, maxStringLength: null }).replace(/^/gm, "    "));
    }
  };
}
