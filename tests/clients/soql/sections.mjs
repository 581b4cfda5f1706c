// The files of queries: sections with a heading, `== HEADING`, and below each its queries, one a line. A line
// that begins with spaces continues the query above it; `#` begins a comment.

import { readFileSync } from "node:fs";

/** Reads a file beside this one as `[{ heading, queries }]`. */
export function sections(name) {
  const sections = [];
  for (const line of readFileSync(new URL(name, import.meta.url), "utf8").split("\n")) {
    const queries = sections.at(-1)?.queries;
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("== ")) sections.push({ heading: line.slice(3), queries: [] });
    else if (line.startsWith("    ")) queries.push(`${queries.pop()}\n${line.trim()}`);
    else queries.push(line);
  }
  return sections;
}
