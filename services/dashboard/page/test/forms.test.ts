import { describe, expect, it } from "vitest";
import type { AgentActivity, Overview } from "../src/api/types";
import { attention } from "../src/lib/attention";
import { ageLimit, filterOf, hasFilter, toggled } from "../src/lib/filters";
import { stacked } from "../src/lib/stack";
import { noCounts } from "../src/lib/status";
import { EMPTY, errorAt, toBody } from "../src/lib/submission";
import { hits } from "../src/shell/hits";

const NOW = Date.parse("2026-01-31T12:00:00.000Z");

describe("the filters of tasks", () => {
  it("counts ages from now", () => {
    expect(ageLimit("15m", NOW)).toEqual({ after: "2026-01-31T11:45:00.000Z" });
    expect(ageLimit("-1h", NOW)).toEqual({ before: "2026-01-31T11:00:00.000Z" });
    expect(ageLimit("soon", NOW)).toBeNull();
  });
  it("asks for what the URL says, and ignores what it cannot mean", () => {
    expect(
      filterOf(
        {
          status: "failed,cancelled,x",
          agent: "a",
          owner: "o",
          batch: "b",
          worker: "w",
          q: "x",
          age: "7d",
          ended: "-1h",
        },
        NOW,
      ),
    ).toEqual({
      status: ["failed", "cancelled"],
      worker_id: "w",
      finished_before: "2026-01-31T11:00:00.000Z",
      agent: "a",
      owner_id: "o",
      batch_id: "b",
      q: "x",
      created_after: "2026-01-24T12:00:00.000Z",
    });
    expect(filterOf({ status: "sleeping", after: "yesterday" }, NOW)).toEqual({});
    expect(filterOf({ after: "2026-01-30T00:00:00Z", before: "2026-01-31T00:00:00Z" }, NOW)).toEqual({
      created_after: "2026-01-30T00:00:00.000Z",
      created_before: "2026-01-31T00:00:00.000Z",
    });
    expect(filterOf({ endedafter: "2026-01-30T00:00:00Z" }, NOW)).toEqual({
      finished_after: "2026-01-30T00:00:00.000Z",
    });
    expect(hasFilter({ cursor: "c", page: "2" })).toBe(false);
    expect(hasFilter({ q: "x" })).toBe(true);
  });
});

describe("the states of a list", () => {
  it("are chosen one by one, in their order", () => {
    expect(toggled(null, "failed")).toBe("failed");
    expect(toggled("failed", "queued")).toBe("queued,failed");
    expect(toggled("queued,failed", "queued")).toBe("failed");
    expect(toggled("failed", "failed")).toBeNull();
  });
});

describe("a new task", () => {
  const form = { ...EMPTY, agent: "support", owner: "me", query: "Hello" };
  it("sends only what was filled in", () => {
    expect(toBody(form)).toEqual({
      body: { agent: "support", owner_id: "me", query: "Hello", stream: true },
      errors: {},
    });
    const { body } = toBody({
      ...form,
      context: '{"a":1}',
      priority: "9",
      start: "delay",
      delay: "2.5",
      maxTurns: "3",
      metadata: [
        { key: " k ", value: "v" },
        { key: "", value: "x" },
      ],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: " " },
      ],
    });
    expect(body).toMatchObject({
      context: { a: 1 },
      priority: 9,
      delay_seconds: 2.5,
      limits: { max_turns: 3 },
      metadata: { k: "v" },
      messages: [{ role: "system", content: "Be brief." }],
    });
  });
  it("says what is missing or wrong before it is sent", () => {
    const { errors } = toBody({ ...EMPTY, context: "{", start: "at", priority: "x" });
    expect(Object.keys(errors).sort()).toEqual(["/agent", "/context", "/owner_id", "/priority", "/query", "/run_at"]);
    const asked = toBody({ ...form, query: "", messages: [{ role: "user", content: "Hi" }] });
    expect(asked.errors).toEqual({});
  });
  it("finds the field that the server means", () => {
    const errors = { "/messages/0/content": "too long", owner_id: "bad" };
    expect(errorAt(errors, "/messages")).toBe("0 → content: too long");
    expect(errorAt(errors, "/owner_id")).toBe("bad");
    expect(errorAt(errors, "/query")).toBeUndefined();
  });
});

describe("what few tasks need", () => {
  const form = { ...EMPTY, agent: "support", owner: "me", query: "Hello" };
  it("is sent as it is meant", () => {
    const tools = '[{ "name": "t", "parameters": { "type": "object" } }]';
    const { body, errors } = toBody({ ...form, previous: " 0-1 ", tools, webhookUrl: "https://h", webhookSecret: "s" });
    expect(errors).toEqual({});
    expect(body).toMatchObject({
      previous_task_id: "0-1",
      tools: [{ name: "t" }],
      webhook: { url: "https://h", secret: "s" },
    });
  });
  it("says what cannot be meant", () => {
    const { errors } = toBody({ ...form, tools: "{}", webhookSecret: "s" });
    expect(errors).toEqual({ "/tools": "must be a list of tools", "/webhook/url": "where to?" });
    expect(toBody({ ...form, tools: "[" }).errors["/tools"]).toContain("not JSON");
  });
});

describe("what needs attention", () => {
  const agent = (more: Partial<AgentActivity>) =>
    ({ name: "a", workers: 1, paused: false, counts: noCounts(), ...more }) as AgentActivity;
  const overview = (more: Partial<Overview>) =>
    ({
      window: "hour",
      workers: 1,
      workers_draining: 0,
      slots: 4,
      running: 1,
      counts: noCounts(),
      totals: { enqueued: 0, completed: 0, failed: 0, cancelled: 0, retried: 0, recovered: 0 },
      success_rate: null,
      oldest_queued_at: null,
      agents: [],
      ...more,
    }) as Overview;
  const keys = (o: Overview, approvals = 0) =>
    attention(o, approvals, NOW).map((notice) => `${notice.tone}:${notice.key}`);

  it("is silent when all is well", () => {
    expect(keys(overview({ agents: [agent({})] }))).toEqual([]);
  });
  it("puts the worst first", () => {
    const o = overview({
      workers_draining: 1,
      totals: { enqueued: 9, completed: 1, failed: 3, cancelled: 0, retried: 0, recovered: 1 },
      success_rate: 0.25,
      oldest_queued_at: "2026-01-31T11:00:00.000Z",
      agents: [
        agent({ name: "away", workers: 0, counts: { ...noCounts(), queued: 2 } }),
        agent({ name: "idle", workers: 0 }),
        agent({ name: "held", paused: true, counts: { ...noCounts(), queued: 1 } }),
      ],
    });
    expect(keys(o, 2)).toEqual([
      "bad:away:away",
      "bad:failed",
      "warn:paused:held",
      "warn:recovered",
      "warn:oldest",
      "wait:approvals",
      "info:draining",
    ]);
  });
  it("says when there is no worker at all, once", () => {
    expect(
      keys(overview({ workers: 0, agents: [agent({ workers: 0, counts: { ...noCounts(), queued: 1 } })] })),
    ).toEqual(["bad:workers"]);
  });
});

describe("small things", () => {
  it("stacks bars", () => {
    expect(
      stacked([
        [1, 2],
        [3, 0],
        [0, 1],
      ]),
    ).toEqual([
      [1, 2],
      [4, 2],
      [4, 3],
    ]);
  });
  it("knows an id from text in the search", () => {
    expect(hits("0-01k0a1b2c3d4e5f6g7h8j9kamn", []).map((hit) => hit.note)).toEqual([
      "Open this task",
      "Open this batch",
    ]);
    expect(hits("work", ["worker-bee"]).map((hit) => hit.note)).toEqual([
      "Tasks with this in id or metadata",
      "Agent",
      "Page",
    ]);
    expect(hits("  ", ["a"])).toEqual([]);
  });
});
