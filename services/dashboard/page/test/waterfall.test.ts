import { describe, expect, it } from "vitest";
import type { TaskEvent } from "../src/api/types";
import { buildAttempts } from "../src/lib/attempts";
import { longWaits, makeScale, shares, total, union } from "../src/lib/timescale";
import { buildWaterfall, type Span } from "../src/lib/waterfall";

const T0 = Date.parse("2026-01-31T09:00:00.000Z");

/** A log written as `[offset in ms, type, data, turn, attempt]`. */
function log(...lines: [number, string, Record<string, unknown>?, number?, number?][]): TaskEvent[] {
  return lines.map(([offset, event_type, data, turn, attempt], i) => ({
    seq: i + 1,
    event_type,
    at: new Date(T0 + offset).toISOString(),
    task_id: "t",
    owner_id: "o",
    agent: "a",
    turn: turn ?? 0,
    attempt: attempt ?? 1,
    data: data ?? {},
  }));
}

const brief = (rows: Span[]): string[] =>
  rows.map((r) => `${"  ".repeat(r.depth)}${r.label} ${r.start - T0}-${r.end === null ? "" : r.end - T0} ${r.state}`);

const P = "progress_update_";
const simple = log(
  [0, "task_enqueued", { status: "queued" }],
  [100, "run_started", { worker: "w1", queue_wait_ms: 100 }],
  [110, `${P}run_turn_started`, {}, 1],
  [
    2110,
    `${P}completion_completed`,
    {
      model: "gpt",
      duration_ms: 1990,
      time_to_first_token_ms: 300,
      finish_reason: "tool_calls",
      usage: { input_tokens: 10, output_tokens: 5 },
      cost_usd_micros: 42,
    },
    1,
  ],
  [2120, `${P}tool_action_started`, { tool: "search", call_id: "c1" }, 1],
  [2125, `${P}tool_action_started`, { tool: "fetch", call_id: "c2" }, 1],
  [2620, `${P}tool_action_failed`, { tool: "fetch", call_id: "c2", duration_ms: 495, error_kind: "timeout" }, 1],
  [3120, `${P}tool_action_completed`, { tool: "search", call_id: "c1", duration_ms: 1000 }, 1],
  [3130, `${P}run_turn_completed`, {}, 1],
  [3140, `${P}run_turn_started`, {}, 2],
);

describe("the waterfall", () => {
  it("nests model calls and tools in their turn", () => {
    const { rows, end } = buildWaterfall(simple);
    expect(brief(rows)).toEqual([
      "Queued 0-100 ok",
      "Turn 1 110-3130 ok",
      "  gpt 120-2110 ok",
      "  search 2120-3120 ok",
      "  fetch 2125-2620 failed",
      "Turn 2 3140- open",
      "  Model 3140- open",
    ]);
    expect(end).toBeNull();
    expect(rows[2]).toMatchObject({
      tokens: { input: 10, output: 5 },
      cost: 42,
      firstToken: 300,
      detail: "tool calls",
    });
  });

  it("closes everything when the task ends", () => {
    const { rows, end } = buildWaterfall([
      ...simple,
      ...log([4000, "run_cancelled", { reason: "enough" }, 2]).map((e) => ({ ...e, seq: 11 })),
    ]);
    expect(end).toBe(T0 + 4000);
    expect(rows.every((row) => row.end !== null)).toBe(true);
    expect(brief(rows).slice(-3)).toEqual(["Turn 2 3140-4000 cut", "  Model 3140-4000 cut", "Cancelled 4000-4000 cut"]);
  });

  it("shows approvals, parking and children as waits within the turn", () => {
    const { rows } = buildWaterfall(
      log(
        [0, "task_enqueued"],
        [10, "run_started", { worker: "w1" }],
        [10, `${P}run_turn_started`, {}, 1],
        [20, `${P}completion_completed`, { model: "m", duration_ms: 10 }, 1],
        [30, "approval_requested", { tool: "publish", call_id: "c1" }, 1],
        [31, "child_spawned", { task_id: "kid", agent: "researcher" }, 1],
        [40, "run_parked", { awaiting: 2 }, 1],
        [5000, "child_ended", { task_id: "kid", status: "failed" }, 1],
        [9000, "approval_denied", { call_id: "c1", by: "ana" }, 1],
        [9001, "run_unparked", {}, 1],
        [9050, "run_resumed", { worker: "w2", queue_wait_ms: 49 }, 1, 2],
        [9060, `${P}run_turn_completed`, {}, 1, 2],
        [9061, `${P}run_turn_started`, {}, 2, 2],
      ),
    );
    expect(brief(rows)).toEqual([
      "Queued 0-10 ok",
      "Turn 1 10-9060 ok",
      "  m 10-20 ok",
      "  publish 30-9000 denied",
      "  researcher 31-5000 failed",
      "  Parked 40-9001 ok",
      "Queued 9001-9050 ok",
      "Turn 2 9061- open",
      "  Model 9061- open",
    ]);
    expect(rows[3]?.detail).toBe("denied by ana");
  });

  it("shows a turn that is begun again once for each time", () => {
    const events = log(
      [0, "task_enqueued"],
      [10, "run_started", { worker: "w1" }],
      [10, `${P}run_turn_started`, {}, 1],
      [20, `${P}completion_completed`, { model: "m", duration_ms: 10 }, 1],
      [21, `${P}tool_action_started`, { tool: "slow", call_id: "c1" }, 1],
      [10_000, "task_recovered", { worker: "w1" }, 1],
      [10_100, "run_resumed", { worker: "w2", queue_wait_ms: 100 }, 1, 2],
      [10_110, `${P}run_turn_started`, {}, 1, 2],
      [10_120, `${P}tool_action_started`, { tool: "slow", call_id: "c1" }, 1, 2],
      [10_220, `${P}tool_action_completed`, { tool: "slow", call_id: "c1" }, 1, 2],
    );
    expect(brief(buildWaterfall(events).rows)).toEqual([
      "Queued 0-10 ok",
      "Turn 1 10-10000 cut",
      "  m 10-20 ok",
      "  slow 21-10000 cut",
      "Recovered 10000-10000 failed",
      "Queued 10000-10100 ok",
      "Turn 1 10110- open",
      "  Model 10110- open",
      "  slow 10120-10220 ok",
    ]);
    const attempts = buildAttempts(events);
    expect(attempts.map((a) => [a.outcome, a.cause ?? ""])).toEqual([
      ["recovered", "the lease of worker w1 expired"],
      ["running", ""],
    ]);
  });

  it("tells backoff from the wait in the queue after it", () => {
    const { rows } = buildWaterfall(
      log(
        [0, "task_enqueued"],
        [10, "run_started"],
        [10, `${P}run_turn_started`, {}, 1],
        [500, "task_retried", { kind: "rate_limited", status: 429, delay_seconds: 2 }, 1],
        [2700, "run_resumed", { worker: "w", queue_wait_ms: 200 }, 1, 2],
      ),
    );
    expect(brief(rows).slice(-2)).toEqual(["Backoff 500-2500 ok", "Queued 2500-2700 ok"]);
    expect(rows.at(-2)?.detail).toBe("after rate_limited (429)");
  });

  it("interrupts the model call that steering aborts, and begins another", () => {
    const { rows } = buildWaterfall(
      log(
        [0, "run_started"],
        [0, `${P}run_turn_started`, {}, 1],
        [50, "run_steering_accepted", { count: 1, mode: "interrupt" }, 1],
        [60, `${P}completion_interrupted`, {}, 1],
        [61, "run_steering_applied", { count: 1 }, 1],
        [300, `${P}completion_completed`, { model: "m", duration_ms: 200 }, 1],
      ),
    );
    expect(brief(rows)).toEqual(["Turn 1 0- open", "  Model 0-60 interrupted", "  m 100-300 ok", "Steered 61-61 ok"]);
  });

  it("goes on after an operator's retry", () => {
    const events = log(
      [0, "task_enqueued"],
      [1, "run_started"],
      [2, "run_failed", { kind: "bad_request", message: "no" }],
      [5000, "task_retried", { by: "ana", after: "failed" }],
      [5100, "run_resumed", { queue_wait_ms: 100 }, 0, 2],
    );
    const { rows, end } = buildWaterfall(events);
    expect(end).toBeNull();
    expect(brief(rows)).toEqual(["Queued 0-1 ok", "Failed 2-2 failed", "Retried 5000-5000 ok", "Queued 5000-5100 ok"]);
  });

  it("survives a log without its beginning, and unknown events", () => {
    const { rows } = buildWaterfall(
      log([0, "custom_thing"], [10, `${P}tool_action_completed`, { tool: "x", call_id: "c", duration_ms: 5 }, 3]),
    );
    expect(brief(rows)).toEqual(["x 5-10 ok"]);
    expect(buildWaterfall([]).rows).toEqual([]);
  });
});

describe("the time scale", () => {
  const { rows } = buildWaterfall(
    log(
      [0, "run_started"],
      [0, `${P}run_turn_started`, {}, 1],
      [1000, `${P}completion_completed`, { duration_ms: 1000 }, 1],
      [1000, "run_parked", {}, 1],
      [3_601_000, "run_unparked", {}, 1],
      [3_601_000, "run_resumed", { queue_wait_ms: 0 }, 1, 2],
      [3_601_000, `${P}run_turn_completed`, {}, 1],
      [3_601_000, `${P}run_turn_started`, {}, 2],
      [3_602_000, `${P}completion_completed`, { duration_ms: 1000 }, 2],
      [3_602_000, "run_completed"],
    ),
  );
  const end = T0 + 3_602_000;

  it("folds an hour of waiting, and keeps order and bounds", () => {
    expect(longWaits(rows, T0, end, end)).toEqual([{ from: T0 + 1000, to: T0 + 3_601_000 }]);
    const scale = makeScale(rows, T0, end, end, true);
    expect(scale.segments.map((s) => s.folded)).toEqual([false, true, false]);
    expect(scale.x(T0)).toBe(0);
    expect(scale.x(end)).toBeCloseTo(1);
    expect(scale.x(T0 + 1000)).toBeCloseTo(0.44);
    let last = -1;
    for (let t = T0; t <= end; t += 10_000) {
      expect(scale.x(t)).toBeGreaterThanOrEqual(last);
      last = scale.x(t);
    }
  });

  it("is linear without folding", () => {
    const scale = makeScale(rows, T0, end, end, false);
    expect(scale.segments).toHaveLength(1);
    expect(scale.x(T0 + 1_801_000)).toBeCloseTo(0.5);
    expect(scale.ticks.length).toBeGreaterThan(3);
    expect(scale.ticks.length).toBeLessThan(17);
  });

  it("counts what happens at once only once", () => {
    expect(
      union([
        { from: 5, to: 9 },
        { from: 0, to: 6 },
        { from: 20, to: 21 },
      ]),
    ).toEqual([
      { from: 0, to: 9 },
      { from: 20, to: 21 },
    ]);
    expect(
      total([
        { from: 0, to: 10 },
        { from: 0, to: 10 },
      ]),
    ).toBe(10);
    expect(shares(rows, end)).toEqual([
      { kind: "model", ms: 2000 },
      { kind: "wait", ms: 3_600_000 },
    ]);
  });
});
