// The types of the API, from the dashboard's OpenAPI document, as `factorial openapi --service dashboard` prints it:
// `src/api/schema.d.ts`. Without --check it is written; with it the script exits with 1 when the file is another one. The
// system's test compares it with what a dashboard serves.
//
//   cargo build --bin factorial && node dev/schema.mjs [--check]
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const here = dirname(fileURLToPath(import.meta.url));
const SCHEMA = join(here, "../src/api/schema.d.ts");

/** The text that the file must have by this document. */
export async function schemaOf(document) {
  return COMMENT_HEADER + astToString(await openapiTS(document));
}

/** The first line in which the file differs from what it must be; null when it is the same. */
export function staleAt(wanted) {
  const has = readFileSync(SCHEMA, "utf8").split("\n");
  const lines = wanted.split("\n");
  const at = lines.findIndex((line, n) => line !== has[n]);
  if (at < 0 && has.length === lines.length) return null;
  const n = at < 0 ? lines.length : at;
  return `line ${n + 1}: ${has[n]?.trim() ?? "nothing"}, and the document has: ${lines[n]?.trim() ?? "nothing"}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const program = join(process.env.FACTORIAL_BIN ?? join(here, "../../../../target/debug"), "factorial");
  const printed = execFileSync(program, ["openapi", "--service", "dashboard"], { maxBuffer: 16 * 1024 * 1024 });
  const wanted = await schemaOf(JSON.parse(printed.toString()));
  const stale = staleAt(wanted);
  if (stale === null) console.log("src/api/schema.d.ts is up to date");
  else if (process.argv.includes("--check")) {
    console.error(`src/api/schema.d.ts is stale: npm run generate\n  ${stale}`);
    process.exit(1);
  } else {
    writeFileSync(SCHEMA, wanted);
    console.log("src/api/schema.d.ts written");
  }
}
