import { describe, expect, it } from "vitest";
import type { Task, TaskEvent, TaskFrame } from "../src/api/types";
import { age, bytes, cost, duration, offset, percent, plural, relative, short, shortId } from "../src/lib/format";
import { fillPage, heldRows } from "../src/lib/paging";
import { blocks, jsonOf, pieces } from "../src/lib/prose";
import { confirmedBy, lastMessage, lastSeq, mergeFrame, replyOf, type TaskFeed } from "../src/lib/taskfeed";
import { changed, formatPlace, matchRoute, parsePlace } from "../src/lib/url";

describe("numbers and durations", () => {
  it("writes durations with the digits that count", () => {
    const cases: [number | null, string][] = [
      [null, "–"],
      [0, "0 ms"],
      [840, "840 ms"],
      [999.6, "1.0 s"],
      [4_230, "4.2 s"],
      [9_960, "10 s"],
      [59_400, "59 s"],
      [59_900, "1m 00s"],
      [185_000, "3m 05s"],
      [3_599_600, "1h 00m"],
      [8_040_000, "2h 14m"],
      [273_600_000, "3d 4h"],
      [-5, "0 ms"],
    ];
    for (const [ms, text] of cases) expect(duration(ms)).toBe(text);
  });
  it("tells the places of an axis from each other", () => {
    expect([
      offset(261_200, 200),
      offset(261_250, 50),
      offset(12_400, 100),
      offset(500, 100),
      offset(90_000, 5_000),
    ]).toEqual(["4m 21.2s", "4m 21.25s", "12.4 s", "500 ms", "1m 30s"]);
  });
  it("writes ages in one unit", () => {
    expect([500, 12_000, 300_000, 10_800_000, 172_800_000].map(age)).toEqual(["now", "12s", "5m", "3h", "2d"]);
    expect(relative(1000, 181_000)).toBe("3m ago");
    expect(relative(13_000, 1_000)).toBe("in 12s");
    expect(relative(1_500, 1_000)).toBe("now");
  });
  it("shortens numbers without lying at the edges", () => {
    expect([0, 7, 999, 1000, 12_345, 999_950, 4_560_000, 1.2e9].map(short)).toEqual([
      "0",
      "7",
      "999",
      "1k",
      "12.3k",
      "1M",
      "4.56M",
      "1.2B",
    ]);
    expect(short(2.25)).toBe("2.3");
    expect([1, 0.99999, 0.5, 0.000001, 0].map((n) => percent(n))).toEqual(["100%", "99.9%", "50%", "0.1%", "0%"]);
    expect([0, 20, 4_500, 1_234_567, 12_345_678_901].map(cost)).toEqual([
      "$0",
      "<$0.0001",
      "$0.0045",
      "$1.23",
      "$12,346",
    ]);
    expect([0, 1023, 1536, 5 * 1024 ** 3].map(bytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    expect(plural(1, "task")).toBe("1 task");
    expect(plural(2000, "task")).toBe("2,000 tasks");
    expect(shortId("12-01k0a1b2c3d4e5f6g7h8j9kamn")).toBe("12-…h8j9kamn");
  });
});

describe("the address", () => {
  it("goes there and back", () => {
    const place = parsePlace("/observability/tasks/", "?status=failed&q=a%20b", "/observability");
    expect(place).toEqual({ path: "/tasks", query: { status: "failed", q: "a b" } });
    expect(formatPlace(place, "/observability")).toBe("/observability/tasks?status=failed&q=a+b");
    expect(parsePlace("/observability", "", "/observability").path).toBe("/");
  });
  it("drops what is empty", () => {
    expect(changed({ a: "1", b: "2" }, { a: null, b: "", c: "3" })).toEqual({ c: "3" });
  });
  it("finds routes, with encoded parts", () => {
    const routes = [
      ["/tasks", "tasks"],
      ["/tasks/new", "new"],
      ["/tasks/:id", "task"],
    ] as const;
    expect(matchRoute("/tasks/new", routes)?.name).toBe("new");
    expect(matchRoute("/tasks/a%2Fb", routes)).toEqual({ name: "task", params: { id: "a/b" } });
    expect(matchRoute("/tasks/%E0%A4%A", routes)).toBeNull();
    expect(matchRoute("/nowhere", routes)).toBeNull();
  });
});

describe("paging", () => {
  const pages: Record<string, { data: { id: string }[]; next_cursor?: string }> = {
    "": { data: [{ id: "a" }], next_cursor: "1" },
    "1": { data: [], next_cursor: "2" },
    "2": { data: [{ id: "a" }, { id: "b" }], next_cursor: "3" },
    "3": { data: [{ id: "c" }] },
  };
  const load = (query: { cursor?: string }) => Promise.resolve(pages[query.cursor ?? ""] ?? { data: [] });

  it("goes on through short and empty pages until it is full or it ends", async () => {
    const progress: number[] = [];
    const full = await fillPage(load, { limit: 2, onProgress: (n) => void progress.push(n) });
    expect(full).toEqual({ data: [{ id: "a" }, { id: "b" }], next_cursor: "3", requests: 3, partial: false });
    expect(progress).toEqual([1, 1, 2]);
    const all = await fillPage(load, { limit: 10 });
    expect(all.data.map((d) => d.id)).toEqual(["a", "b", "c"]);
    expect(all.next_cursor).toBeNull();
  });
  it("stops when it is told to, and says where", async () => {
    const some = await fillPage(load, { limit: 10, maxRequests: 2 });
    expect(some).toMatchObject({ next_cursor: "2", partial: true });
    const stop = new AbortController();
    stop.abort();
    expect(await fillPage(load, { limit: 10, cursor: "2", signal: stop.signal })).toMatchObject({
      data: [],
      partial: true,
    });
  });
  it("holds rows still, and counts the new ones", () => {
    const shown = [
      { id: "b", n: 1 },
      { id: "a", n: 1 },
    ];
    const fresh = [
      { id: "c", n: 2 },
      { id: "b", n: 2 },
    ];
    expect(heldRows(shown, fresh, true)).toEqual({
      rows: [
        { id: "b", n: 2 },
        { id: "a", n: 1 },
      ],
      waiting: 1,
    });
    expect(heldRows(shown, fresh, false)).toEqual({ rows: fresh, waiting: 0 });
  });
});

describe("the feed of a task", () => {
  const task = (status: Task["status"]): Task => ({ id: "t", status, turns: 0 }) as Task;
  const event = (seq: number, event_type = "x", data: Record<string, unknown> = {}): TaskEvent => ({
    seq,
    event_type,
    data,
    turn: 1,
    attempt: 1,
    at: "2026-01-01T00:00:00.000Z",
    task_id: "t",
    owner_id: "o",
    agent: "a",
  });
  const said = (index: number, turn = 1) => ({ index, turn, role: "assistant" as const, content: "hello" });
  const feed = (...frames: Partial<TaskFrame>[]): TaskFeed =>
    frames.reduce<TaskFeed | null>(
      (f, frame) => mergeFrame(f, { task: task("processing"), ...frame }),
      null,
    ) as TaskFeed;

  it("joins overlapping frames without repeating anything", () => {
    const f = feed(
      { events: [event(1), event(2)], messages: [said(0)] },
      { events: [event(2), event(3)], messages: [said(0), said(1, 2)] },
    );
    expect(f.events.map((e) => e.seq)).toEqual([1, 2, 3]);
    expect(f.messages.map((m) => m.index)).toEqual([0, 1]);
    expect([lastSeq(f), lastMessage(f)]).toEqual([3, 1]);
    expect([lastSeq(null), lastMessage(null)]).toEqual([0, -1]);
  });
  it("asks again at a hole, and goes on if it stays", () => {
    const holed = feed({ events: [event(1)] }, { events: [event(2), event(5)] });
    expect(holed.gap).toBe(true);
    expect(holed.events.map((e) => e.seq)).toEqual([1, 2]);
    const mended = mergeFrame(holed, { task: task("processing"), events: [event(3), event(4), event(5)] });
    expect(mended).toMatchObject({ gap: false, lost: [] });
    const lost = mergeFrame(holed, { task: task("processing"), events: [event(5)] });
    expect(lost.gap).toBe(false);
    expect(lost.lost).toEqual([4]);
    expect(lost.events.map((e) => e.seq)).toEqual([1, 2, 5]);
  });
  it("shows a reply until it is a message", () => {
    const reply = { turn: 1, attempt: 1, text: "hel" };
    expect(feed({ reply }).reply).toEqual(reply);
    expect(feed({ reply }, {}).reply).toEqual(reply);
    expect(feed({ reply }, { reply: null }).reply).toBeNull();
    expect(feed({ reply }, { messages: [said(0)], reply }).reply).toBeNull();
    expect(feed({ reply }, { task: task("cancelled"), reply }).reply).toBeNull();
  });
  it("reads a reply from the log where no frame tells it", () => {
    const chunk = (seq: number, words: string, attempt = 1): TaskEvent => ({
      ...event(seq, "progress_update_completion_chunk", { text: words }),
      attempt,
    });
    const started = event(1, "progress_update_run_turn_started");
    const f = feed({
      events: [started, chunk(2, "a "), event(3, "run_steering_accepted"), chunk(4, "b")],
      reply: null,
    });
    expect(f.reply).toEqual({ turn: 1, attempt: 1, text: "a b" });
    const done = { events: [event(5, "progress_update_completion_completed")], reply: null };
    expect(mergeFrame(f, { task: task("processing"), ...done }).reply).toBeNull();
    expect(replyOf([chunk(1, "old"), event(2, "task_recovered"), chunk(3, "new", 2)])?.text).toBe("new");
    expect(replyOf([chunk(1, "old"), chunk(2, "new", 2)])).toEqual({ turn: 1, attempt: 2, text: "new" });
    expect(replyOf([chunk(1, "x"), event(2, "progress_update_completion_interrupted")])).toBeNull();
    expect(feed({ events: [chunk(1, "x")], task: task("cancelled"), reply: null }).reply).toBeNull();
  });
  it("keeps identity when nothing is new", () => {
    const f = feed({ events: [event(1)] });
    expect(mergeFrame(f, { task: task("processing"), events: [] }).events).toBe(f.events);
  });
  it("knows an action by the event that it causes", () => {
    const wanted = { id: "1", doing: "", done: "", since: 2, types: ["approval_granted"], callId: "c2" };
    const events = [
      event(1, "approval_granted", { call_id: "c2" }),
      event(2),
      event(3, "approval_granted", { call_id: "c1" }),
    ];
    expect(confirmedBy(wanted, events)).toBeNull();
    expect(confirmedBy(wanted, [...events, event(4, "approval_granted", { call_id: "c2" })])?.seq).toBe(4);
  });
});

describe("prose", () => {
  it("tells code from text, also while it streams", () => {
    expect(blocks("Hi\n```ts\nlet a;\n```\nbye")).toEqual([
      { kind: "text", text: "Hi" },
      { kind: "code", lang: "ts", text: "let a;" },
      { kind: "text", text: "bye" },
    ]);
    expect(blocks("x\n```\nunfinished")).toEqual([
      { kind: "text", text: "x" },
      { kind: "code", lang: "", text: "unfinished" },
    ]);
    expect(blocks("")).toEqual([]);
  });
  it("never makes markup", () => {
    expect(pieces("# Title\n<b>`x`</b> **y**")).toEqual([
      { kind: "heading", text: "Title" },
      { kind: "plain", text: "\n<b>" },
      { kind: "code", text: "x" },
      { kind: "plain", text: "</b> " },
      { kind: "strong", text: "y" },
    ]);
  });
  it("knows JSON from text", () => {
    expect(jsonOf(' {"a":1}')).toEqual({ a: 1 });
    expect(jsonOf("42")).toBeNull();
    expect(jsonOf("{no")).toBeNull();
  });
});
