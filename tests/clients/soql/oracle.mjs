// The corpus of queries: what the dev org makes of each, beside what Salesforce documents, and beside another
// parser of SOQL, `@jetstreamapp/soql-parser-js`.
//
// The org accepts a query unless it answers `MALFORMED_QUERY`: any other error means that it was parsed. Where
// the parser judges otherwise, `differences.txt` says why, and says no more than that.

import assert from "node:assert/strict";
import { checks, load, org } from "../checks.mjs";
import { sections } from "./sections.mjs";

const check = checks("soql-parser-js");
const { isQueryValid } = load("@jetstreamapp/soql-parser-js");
const QUERIES_MIN = 400;
const REFUSED = "MALFORMED_QUERY";

/** Asks the org a query; gives `runs`, or the code of its error. */
async function ask(soql) {
  const url = `${org.url}/services/data/v68.0/query?q=${encodeURIComponent(soql)}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${org.users[0].access_token}` } });
  const answer = await response.json();
  return response.ok ? "runs" : answer[0].errorCode;
}

const corpus = sections("corpus.txt").map(({ heading, queries }) => {
  const [, clause, outcome] = heading.match(/^(.*): (\w+)$/);
  return { clause, outcome, queries };
});

await check("the corpus is large and says nothing twice", async () => {
  const queries = corpus.flatMap((section) => section.queries);
  assert.ok(queries.length >= QUERIES_MIN, `${queries.length} queries`);
  const twice = queries.filter((query, at) => queries.indexOf(query) !== at);
  assert.deepEqual(twice, []);
});

const answers = new Map();
for (const { clause, outcome, queries } of corpus) {
  await check(`${clause}, ${queries.length} queries: ${outcome}`, async () => {
    await Promise.all(queries.map(async (query) => answers.set(query, await ask(query))));
    const others = queries.filter((query) => answers.get(query) !== outcome);
    assert.deepEqual(
      others.map((query) => `${answers.get(query)}: ${query}`),
      [],
    );
  });
}

const differing = [...answers]
  .map(([query, answer]) => ({ query, org: answer !== REFUSED, parser: isQueryValid(query) }))
  .filter(({ org, parser }) => org !== parser);
const listed = sections("differences.txt").flatMap(({ heading, queries }) => {
  const [, verdict] = heading.match(/^the parser (accepts|refuses): .+$/);
  return queries.map((query) => ({ query, parser: verdict === "accepts" }));
});
const is = (one) => (other) => one.query === other.query && one.parser === other.parser;

await check(`org and parser judge alike, but for ${listed.length} listed differences`, async () => {
  const unlisted = differing.filter((difference) => !listed.some(is(difference)));
  assert.deepEqual(
    unlisted.map(({ query, parser }) => `the parser ${parser ? "accepts" : "refuses"}: ${query}`),
    [],
  );
});

await check("each listed difference is one", async () => {
  const gone = listed.filter((difference) => !differing.some(is(difference)));
  assert.deepEqual(
    gone.map(({ query }) => query),
    [],
  );
});
