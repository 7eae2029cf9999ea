// Looks at every page in a real Chromium against the fixture: screenshots (light, dark, phone, 4K), axe, the console,
// and requests to anywhere else. Exits with 1 when something is wrong.
//
//   npm run build && node dev/server.mjs --dist dist & node dev/look.mjs [--only name] [--out screens] [--modes light,dark,phone,wall]
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

function option(name, otherwise) {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? otherwise : process.argv[i + 1];
}

const base = process.env.DASHBOARD_URL ?? "http://127.0.0.1:8090";
const out = option("out", "screens");
const only = option("only", null);
const modes = option("modes", "light,dark,phone,wall").split(",");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(out, { recursive: true });

const MODES = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  phone: {
    viewport: { width: 360, height: 740 },
    colorScheme: "light",
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
  },
  wall: { viewport: { width: 3840, height: 2160 }, colorScheme: "dark" },
};

const get = async (path) => (await fetch(`${base}/observability/api${path}`)).json();
const find = async (query, fits = () => true) => (await get(`/tasks?limit=200&${query}`)).data.find(fits)?.id;
const ids = {
  completed: await find("status=completed&agent=support"),
  failed: await find("status=failed", (t) => t.retries > 1),
  planner: await find("agent=planner&status=completed"),
  running: await find("status=processing"),
  waiting: await find("status=pending_tool_results"),
  batch: (await get("/batches")).data[0]?.id,
};

const PAGES = [
  ["overview", ""],
  ["overview-day", "?window=day"],
  ["tasks", "/tasks"],
  ["tasks-failed", "/tasks?status=failed&age=24h"],
  ["tasks-none", "/tasks?q=nothing-has-this"],
  ["task-completed", `/tasks/${ids.completed}`],
  ["task-failed", `/tasks/${ids.failed}`],
  ["task-attempts", `/tasks/${ids.failed}?tab=attempts`],
  ["task-planner", `/tasks/${ids.planner}`],
  ["task-tree", `/tasks/${ids.planner}?tab=tree`],
  ["task-conversation", `/tasks/${ids.completed}?tab=conversation`],
  ["task-events", `/tasks/${ids.completed}?tab=events`],
  ["task-record", `/tasks/${ids.completed}?tab=record`],
  ["task-running", `/tasks/${ids.running}?tab=conversation`],
  ["task-waiting", `/tasks/${ids.waiting}`],
  ["task-missing", "/tasks/0-00000000000000000000000000"],
  ["approvals", "/approvals"],
  ["approvals-calls", "/approvals?kind=calls"],
  ["batches", "/batches"],
  ["batch", `/batches/${ids.batch}`],
  ["batch-results", `/batches/${ids.batch}?tab=results`],
  ["agents", "/agents"],
  ["agents-definitions", "/agents?tab=definitions"],
  ["agent", "/agents/support"],
  ["agent-paused", "/agents/reviewer"],
  ["workers", "/workers"],
  ["system", "/system"],
  ["new", "/tasks/new"],
  ["new-context", "/tasks/new?agent=support"],
  ["not-found", "/nowhere"],
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
let wrong = 0;
for (const mode of modes) {
  const context = await browser.newContext(MODES[mode]);
  const page = await context.newPage();
  let where = "";
  const complain = (what) => {
    wrong += 1;
    console.log(`${mode} ${where}: ${what}`);
  };
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !(where === "task-missing" && text.includes("404")))
      complain(`console: ${text}`);
  });
  page.on("pageerror", (error) => complain(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:"))
      complain(`foreign request: ${request.url()}`);
  });
  for (const [name, path] of PAGES) {
    if (only && !name.startsWith(only)) continue;
    where = name;
    // What runs now has ended when the next page is looked at.
    const running = name === "task-running" ? await find("status=processing") : null;
    await page.goto(`${base}/observability${running ? path.replace(/tasks\/[^?]+/, `tasks/${running}`) : path}`);
    await page.waitForSelector("main h1, main .empty");
    await page
      .waitForFunction(() => !document.querySelector(".skeleton"), null, { timeout: 8000 })
      .catch(() => complain("still loading"));
    await page.waitForTimeout(500);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complain(`scrolls sideways by ${wide} px`);
    // As tall as the page, so that what is fixed to an edge is at the edge.
    const { viewport } = MODES[mode];
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    if (mode !== "wall" && !name.startsWith("tasks")) await page.setViewportSize({ ...viewport, height });
    await page.screenshot({ path: `${out}/${name}-${mode}.png` });
    await page.setViewportSize(viewport);
    if (mode === "wall") continue;
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }),
    );
    for (const v of violations)
      complain(
        `axe ${v.impact} ${v.id}: ${v.nodes.length} × ${v.nodes[0]?.html.slice(0, 160)} ${v.nodes[0]?.any[0]?.message ?? ""}`,
      );
  }
  await context.close();
}
await browser.close();
console.log(wrong === 0 ? "nothing is wrong" : `${wrong} things are wrong`);
process.exit(wrong === 0 ? 0 : 1);
