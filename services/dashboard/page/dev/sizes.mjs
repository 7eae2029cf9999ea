// Says what the page weighs, and fails when its first load is too heavy.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 150 * 1024;

function files(dir) {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

const index = readFileSync("dist/index.html", "utf8");
if (/<script(?![^>]*\bsrc=)/.test(index) || /<style|style="/.test(index)) {
  console.error("index.html has inline scripts or styles, which the policy forbids");
  process.exit(1);
}
let first = 0;
for (const path of files("dist")) {
  const body = readFileSync(path);
  const packed = gzipSync(body, { level: 9 }).length;
  const initial = path.endsWith("index.html") || index.includes(path.replace(/^dist/, ""));
  if (initial) first += packed;
  console.log(
    `${(packed / 1024).toFixed(1).padStart(7)} KiB gzip ${(body.length / 1024).toFixed(1).padStart(7)} KiB  ${path}${initial ? "  (first load)" : ""}`,
  );
}
console.log(`first load: ${(first / 1024).toFixed(1)} KiB gzip`);
if (first > LIMIT) process.exit(1);
