import { beforeEach, describe, expect, it } from "vitest";
import { ProblemError } from "../src/api/client";
import { Live, type LiveEnvironment, type Params, POLL_MS, type SocketLike } from "../src/api/live";
import { backoffMs } from "../src/lib/backoff";

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: { type: string; id?: number; topic?: string; params?: Params }[] = [];
  send(text: string): void {
    this.sent.push(JSON.parse(text) as FakeSocket["sent"][number]);
  }
  close(): void {
    this.onclose?.();
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** Time that passes when it is told to. */
class Bench implements LiveEnvironment {
  sockets: FakeSocket[] = [];
  polls: string[] = [];
  answer: (topic: string) => unknown = () => ({ polled: true });
  clock = 1_000_000;
  private timers: { at: number; run: () => void; id: number }[] = [];
  private ids = 0;
  open(): SocketLike {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  poll(topic: string): Promise<unknown> {
    this.polls.push(topic);
    return new Promise((resolve) => resolve(this.answer(topic)));
  }
  now(): number {
    return this.clock;
  }
  random(): number {
    return 0.5;
  }
  later(ms: number, run: () => void): unknown {
    this.ids += 1;
    this.timers.push({ at: this.clock + ms, run, id: this.ids });
    return this.ids;
  }
  cancel(timer: unknown): void {
    this.timers = this.timers.filter((t) => t.id !== timer);
  }
  async pass(ms: number): Promise<void> {
    const until = this.clock + ms;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((t) => t !== next);
      this.clock = next.at;
      next.run();
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    }
    this.clock = until;
  }
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("no socket");
    return last;
  }
}

function listener(topic: string, params: () => Params = () => ({})) {
  const seen = { data: [] as unknown[], problems: [] as string[], stale: 0 };
  return {
    seen,
    topic,
    params,
    data: (data: unknown) => void seen.data.push(data),
    problem: (problem: { code: string }) => void seen.problems.push(problem.code),
    stale: () => {
      seen.stale += 1;
    },
  };
}

describe("the connection", () => {
  let bench: Bench;
  let live: Live;
  beforeEach(() => {
    bench = new Bench();
    live = new Live(bench);
    live.start();
  });

  it("asks for what is wanted once the socket is open, and hands data to whom it belongs", () => {
    const a = listener("overview", () => ({ window: "hour" }));
    const b = listener("agents");
    live.subscribe(a);
    const second = live.subscribe(b);
    expect(bench.socket.sent).toEqual([]);
    bench.socket.onopen?.();
    expect(bench.socket.sent.map((f) => f.topic)).toEqual(["overview", "agents"]);
    bench.socket.say({ type: "data", id: second.id(), data: [1] });
    expect(a.seen.data).toEqual([]);
    expect(b.seen.data).toEqual([[1]]);
    second.stop();
    expect(bench.socket.sent.at(-1)).toEqual({ type: "unsubscribe", id: second.id() });
    bench.socket.say({ type: "data", id: second.id(), data: [2] });
    expect(b.seen.data).toEqual([[1]]);
  });

  it("comes back by itself, and goes on with the parameters of that moment", async () => {
    let seq = 0;
    const task = listener("task", () => ({ task_id: "t", after_seq: seq }));
    live.subscribe(task);
    bench.socket.onopen?.();
    seq = 17;
    bench.socket.say({ type: "bye", reason: "restarting" });
    bench.socket.close();
    expect(task.seen.stale).toBe(1);
    expect(live.link.value).toMatchObject({ kind: "lost", reason: "restarting", retryAt: bench.clock + 375 });
    await bench.pass(400);
    expect(bench.sockets).toHaveLength(2);
    bench.socket.onopen?.();
    expect(live.link.value.kind).toBe("live");
    expect(bench.socket.sent).toEqual([
      { type: "subscribe", id: 1, topic: "task", params: { task_id: "t", after_seq: 17 } },
    ]);
  });

  it("tries at once when it is asked to, and only once", async () => {
    bench.socket.onopen?.();
    bench.socket.close();
    live.retryNow();
    live.retryNow();
    expect(bench.sockets).toHaveLength(2);
    await bench.pass(5_000);
    expect(bench.sockets).toHaveLength(2);
  });

  it("polls while no socket can be had, and stops when there is one", async () => {
    const overview = listener("overview");
    live.subscribe(overview);
    bench.socket.close();
    await bench.pass(400);
    bench.socket.close();
    await bench.pass(1);
    expect(live.link.value.kind).toBe("polling");
    expect(overview.seen.data).toEqual([{ polled: true }]);
    bench.socket.onclose = null;
    await bench.pass(POLL_MS);
    expect(overview.seen.data).toHaveLength(2);
    bench.socket.onopen?.();
    const polls = bench.polls.length;
    await bench.pass(10_000);
    expect(bench.polls).toHaveLength(polls);
    expect(live.link.value.kind).toBe("live");
  });

  it("says that it is lost when polls fail too, and ends what is refused", async () => {
    const overview = listener("overview");
    const gone = listener("batch");
    bench.answer = (topic) => {
      if (topic === "overview") throw new TypeError("down");
      throw new ProblemError({ type: "", title: "No such batch", status: 404, code: "batch_not_found" });
    };
    live.subscribe(overview);
    live.subscribe(gone);
    bench.socket.close();
    await bench.pass(400);
    bench.socket.close();
    await bench.pass(10);
    expect(live.link.value.kind).toBe("lost");
    expect(gone.seen.problems).toEqual(["batch_not_found"]);
    const before = bench.polls.filter((t) => t === "batch").length;
    await bench.pass(POLL_MS * 2);
    expect(bench.polls.filter((t) => t === "batch")).toHaveLength(before);
  });

  it("gives up a connection that is silent", async () => {
    bench.socket.onopen?.();
    await bench.pass(60_000);
    expect(bench.sockets.length).toBeGreaterThan(1);
    expect(bench.sockets[0]?.sent).toContainEqual({ type: "ping" });
  });

  it("ends a subscription that the server refuses, and does not ask for it again", async () => {
    const task = listener("task");
    const subscription = live.subscribe(task);
    bench.socket.onopen?.();
    bench.socket.say({ type: "error", id: subscription.id(), problem: { code: "task_not_found" } });
    expect(task.seen.problems).toEqual(["task_not_found"]);
    bench.socket.close();
    await bench.pass(400);
    bench.socket.onopen?.();
    expect(bench.socket.sent).toEqual([]);
    subscription.again();
    expect(bench.socket.sent.map((f) => f.topic)).toEqual(["task"]);
  });
});

describe("what wakes up", () => {
  it("leaves a connection that was silent meanwhile, and keeps one that was not", () => {
    const bench = new Bench();
    const live = new Live(bench);
    live.start();
    bench.socket.onopen?.();
    bench.clock += 5_000;
    live.check();
    expect(bench.sockets).toHaveLength(1);
    bench.clock += 60_000;
    live.check();
    expect(bench.sockets).toHaveLength(2);
  });

  it("asks again for what failed in the server", async () => {
    const bench = new Bench();
    const live = new Live(bench);
    live.start();
    const seen = listener("overview");
    const subscription = live.subscribe(seen);
    bench.socket.onopen?.();
    bench.socket.say({ type: "error", id: subscription.id(), problem: { status: 503, code: "store_unavailable" } });
    expect(seen.seen).toMatchObject({ problems: [], stale: 1 });
    await bench.pass(3_000);
    expect(bench.socket.sent.filter((f) => f.type === "subscribe")).toHaveLength(2);
  });
});

describe("backoff", () => {
  it("grows to its cap, and half of it is chance", () => {
    expect([1, 2, 3, 4].map((n) => backoffMs(n, 1))).toEqual([500, 1000, 2000, 4000]);
    expect(backoffMs(1, 0)).toBe(250);
    expect(backoffMs(50, 1)).toBe(15_000);
  });
});
