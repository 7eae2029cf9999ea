/**
 * What views read: one shared source for each topic with its parameters. Two views of the same thing share one
 * subscription; a source that nobody reads any more is kept for a moment, so that going back shows it at once.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { hearServerTime } from "../lib/clock";
import { lastMessage, lastSeq, mergeFrame, type TaskFeed } from "../lib/taskfeed";
import { BASE } from "./client";
import { Live, type Params, type SocketLike } from "./live";
import { poll } from "./poll";
import type { Problem, TaskFrame } from "./types";

export interface State<T> {
  data: T | undefined;
  problem: Problem | undefined;
  /** The connection is lost since `data` came. */
  stale: boolean;
}

export const live = new Live({
  open: () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(`${scheme}//${location.host}${BASE}/ws`) as unknown as SocketLike;
  },
  poll,
  now: () => Date.now(),
  random: () => Math.random(),
  later: (ms, run) => setTimeout(run, ms),
  cancel: (timer) => clearTimeout(timer as number),
});

const LINGER_MS = 4_000;
const KEPT = 24;

interface Source {
  state: Signal<State<unknown>>;
  readers: number;
  again: () => void;
  stop: () => void;
  timer: ReturnType<typeof setTimeout> | null;
}

const sources = new Map<string, Source>();
/** The last data of sources that have ended, newest last. */
const kept = new Map<string, unknown>();

type Fold = (before: unknown, frame: unknown) => unknown;

function open(key: string, topic: string, params: (data: unknown) => Params, fold: Fold): Source {
  const before = kept.get(key);
  const state = signal<State<unknown>>({ data: before, problem: undefined, stale: before !== undefined });
  const subscription = live.subscribe({
    topic,
    params: () => params(state.value.data),
    data: (frame) => {
      const data = fold(state.value.data, frame);
      state.value = { data, problem: undefined, stale: false };
      if (hasGap(data)) subscription.again();
    },
    problem: (problem) => {
      state.value = { ...state.value, problem };
    },
    stale: () => {
      state.value = { ...state.value, stale: true };
    },
  });
  return { state, readers: 0, again: subscription.again, stop: subscription.stop, timer: null };
}

function hasGap(data: unknown): boolean {
  return typeof data === "object" && data !== null && (data as { gap?: boolean }).gap === true;
}

function acquire(key: string, make: () => Source): Source {
  let source = sources.get(key);
  if (!source) {
    source = make();
    sources.set(key, source);
  }
  source.readers += 1;
  if (source.timer !== null) clearTimeout(source.timer);
  source.timer = null;
  return source;
}

function release(key: string): void {
  const source = sources.get(key);
  if (!source) return;
  source.readers -= 1;
  if (source.readers > 0) return;
  source.timer = setTimeout(() => {
    source.stop();
    sources.delete(key);
    kept.delete(key);
    if (source.state.value.data !== undefined) kept.set(key, source.state.value.data);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
  }, LINGER_MS);
}

const latest: Fold = (_, frame) => {
  const at = (frame as { at?: unknown } | null)?.at;
  if (typeof at === "string") hearServerTime(at);
  return frame;
};

const NOTHING: State<never> = { data: undefined, problem: undefined, stale: false };

interface Reading<T> extends State<T> {
  /** `data` is of the parameters before; that of these is on its way. */
  previous: boolean;
  /** Asks again after a problem. */
  again: () => void;
}

function useSource<T>(key: string | null, make: () => Source, keep = false): Reading<T> {
  const mirror = useMemo(
    () => signal<State<unknown>>(key ? (sources.get(key)?.state.value ?? seed(key)) : NOTHING),
    [key],
  );
  useEffect(() => {
    if (key === null) return;
    const source = acquire(key, make);
    const stop = effect(() => {
      mirror.value = source.state.value;
    });
    return () => {
      stop();
      release(key);
    };
  }, [key]);
  const state = mirror.value as State<T>;
  const last = useRef<T | undefined>(undefined);
  if (state.data !== undefined) last.current = state.data;
  const previous = key !== null && keep && state.data === undefined && !state.problem && last.current !== undefined;
  return {
    ...state,
    ...(previous ? { data: last.current, stale: true } : {}),
    previous,
    again: () => {
      const source = key === null ? undefined : sources.get(key);
      if (!source) return;
      source.state.value = { ...source.state.value, problem: undefined };
      source.again();
    },
  };
}

function seed(key: string): State<unknown> {
  const data = kept.get(key);
  return { data, problem: undefined, stale: data !== undefined };
}

/**
 * The live state of a topic. `params` null: none is wanted. When they change, the data before stays, marked as old,
 * until there is other.
 */
export function useTopic<T>(topic: string, params: Params | null): Reading<T> {
  const key = params === null ? null : `${topic} ${JSON.stringify(params)}`;
  return useSource<T>(key, () => open(key ?? "", topic, () => params ?? {}, latest), true);
}

/** One task with its logs, gone on with from the last entry after every reconnect. */
export function useTask(id: string): Reading<TaskFeed> {
  const params = (data: unknown): Params => {
    const feed = (data ?? null) as TaskFeed | null;
    const after: Params = feed ? { after_seq: lastSeq(feed), after_message: lastMessage(feed) } : {};
    return { task_id: id, ...after };
  };
  return useSource<TaskFeed>(`task ${id}`, () =>
    open(`task ${id}`, "task", params, (before, frame) =>
      mergeFrame((before ?? null) as TaskFeed | null, frame as TaskFrame),
    ),
  );
}

export function startLive(): void {
  live.start();
  const wake = (): void => {
    if (document.visibilityState === "visible") live.check();
  };
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
}
