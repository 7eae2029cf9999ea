// Uses the page as a person does, in a real Chromium against the fixture: actions and the events that confirm them,
// keys, bulk actions, a restart of the server, life without a socket, an empty installation. Exits with 1 on a failure.
//
//   npm run build && node dev/server.mjs --dist dist & node dev/drive.mjs
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const base = process.env.DASHBOARD_URL ?? "http://127.0.0.1:8090";
const only = process.argv[2];
const get = async (path) => (await fetch(`${base}/observability/api${path}`)).json();
const turn = (path) => fetch(`${base}/observability/dev/${path}`, { method: "POST" });
const find = async (query, fits = () => true) => (await get(`/tasks?limit=200&${query}`)).data.find(fits)?.id;
const until = async (what, ask, ms = 15_000) => {
  const end = Date.now() + ms;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** A task of its own, which the fixture does not let fail. */
const submit = async () => {
  const headers = { "content-type": "application/json", "x-factorial-dashboard": "1" };
  const body = JSON.stringify({
    agent: "support",
    owner_id: "driver",
    query: "Where is my order?",
    stream: true,
    priority: 9,
  });
  return (await (await fetch(`${base}/observability/api/tasks`, { method: "POST", headers, body })).json()).id;
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
const open = async (path) => {
  await page.goto(`${base}/observability${path}`);
  await page.waitForSelector("main h1");
};
const toast = (text) => page.locator(".toast", { hasText: text }).first().waitFor({ timeout: 10_000 });

const tests = {
  async "the overview lives"() {
    await open("/");
    const number = () =>
      page.locator(".statusbar-legend li", { hasText: "Completed" }).locator(".num").first().textContent();
    const before = await number();
    await until("a task to complete", async () => (await number()) !== before);
    assert.match(await page.title(), /^Overview · /);
  },

  async "a task is steered, and the event confirms it"() {
    const id = await submit();
    await until("the task to run", async () => (await get(`/tasks/${id}`)).status === "processing", 90_000);
    await open(`/tasks/${id}?tab=conversation`);
    await page.keyboard.press("m");
    await page.keyboard.type("Only the morning, please.");
    await page.getByRole("radio", { name: "Interrupt now" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await toast("The message was accepted");
    await page.locator(".message-user", { hasText: "Only the morning" }).waitFor({ timeout: 15_000 });
  },

  async "a task is cancelled with a reason, and retried"() {
    const id = await until("a waiting task", () => find("status=pending_tool_results"));
    await open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByLabel("Reason").fill("not needed");
    await page.getByRole("button", { name: "Cancel the task" }).click();
    await toast("The task is cancelled");
    await page.locator(".task-why", { hasText: "not needed" }).waitFor();
    await page.getByRole("button", { name: "Retry" }).click();
    await toast("The task is queued again");
    assert.notEqual((await get(`/tasks/${id}`)).status, "cancelled");
  },

  async "approvals are decided with keys"() {
    await open("/approvals");
    await page.waitForSelector("[data-call]");
    const first = await page.locator("[data-call]").first().getAttribute("aria-label");
    await page.keyboard.press("a");
    await toast("Approved");
    assert.ok(first);
    const asked = await get("/approvals");
    const { task_id, call_id } = asked.data[0];
    await page.keyboard.press("k");
    await page.keyboard.press("d");
    await page.getByLabel("Reason").fill("Ask the customer first.");
    await page.getByRole("button", { name: "Deny", exact: true }).click();
    await toast("Denied");
    const events = await get(`/tasks/${task_id}/events?limit=1000`);
    const denied = events.data.find((e) => e.event_type === "approval_denied" && e.data.call_id === call_id);
    assert.ok(denied, "the first of the list was denied");
    await page.keyboard.press("e");
    const box = page.getByRole("textbox", { name: "Arguments" });
    await box.fill("{ not json");
    assert.ok(await page.getByRole("button", { name: "Approve with these" }).isDisabled());
    await box.fill('{ "amount": 1 }');
    await page.getByRole("button", { name: "Approve with these" }).click();
    await toast("Approved");
  },

  async "a deferred call is answered"() {
    await open("/approvals?kind=calls");
    await page.getByRole("button", { name: "Answer…" }).first().click();
    await page.getByRole("textbox", { name: "Result" }).fill("Yes, it may.");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await toast("Answered ask_reviewer");
  },

  async "a new task: errors at their fields, then it opens"() {
    await open("/tasks/new?agent=support");
    await page.getByRole("button", { name: "Submit the task" }).click();
    await page.getByText("whose task it is has to be said").waitFor();
    await page.getByLabel("Owner").fill("bad owner!");
    await page.getByLabel("Query").fill("Where is my order?");
    await page.getByLabel("Turns").fill("99999");
    await page.getByRole("button", { name: "Submit the task" }).click();
    await page.locator(".field-bad", { hasText: "1 to 128 of" }).waitFor();
    await page.locator(".field-bad", { hasText: "1 to 10,000" }).waitFor();
    await page.getByLabel("Owner").fill("tester");
    await page.getByLabel("Turns").fill("5");
    await page.getByRole("button", { name: "Submit the task" }).click();
    await page.waitForURL(/\/tasks\/\d+-/);
    await page.locator(".task-figures", { hasText: "tester" }).waitFor();
    // The browser says of itself that an answer was a refusal.
    errors.splice(0, errors.length, ...errors.filter((text) => !text.includes("422")));
  },

  async "many tasks are retried at once, by rows and by filter"() {
    await open("/tasks?status=failed");
    await page.waitForSelector("tbody tr");
    await page
      .getByRole("checkbox", { name: /^Select \d/ })
      .first()
      .check();
    await page.getByRole("button", { name: /Select all [\d,]+ that match/ }).click();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Cancel tasks" }).click();
    await page.locator("dialog", { hasText: "left as they are" }).waitFor();
    await page.locator("dialog").getByRole("button", { name: "Close" }).last().click();
    await page.keyboard.press("Escape");
    await open("/tasks?status=cancelled");
    await page.waitForSelector("tbody tr");
    await page.locator("tbody tr").first().focus();
    await page.keyboard.press("x");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.locator(".bulkbar", { hasText: "2 tasks selected" }).waitFor();
    await page.getByRole("button", { name: "Retry…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Retry tasks" }).click();
    await page.locator("dialog", { hasText: "2 retried" }).waitFor();
  },

  async "pages go on by cursor, and back"() {
    await open("/tasks?status=completed");
    await page.waitForSelector("tbody tr");
    await page.getByRole("button", { name: "Older" }).click();
    await page.locator(".pagination-page", { hasText: "Page 2" }).waitFor();
    await page.waitForSelector("tbody tr");
    assert.match(page.url(), /cursor=/);
    await page.getByRole("button", { name: "Newer" }).click();
    await page.locator(".pagination-page", { hasText: "Page 1" }).waitFor();
  },

  async "rare tasks are looked for through short pages"() {
    await open("/tasks?owner=ana%40example.org&status=failed&agent=planner");
    await page.locator(".pagination").waitFor();
    await until("the end of the list", async () => (await page.locator(".looking").count()) === 0);
    const all = (await get("/tasks?owner_id=ana%40example.org&status=failed&agent=planner&limit=200")).data.length;
    assert.ok((await page.locator("tbody tr").count()) >= Math.min(all, 50));
  },

  async "keys go places"() {
    await open("/");
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await page.waitForURL(/\/workers$/);
    await page.keyboard.press("?");
    await page.locator("dialog", { hasText: "Everywhere" }).waitFor();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog"));
    await page.keyboard.press("/");
    await page.keyboard.type("resea");
    await page.getByRole("option", { name: "researcher Agent" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/agents\/researcher$/);
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.waitForSelector("tbody tr");
    await page.locator("tbody tr").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/tasks\/\d+-/);
  },

  async "an agent is paused and resumed"() {
    await open("/agents/triage");
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.locator("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await toast("triage is paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await toast("triage goes on");
  },

  async "a restart of the server: a banner, old data stays, then it goes on"() {
    const id = await until("a running task", () => find("status=processing", (t) => t.stream));
    await open(`/tasks/${id}?tab=events`);
    await page.waitForSelector(".event");
    const before = await page.locator(".event").count();
    errors.length = 0;
    await turn("restart?ms=2500");
    await page.locator(".banner", { hasText: "Not connected" }).waitFor();
    assert.equal((await page.locator(".event").count()) >= before, true, "what was shown is still shown");
    await page.locator(".connection-live").waitFor({ timeout: 15_000 });
    await page.waitForTimeout(1200);
    const seqs = await page.locator(".event-seq").allTextContents();
    const log = await get(`/tasks/${id}/events?limit=1000`);
    const shown = log.data.filter((e) => e.event_type !== "progress_update_completion_chunk").map((e) => String(e.seq));
    assert.deepEqual(seqs, shown.slice(0, seqs.length), "every event once, in order");
    errors.length = 0;
  },

  async "without a socket it polls, and says so"() {
    await turn("socket?on=0");
    await open("/");
    await page.locator(".banner", { hasText: "asks every 2 s" }).waitFor({ timeout: 15_000 });
    await page.waitForSelector(".stat");
    const id = await find("status=completed&agent=support");
    await open(`/tasks/${id}`);
    await page.locator(".waterfall-row").first().waitFor({ timeout: 15_000 });
    await turn("socket?on=1");
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator(".connection-live").waitFor({ timeout: 15_000 });
    errors.length = 0;
  },

  async "an empty installation"() {
    await turn("empty?on=1");
    try {
      await open("/");
      await page.getByText("No agent has been announced yet").waitFor();
      for (const [path, text] of [
        ["/tasks", "No tasks yet"],
        ["/approvals", "Nothing waits for a yes"],
        ["/batches", "No batches"],
        ["/workers", "No worker runs"],
      ]) {
        await open(path);
        await page.locator(".empty", { hasText: text }).waitFor();
      }
    } finally {
      await turn("empty?on=0");
    }
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
    console.log(
      `FAIL  ${name}\n      ${String(error.message ?? error)
        .split("\n")
        .slice(0, 6)
        .join("\n      ")}`,
    );
    await page.screenshot({ path: `screens/fail-${failed}.png` }).catch(() => undefined);
  }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
