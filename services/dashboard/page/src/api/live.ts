/**
 * The one connection of the page: a WebSocket that feeds every view, put back by itself when it is lost, and replaced
 * by polling where it cannot be had. Used through `store.ts`. Invariant: while a subscription lives it is asked for on
 * every new socket, with the parameters that it has then, so that nothing is missed and nothing is asked for twice.
 */
import { signal } from "@preact/signals";
import { backoffMs } from "../lib/backoff";
import { asProblem } from "./client";
import type { Problem } from "./types";

export type Link =
  | { kind: "connecting" }
  | { kind: "live" }
  /** No socket, but the API answers. */
  | { kind: "polling"; retryAt: number }
  /** Neither. */
  | { kind: "lost"; retryAt: number; since: number; reason: string };

export type Params = Record<string, unknown>;

export interface Listener {
  topic: string;
  /** Asked at each (re)subscription: a log is gone on with from its last entry. */
  params: () => Params;
  data: (data: unknown) => void;
  problem: (problem: Problem) => void;
  /** The connection is lost: what is shown is as of now. */
  stale: () => void;
}

/** What of a WebSocket is used. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LiveEnvironment {
  open(): SocketLike;
  poll(topic: string, params: Params): Promise<unknown>;
  now(): number;
  random(): number;
  later(ms: number, run: () => void): unknown;
  cancel(timer: unknown): void;
}

export const POLL_MS = 2_000;
/** A subscription that failed in the server is asked for again after so long. */
const REFUSED_MS = 2_500;
const PING_MS = 15_000;
/** Nothing heard for so long: the connection is gone, whatever the browser thinks. */
const SILENCE_MS = 35_000;
const OPEN_TIMEOUT_MS = 8_000;
/** So many sockets in a row could not be had before polling begins. */
const FAILURES_BEFORE_POLLING = 2;

interface Subscription extends Listener {
  id: number;
  over: boolean;
  polling: boolean;
  timer: unknown;
}

export class Live {
  readonly link = signal<Link>({ kind: "connecting" });
  private readonly subscriptions = new Map<number, Subscription>();
  private readonly env: LiveEnvironment;
  private socket: SocketLike | null = null;
  private ready = false;
  private failures = 0;
  private nextId = 1;
  private retry: unknown = null;
  private pinger: unknown = null;
  private poller: unknown = null;
  private heardAt = 0;
  private lostSince = 0;
  private reason = "";
  private lostReason = "";

  constructor(env: LiveEnvironment) {
    this.env = env;
  }

  start(): void {
    this.connect();
  }

  subscribe(listener: Listener): { id: () => number; again: () => void; stop: () => void } {
    const subscription: Subscription = { ...listener, id: this.nextId++, over: false, polling: false, timer: null };
    this.subscriptions.set(subscription.id, subscription);
    this.begin(subscription);
    const drop = (): void => {
      this.subscriptions.delete(subscription.id);
      if (subscription.timer !== null) this.env.cancel(subscription.timer);
      const known = this.ready && !subscription.over;
      if (known) this.send({ type: "unsubscribe", id: subscription.id });
    };
    return {
      id: () => subscription.id,
      again: () => {
        drop();
        subscription.id = this.nextId++;
        subscription.over = false;
        this.subscriptions.set(subscription.id, subscription);
        this.begin(subscription);
      },
      stop: () => {
        drop();
        subscription.over = true;
      },
    };
  }

  /** Tries at once. */
  retryNow(): void {
    if (this.link.value.kind === "live" || this.socket) return;
    if (this.retry !== null) this.env.cancel(this.retry);
    this.retry = null;
    this.connect();
  }

  /** After a sleep: a connection that was silent meanwhile is not waited for. */
  check(): void {
    const socket = this.socket;
    if (this.ready && this.env.now() - this.heardAt > PING_MS + 5_000) {
      this.lost("nothing was heard for a while");
      socket?.close();
    }
    this.retryNow();
  }

  private begin(subscription: Subscription): void {
    if (this.ready) this.ask(subscription);
    else if (this.poller !== null) void this.pollOne(subscription);
  }

  private ask(subscription: Subscription): void {
    const { id, topic } = subscription;
    this.send({ type: "subscribe", id, topic, params: subscription.params() });
  }

  private send(frame: unknown): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private connect(): void {
    let socket: SocketLike;
    try {
      socket = this.env.open();
    } catch {
      this.lost("the browser refused to open a socket");
      return;
    }
    this.socket = socket;
    const timeout = this.env.later(OPEN_TIMEOUT_MS, () => socket.close());
    let closed = false;
    socket.onopen = () => {
      this.env.cancel(timeout);
      this.opened();
    };
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = () => {
      if (closed) return;
      closed = true;
      this.env.cancel(timeout);
      if (this.socket === socket) this.lost(this.reason || (this.ready ? "the connection broke" : "no connection"));
    };
  }

  private opened(): void {
    this.ready = true;
    this.failures = 0;
    this.lostSince = 0;
    this.reason = "";
    this.heardAt = this.env.now();
    this.stopPolling();
    this.link.value = { kind: "live" };
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.over) this.ask(subscription);
    }
    this.ping();
  }

  private ping(): void {
    this.pinger = this.env.later(PING_MS, () => {
      if (this.env.now() - this.heardAt > SILENCE_MS) {
        const socket = this.socket;
        this.lost("nothing was heard for a while");
        socket?.close();
        return;
      }
      this.send({ type: "ping" });
      this.ping();
    });
  }

  private received(text: string): void {
    this.heardAt = this.env.now();
    let frame: { type?: string; id?: number; data?: unknown; problem?: Problem; reason?: string };
    try {
      frame = JSON.parse(text) as typeof frame;
    } catch {
      return;
    }
    if (frame.type === "bye") {
      this.reason = frame.reason ?? "";
      return;
    }
    const subscription = this.subscriptions.get(frame.id ?? -1);
    if (!subscription) return;
    if (frame.type === "data") subscription.data(frame.data);
    if (frame.type === "error" && frame.problem) this.refused(subscription, frame.problem);
  }

  private refused(subscription: Subscription, problem: Problem): void {
    if (problem.status >= 500) {
      // The server has ended it, but not for good.
      subscription.stale();
      const { id } = subscription;
      subscription.timer = this.env.later(REFUSED_MS, () => {
        if (this.ready && this.subscriptions.has(id) && !subscription.over) this.ask(subscription);
      });
      return;
    }
    subscription.over = true;
    subscription.problem(problem);
  }

  private lost(reason: string): void {
    const was = this.ready;
    this.ready = false;
    this.socket = null;
    if (this.pinger !== null) this.env.cancel(this.pinger);
    this.pinger = null;
    this.failures += 1;
    if (this.lostSince === 0) {
      this.lostSince = this.env.now();
      this.lostReason = reason;
    }
    if (was) for (const subscription of this.subscriptions.values()) subscription.stale();
    const wait = backoffMs(this.failures, this.env.random());
    const retryAt = this.env.now() + wait;
    this.retry = this.env.later(wait, () => {
      this.retry = null;
      this.connect();
    });
    // Several answers in a row are needed to call it polling, so the kind is kept until a poll says otherwise.
    this.link.value =
      this.link.value.kind === "polling"
        ? { kind: "polling", retryAt }
        : { kind: "lost", retryAt, since: this.lostSince, reason: this.lostReason };
    this.reason = "";
    if (this.failures >= FAILURES_BEFORE_POLLING) this.startPolling();
  }

  private startPolling(): void {
    if (this.poller !== null) return;
    const round = async (): Promise<void> => {
      await Promise.all([...this.subscriptions.values()].map((subscription) => this.pollOne(subscription)));
      if (this.poller !== null) this.poller = this.env.later(POLL_MS, () => void round());
    };
    this.poller = this.env.later(0, () => void round());
  }

  private stopPolling(): void {
    if (this.poller !== null) this.env.cancel(this.poller);
    this.poller = null;
  }

  private async pollOne(subscription: Subscription): Promise<void> {
    if (subscription.over || subscription.polling) return;
    subscription.polling = true;
    const id = subscription.id;
    try {
      const data = await this.env.poll(subscription.topic, subscription.params());
      if (this.ready || !this.subscriptions.has(id)) return;
      subscription.data(data);
      const link = this.link.value;
      if (link.kind === "lost") this.link.value = { kind: "polling", retryAt: link.retryAt };
    } catch (error) {
      this.pollFailed(subscription, id, asProblem(error));
    } finally {
      subscription.polling = false;
    }
  }

  private pollFailed(subscription: Subscription, id: number, problem: Problem): void {
    if (this.ready || !this.subscriptions.has(id)) return;
    // What the server refuses for good is over; the rest is the network or a server that is away.
    if (problem.status >= 400 && problem.status < 500) {
      subscription.over = true;
      subscription.problem(problem);
      return;
    }
    subscription.stale();
    const link = this.link.value;
    if (link.kind === "polling") {
      this.link.value = { kind: "lost", retryAt: link.retryAt, since: this.lostSince, reason: problem.title };
    }
  }
}
