// The page against the real system, in a real Chromium: everything lives, acts, and survives a dashboard that is killed.
// Starts `factorial dev` (a private Redis, a simulated model) and a `factorial-dashboard` beside it, and exits with 1 on a
// failure. `cargo xtask test` calls it; by hand:
//
//   cargo build --workspace --bins && node e2e/system.mjs [part of a name]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { schemaOf, staleAt } from "../dev/schema.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const binaries = process.env.FACTORIAL_BIN ?? join(here, "../../../../target/debug");
const only = process.argv[2];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const dir = mkdtempSync(join(tmpdir(), "factorial-page-"));
const processes = new Set();

function start(program, args) {
  const child = spawn(join(binaries, program), args, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  child.said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (child.said += text));
  child.ended = new Promise((resolve) => child.on("exit", resolve));
  processes.add(child);
  return child;
}

async function until(what, ask, ms = 30_000) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

// The system.
const ports = ["gateway", "admin", "observability"].flatMap((name) => [`--${name}-port`, "0"]);
const dev = start("factorial", [
  "dev",
  "--redis",
  "server",
  "--model",
  "simulated",
  "--agents",
  join(here, "agents"),
  ...ports,
]);
const addresses = await until("the system", () => {
  assert.equal(dev.exitCode, null, dev.said);
  const path = join(dir, ".factorial/dev.json");
  return existsSync(path) && JSON.parse(readFileSync(path, "utf8"));
});
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const startDashboard = async (at = port, access = ["--auth-enabled=false"]) => {
  const args = ["--redis-url", addresses.redis, "--observability-port", String(at), "--admin-port", "0", ...access];
  const dashboard = start("factorial-dashboard", args);
  await until("the dashboard", async () => {
    assert.equal(dashboard.exitCode, null, dashboard.said);
    return (await fetch(`http://127.0.0.1:${at}/readyz`).catch(() => null))?.ok;
  });
  return dashboard;
};
let dashboard = await startDashboard();

const call = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`${addresses.gateway}/v1${path}`, init);
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
};
const submit = async (agent, query, more = {}) =>
  (await call("/tasks", { agent, owner_id: "someone", query, ...more })).id;
const status = async (id) => (await call(`/tasks/${id}/status`)).status;
const reaches = (id, wanted) => until(`${id} to be ${wanted}`, async () => (await status(id)) === wanted);

// The browser.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => {
  const { url } = message.location();
  if (message.type() === "error") errors.push(`${message.text()} ${url}`);
});
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(base) && !url.startsWith(base.replace("http", "ws")) && !url.startsWith("data:"))
    errors.push(`a request to another host: ${url}`);
});
const open = async (path) => {
  await page.goto(`${base}/observability${path}`);
  await page.waitForSelector("main h1");
};
const toast = (text) => page.locator(".toast", { hasText: text }).first().waitFor({ timeout: 15_000 });
/** CPU time of the longest task of the pages' main threads, ms: what else runs on this machine does not count. */
function longestTask(trace) {
  const mains = trace.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain");
  const main = new Set(mains.map((e) => `${e.pid} ${e.tid}`));
  const tasks = trace.filter((e) => e.name.endsWith("RunTask") && main.has(`${e.pid} ${e.tid}`) && e.tdur > 0);
  assert.ok(tasks.length > 0, "the trace has tasks");
  return Math.max(...tasks.map((e) => e.tdur)) / 1000;
}

const completed = async () =>
  Number(
    (
      await page.locator(".statusbar-legend li", { hasText: "Completed" }).locator(".num").first().textContent()
    ).replace(/\D/g, ""),
  );

const tests = {
  async "the page's types are those of the served document"() {
    const served = await fetch(`${base}/observability/api/openapi.json`);
    const stale = staleAt(await schemaOf(await served.json()));
    assert.equal(stale, null, "src/api/schema.d.ts is stale: npm run generate");
  },

  async "the overview shows tasks as they end"() {
    await submit("writer", "[[sim:noop]] first");
    await open("");
    await until("the first one", async () => (await completed()) >= 1);
    const before = await completed();
    for (let n = 0; n < 5; n += 1) await submit("writer", `[[sim:noop]] ${n}`);
    await until("five more", async () => (await completed()) === before + 5);
    await page.locator(".connection-live").waitFor();
  },

  async "a reply is shown as it comes, and steering changes the course"() {
    const id = await submit("writer", "[[sim:tokens=400]][[sim:token_delay_ms=50]] a long story");
    await reaches(id, "processing");
    await open(`/tasks/${id}?tab=conversation`);
    const text = () => page.locator("main").textContent();
    const early = (
      await until(
        "some text",
        async () => (await page.locator(".message-reply, .reply, .message-assistant").count()) > 0 && text(),
      )
    ).length;
    await until("more text", async () => (await text()).length > early + 40);
    await page.keyboard.press("m");
    await page.keyboard.type("[[sim:reply=as you wish]] Be brief.");
    await page.getByRole("radio", { name: "Interrupt now" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await toast("The message was accepted");
    await reaches(id, "completed");
    const events = await call(`/tasks/${id}/events?limit=1000`);
    const types = events.data.map((event) => event.event_type);
    assert.ok(types.includes("run_steering_applied"), types.join(" "));
    await page.getByText("as you wish").first().waitFor();
  },

  async "a task is cancelled with a reason"() {
    const id = await submit("writer", "[[sim:latency_ms=60000]] never");
    await reaches(id, "processing");
    await open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByLabel("Reason").fill("not needed");
    await page.getByRole("button", { name: "Cancel the task" }).click();
    await toast("The task is cancelled");
    assert.equal(await status(id), "cancelled");
    assert.equal((await call(`/tasks/${id}`)).cancel_reason, "not needed");
  },

  async "a call is approved"() {
    const id = await submit("cashier", "How much do they get?");
    await reaches(id, "pending_tool_results");
    await open("/approvals");
    await page.locator("[data-call]").first().waitFor();
    await page.keyboard.press("a");
    await toast("Approved");
    await reaches(id, "completed");
  },

  async "a call is answered"() {
    const id = await submit("scout", "What is it?");
    await reaches(id, "pending_tool_results");
    await open("/approvals?kind=calls");
    await page.getByRole("button", { name: "Answer…" }).first().click();
    await page.getByRole("textbox", { name: "Result" }).fill("Forty-two.");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await toast("Answered look_up");
    await reaches(id, "completed");
  },

  async "a new task from the page"() {
    await open("/tasks/new?agent=writer");
    await page.getByLabel("Owner").fill("bad owner!");
    await page.getByLabel("Query").fill("[[sim:reply=made by hand]]");
    await page.getByRole("button", { name: "Submit the task" }).click();
    await page.locator(".field-bad").first().waitFor();
    await page.getByText("Advanced:").click();
    await page.getByLabel("Tools that you answer").fill('[{ "name": "bad name", "parameters": {} }]');
    await page.getByLabel("Webhook").fill("ftp://example.org");
    await page.getByLabel("Owner").fill("tester");
    await page.getByRole("button", { name: "Submit the task" }).click();
    for (const label of ["Tools that you answer", "Webhook"])
      await page.locator(".field-bad", { hasText: label }).locator(".field-error").waitFor();
    await page.getByLabel("Tools that you answer").fill("");
    await page.getByLabel("Webhook").fill("");
    errors.length = 0;
    await page.getByLabel("Owner").fill("tester");
    await page.getByRole("button", { name: "Submit the task" }).click();
    await page.waitForURL(/\/tasks\/\d+-/);
    await page.getByText("Completed").first().waitFor();
  },

  async "a new task with the context that its agent asks for"() {
    await open("/tasks/new");
    await page.getByLabel("Agent", { exact: true }).selectOption("clerk");
    const wrongAt = (label) => page.locator(".field-bad", { has: page.getByLabel(label) }).locator(".field-error");
    const send = () => page.getByRole("button", { name: "Submit the task" }).click();
    await page.getByLabel("Customer").fill("0");
    assert.equal(await page.getByLabel("Tone").inputValue(), '"kind"', "the default is filled in");
    await page.getByLabel("Urgent").selectOption("true");
    await page.getByLabel("Tags").fill("new\nfar too long for a tag");
    await page.getByLabel("Owner").fill("tester");
    await page.getByLabel("Query").fill("[[sim:reply=made by form]]");
    await send();
    await wrongAt("Customer").getByText("0 is less than the minimum of 1").waitFor();
    await wrongAt("Tags").getByText("1: ").waitFor();
    await wrongAt("City").getByText("is required").waitFor();
    const way = page.getByRole("radiogroup", { name: "How the context is written" });
    await way.getByRole("radio", { name: "JSON" }).click();
    const json = page.getByLabel("Context", { exact: true });
    assert.deepEqual(JSON.parse(await json.inputValue()), {
      customer: 0,
      tone: "kind",
      urgent: true,
      tags: ["new", "far too long for a tag"],
      address: {},
    });
    await json.fill('{ "customer": 48211, "tone": "brief", "address": { "city": "Lisbon" }, "colour": 1 }');
    await way.getByRole("radio", { name: "Fields" }).click();
    await page.getByText("The fields cannot show all of this").waitFor();
    await send();
    await page.locator(".field-bad", { has: json }).getByText("colour: is not a known property").waitFor();
    await json.fill('{ "customer": 48211, "tone": "brief", "address": { "city": "Lisbon" } }');
    await way.getByRole("radio", { name: "Fields" }).click();
    assert.equal(await page.getByLabel("City").inputValue(), "Lisbon");
    await page.getByLabel("Customer").fill("48212");
    // The browser says of itself that an answer was a refusal.
    errors.splice(0, errors.length, ...errors.filter((text) => !text.includes("422")));
    const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/tasks"));
    await send();
    assert.deepEqual((await sent).postDataJSON().context, {
      customer: 48212,
      tone: "brief",
      address: { city: "Lisbon" },
    });
    await page.waitForURL(/\/tasks\/\d+-/);
    await page.getByText("Completed").first().waitFor();
  },

  async "tasks are found, and cancelled together"() {
    const ids = [];
    for (let n = 0; n < 3; n += 1)
      ids.push(await submit("writer", "later", { delay_seconds: 3600, metadata: { case: "together" } }));
    await open("/tasks?q=together");
    await until("three rows", async () => (await page.locator("tbody tr").count()) === 3);
    await page
      .getByRole("checkbox", { name: /^Select \d/ })
      .first()
      .check();
    await page
      .getByRole("checkbox", { name: /^Select \d/ })
      .nth(1)
      .check();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Cancel tasks" }).click();
    await page.locator("dialog", { hasText: "2 cancelled" }).waitFor();
    const states = await Promise.all(ids.map(status));
    assert.equal(states.filter((state) => state === "cancelled").length, 2, states.join(" "));
  },

  async "tasks are narrowed to several states, to when they ended, and to their worker"() {
    const mark = { metadata: { case: "narrowed" } };
    const ended = await submit("writer", "[[sim:noop]] ended", mark);
    const held = await submit("writer", "[[sim:latency_ms=60000]] held", mark);
    const later = await submit("writer", "later", { ...mark, delay_seconds: 3600 });
    await reaches(ended, "completed");
    await reaches(held, "processing");
    const shows = (what, wanted) =>
      until(what, async () => {
        const links = await page.locator("tbody tr a[href*='/tasks/']").evaluateAll((all) => all.map((a) => a.href));
        const ids = new Set(links.map((link) => /tasks\/([^?]+)/.exec(link)[1]));
        return ids.size === wanted.length && wanted.every((id) => ids.has(id));
      });
    await open("/tasks?q=narrowed");
    await shows("all three", [ended, held, later]);
    const chip = (name) => page.locator(".chips").getByRole("button", { name });
    await chip("Processing").click();
    await chip("Completed").click();
    await shows("those two", [held, ended]);
    assert.match(page.url(), /status=processing%2Ccompleted/);
    await page.reload();
    await shows("the same after a reload", [held, ended]);
    await chip("All").click();
    await page.getByLabel("Ended", { exact: true }).selectOption("15m");
    await shows("the one that has ended", [ended]);
    await page.getByLabel("Ended", { exact: true }).selectOption("-1h");
    await page.getByText("No task matches").waitFor();
    await open("/workers");
    await page.locator("tbody a[href*='worker=']").first().click();
    await until("what the worker holds", async () =>
      (await page.locator("tbody").textContent()).includes("Processing"),
    );
    await page.getByLabel("Text in id or metadata").fill("narrowed");
    await shows("the one that it holds", [held]);
    for (const id of [held, later]) await call(`/tasks/${id}/cancel`, {});
    await page.getByText("No task matches").waitFor();
  },

  async "a batch fills up, and its results come by themselves"() {
    const members = [1, 2, 3].map((n) => ({ query: `[[sim:reply=result ${n}]]`, custom_id: `member-${n}` }));
    const slow = { query: "[[sim:latency_ms=4000]][[sim:reply=late result]]", custom_id: "member-late" };
    const batch = await call("/batches", { agent: "writer", owner_id: "someone", tasks: [slow, ...members] });
    await open(`/batches/${batch.id}?tab=results`);
    const rows = () => page.locator("tbody tr").count();
    await until("three results", async () => (await rows()) === 3);
    assert.doesNotMatch(await page.locator("main").textContent(), /late result/);
    await page.getByText("late result").waitFor();
    assert.equal(await rows(), 4);
    await until("all of it", async () => (await page.title()).startsWith("100"));
  },

  async "an agent is paused and resumed"() {
    await open("/agents/writer");
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await toast("writer is paused");
    const id = await submit("writer", "[[sim:noop]] waits");
    await page.waitForTimeout(1_500);
    assert.equal(await status(id), "queued");
    await page.getByRole("button", { name: "Resume" }).click();
    await toast("writer goes on");
    await reaches(id, "completed");
  },

  async "a dashboard that is killed and comes back"() {
    const id = await submit("writer", "[[sim:tokens=300]][[sim:token_delay_ms=50]] long", { stream: true });
    await reaches(id, "processing");
    await open(`/tasks/${id}?tab=events`);
    await page.locator(".event").first().waitFor();
    dashboard.kill("SIGKILL");
    await dashboard.ended;
    await page.locator(".banner", { hasText: "Not connected" }).waitFor();
    assert.ok((await page.locator(".event").count()) > 0, "what was shown is still shown");
    dashboard = await startDashboard();
    await page.locator(".connection-live").waitFor({ timeout: 30_000 });
    await reaches(id, "completed");
    await page.getByText("Completed").first().waitFor();
    const log = await call(`/tasks/${id}/events?limit=1000`);
    const shown = log.data.filter((e) => e.event_type !== "progress_update_completion_chunk").map((e) => String(e.seq));
    await until("all events", async () => {
      const seqs = await page.locator(".event-seq").allTextContents();
      return JSON.stringify(seqs) === JSON.stringify(shown);
    });
    // While it was away, the browser said so.
    errors.splice(0, errors.length, ...errors.filter((text) => !/ERR_CONNECTION|WebSocket|Failed to load/.test(text)));
  },

  async "a key logs in, sees what its role may, and logs out"() {
    const adminKey = "an-admin-key-of-the-tests-alone";
    const at = await freePort();
    const place = `http://127.0.0.1:${at}/observability`;
    const guarded = await startDashboard(at, ["--admin-key", adminKey]);
    const overview = (headers) => fetch(`${place}/api/overview`, { headers });
    assert.equal((await overview({})).status, 401);
    assert.equal((await overview({ authorization: `Bearer ${adminKey}` })).status, 200);
    const { token } = await call("/keys", { name: "wall", role: "viewer" });

    const visitor = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const view = await visitor.newPage();
    await view.goto(`${place}/tasks?status=completed`);
    await view.waitForURL(/\/observability\/login/);
    await view.fill("#key", "fk_of_nobody");
    await view.click("button");
    await view.getByRole("alert").getByText("not known").waitFor();
    await view.fill("#key", token);
    await view.click("button");
    await view.waitForURL(`${place}/tasks?status=completed`);
    await view.waitForSelector("main h1");
    assert.equal(await view.locator(".top-new").count(), 0, "a viewer makes no tasks");
    const cookies = await visitor.cookies();
    assert.deepEqual(
      cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
      [[true, "Strict"]],
    );
    await view.getByRole("button", { name: /^Log out \(key:/ }).click();
    await view.waitForURL(/\/observability\/login/);
    await visitor.addCookies(cookies);
    await view.goto(`${place}/tasks`);
    await view.waitForURL(/\/observability\/login/);
    await visitor.close();
    guarded.kill("SIGTERM");
    await guarded.ended;
  },

  async "the page is small, quick, and lets nothing in"() {
    const fresh = await browser.newContext();
    const first = await fresh.newPage();
    const devtools = await fresh.newCDPSession(first);
    await devtools.send("Network.enable");
    let bytes = 0;
    devtools.on("Network.loadingFinished", (loaded) => (bytes += loaded.encodedDataLength));
    const begun = Date.now();
    const answer = await first.goto(`${base}/observability`);
    await first.waitForSelector(".stat");
    const took = Date.now() - begun;
    const policy = answer.headers()["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.ok(bytes <= 150 * 1024, `${bytes} bytes`);
    console.log(`      ${Math.round(bytes / 1024)} KiB, filled after ${took} ms`);
    await fresh.close();
  },

  async "the page stays smooth under load"() {
    const busy = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const view = await busy.newPage();
    const frames = [];
    view.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        if (JSON.parse(payload).type === "data") frames.push(Date.now());
      }),
    );
    const overview = async () => (await fetch(`${base}/observability/api/overview`)).json();
    for (const path of ["", "/tasks"]) {
      await view.goto(`${base}/observability${path}`);
      await view.waitForSelector(".stat, tbody tr");
      let feeding = true;
      const feed = async () => {
        while (feeding) {
          const tasks = Array.from({ length: 2000 }, (_, n) => ({ query: `[[sim:noop]] ${n}` }));
          if ((await overview()).counts.queued < 2000)
            await call("/batches", { agent: "writer", owner_id: "load", tasks });
          else await view.waitForTimeout(100);
        }
      };
      const fed = feed();
      await view.waitForTimeout(1_000);
      frames.length = 0;
      const [begun, before] = [Date.now(), await overview()];
      await browser.startTracing(view, { categories: ["toplevel", "devtools.timeline", "__metadata"] });
      await view.waitForTimeout(5_000);
      const after = await overview();
      const seconds = (Date.now() - begun) / 1000;
      const trace = JSON.parse(String(await browser.stopTracing()));
      feeding = false;
      await fed;
      const ended = (after.totals.completed - before.totals.completed) / seconds;
      const [one] = (
        await (await fetch(`${base}/observability/api/tasks?status=completed&owner_id=load&limit=1`)).json()
      ).data;
      const { data: events } = await (await fetch(`${base}/observability/api/tasks/${one.id}/events`)).json();
      // Sent at least 250 ms apart; when they arrive is also up to how busy the browser is.
      const updates = (frames.length - 1) / seconds;
      const longest = longestTask(trace.traceEvents);
      console.log(
        `      ${path || "/"}: ${Math.round(ended)} tasks and ${Math.round(ended * events.length)} events a second; ${updates.toFixed(1)} updates a second; ` +
          `longest task of the main thread ${longest.toFixed(1)} ms`,
      );
      assert.ok(frames.length > 2, "it lives");
      assert.ok(updates <= 4, `${updates} updates a second`);
      assert.ok(longest < 50, `the main thread was busy for ${longest} ms`);
    }
    await busy.close();
  },

  async "axe finds nothing serious"() {
    const id = await submit("writer", "[[sim:noop]] looked at");
    await reaches(id, "completed");
    const paths = ["", "/tasks", `/tasks/${id}`, `/tasks/${id}?tab=conversation`, `/tasks/${id}?tab=events`];
    paths.push("/approvals", "/batches", "/agents", "/agents/writer", "/workers", "/system", "/tasks/new");
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await open(path);
        await page.waitForFunction(() => !document.querySelector(".skeleton"), null, { timeout: 15_000 });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document));
        for (const { impact, id, nodes } of violations)
          if (["serious", "critical"].includes(impact))
            found.push(`${colorScheme} ${path}: ${id} ${nodes[0].html.slice(0, 120)}`);
      }
    }
    assert.deepEqual(found, []);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(tests)) {
  if (only && !name.includes(only)) continue;
  errors.length = 0;
  try {
    await run();
    assert.deepEqual(errors, [], "errors in the console");
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    const said = String(error.message ?? error)
      .split("\n")
      .slice(0, 8);
    said.push(...dashboard.said.split("\n").slice(-8));
    console.log(`FAIL  ${name}\n      ${said.join("\n      ")}`);
    await page.screenshot({ path: join(tmpdir(), `factorial-page-fail-${failed}.png`) }).catch(() => undefined);
  }
}
await browser.close();
for (const child of processes) child.kill("SIGTERM");
await Promise.all([...processes].map((child) => child.ended));
rmSync(dir, { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);
