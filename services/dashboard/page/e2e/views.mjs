// How long each view's requests take with much in Redis: fills a system with finished and queued tasks, asks every view
// of the page in turn, and prints percentiles. With release binaries, on a machine that does nothing else:
//
//   cargo build --release --workspace --bins
//   FACTORIAL_BIN=../../../target/release node e2e/views.mjs [finished] [queued] [requests]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const binaries = process.env.FACTORIAL_BIN ?? join(here, "../../../../target/release");
const [finished, queued, requests] = [1_000_000, 100_000, 200].map((n, i) => Number(process.argv[2 + i] ?? n));
const SIZE = 10_000;
const dir = mkdtempSync(join(tmpdir(), "factorial-views-"));
const agents = join(here, "agents");
const ports = ["gateway", "admin", "observability"].flatMap((name) => [`--${name}-port`, "0"]);
const args = ["dev", "--redis", "server", "--model", "simulated", "--agents", agents, ...ports];
const dev = spawn(join(binaries, "factorial"), args, { cwd: dir, stdio: ["ignore", "ignore", "inherit"] });
const ended = new Promise((resolve) => dev.on("exit", resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, ask, ms) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await ask();
    if (got) return got;
    assert.ok(Date.now() < end && dev.exitCode === null, `waited in vain for ${what}`);
    await pause(200);
  }
}

try {
  const addresses = await until(
    "the system",
    () => {
      const path = join(dir, ".factorial/dev.json");
      return existsSync(path) && JSON.parse(readFileSync(path, "utf8"));
    },
    30_000,
  );
  const api = `${addresses.dashboard.replace(/\/+$/, "").replace(/\/observability$/, "")}/observability/api`;
  const send = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${addresses.gateway}/v1${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  };
  const ask = async (path) => {
    const answer = await fetch(`${api}${path}`);
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
  const fill = async (agent, count) => {
    for (let done = 0; done < count; done += SIZE) {
      const tasks = Array.from({ length: Math.min(SIZE, count - done) }, (_, n) => ({
        query: "[[sim:noop]]",
        metadata: { customer: `firm ${n % 1000}` },
      }));
      await send("/batches", { agent, owner_id: `owner-${(done / SIZE) % 20}`, tasks });
      await until("room", async () => (await counted()).queued < 5 * SIZE || agent !== "writer", 600_000);
    }
  };
  const counted = async () => (await ask("/overview")).counts;
  const begun = Date.now();
  await fill("writer", finished);
  await until("the tasks to end", async () => (await counted()).completed >= finished, 600_000);
  await send("/agents/scout/pause", {});
  await fill("scout", queued);
  await until("the tasks to be counted", async () => (await counted()).queued >= queued, 60_000);
  const counts = await counted();
  console.log(
    `${counts.completed} finished and ${counts.queued} queued tasks after ${Math.round((Date.now() - begun) / 1000)} s`,
  );

  const [one] = (await ask("/tasks?status=completed&limit=1")).data;
  const page = await ask("/tasks?limit=50");
  const [batch] = (await ask("/batches?limit=1")).data;
  const views = {
    "overview, hour": "/overview?window=hour",
    "overview, day": "/overview?window=day",
    "overview, week": "/overview?window=week",
    tasks: "/tasks?limit=50",
    "tasks, next page": `/tasks?limit=50&cursor=${encodeURIComponent(page.next_cursor)}`,
    "tasks, completed": "/tasks?status=completed&limit=50",
    "tasks, queued": "/tasks?status=queued&limit=50",
    "tasks, failed": "/tasks?status=failed&limit=50",
    "tasks of an agent": "/tasks?agent=writer&limit=50",
    "tasks of an owner": "/tasks?owner_id=owner-7&limit=50",
    "tasks of an owner, queued": "/tasks?owner_id=owner-7&status=queued&limit=50",
    "tasks of a batch": `/tasks?batch_id=${batch.id}&limit=50`,
    "tasks, text": "/tasks?q=firm%20777&limit=50",
    task: `/tasks/${one.id}`,
    "task, events": `/tasks/${one.id}/events`,
    "task, messages": `/tasks/${one.id}/messages`,
    "task, tree": `/tasks/${one.id}/tree`,
    approvals: "/approvals",
    batches: "/batches?limit=50",
    batch: `/batches/${batch.id}`,
    agents: "/agents",
    agent: "/agents/writer",
    workers: "/workers",
    system: "/system",
  };
  console.log(`${"view".padEnd(28)}${["first", "p50", "p99", "max"].map((h) => h.padStart(10)).join("")}   ms`);
  let slow = 0;
  for (const [name, path] of Object.entries(views)) {
    const took = [];
    for (let n = 0; n < requests; n += 1) {
      const at = performance.now();
      await ask(path);
      took.push(performance.now() - at);
    }
    const [first] = took;
    took.sort((a, b) => a - b);
    const p99 = took[Math.ceil(took.length * 0.99) - 1];
    if (p99 >= 100) slow += 1;
    const figures = [first, took[Math.floor(took.length / 2)], p99, took.at(-1)];
    console.log(name.padEnd(28) + figures.map((ms) => ms.toFixed(1).padStart(10)).join(""));
  }
  console.log(slow === 0 ? "every p99 is below 100 ms" : `${slow} views are slower than 100 ms`);
  process.exitCode = slow === 0 ? 0 : 1;
} finally {
  dev.kill("SIGTERM");
  await ended;
  rmSync(dir, { recursive: true, force: true });
}
