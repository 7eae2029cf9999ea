// The types of the API, from the OpenAPI document that a dashboard serves: `src/api/schema.d.ts`. Without --check it is
// written; with it the script exits with 1 when the file is another one. The system's test does the same with the
// dashboard that it has started.
//
//   node dev/schema.mjs [--check] [URL or file of the document]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

export const SCHEMA = join(dirname(fileURLToPath(import.meta.url)), "../src/api/schema.d.ts");

/** The text that the file must have. */
export async function schemaOf(source) {
  const url = existsSync(source) ? pathToFileURL(resolve(source)) : new URL(source);
  return COMMENT_HEADER + astToString(await openapiTS(url));
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
  const words = process.argv.slice(2);
  const check = words.includes("--check");
  const source =
    words.find((word) => !word.startsWith("--")) ??
    `${process.env.DASHBOARD_URL ?? "http://127.0.0.1:8080"}/observability/api/openapi.json`;
  const wanted = await schemaOf(source).catch((error) => {
    console.error(`cannot read ${source}: ${error.message}`);
    process.exit(1);
  });
  const stale = staleAt(wanted);
  if (stale === null) console.log("src/api/schema.d.ts is up to date");
  else if (check) {
    console.error(`src/api/schema.d.ts is stale: npm run generate\n  ${stale}`);
    process.exit(1);
  } else {
    writeFileSync(SCHEMA, wanted);
    console.log("src/api/schema.d.ts written");
  }
}
