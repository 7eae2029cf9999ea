/**
 * From time to place. Agents wait for hours and then work for seconds; with `fold`, long stretches in which nothing
 * but waiting happens are drawn narrow, so that the work can be seen.
 */
import type { Span } from "./waterfall";
import { WAITS } from "./waterfall";

export interface Segment {
  from: number;
  to: number;
  /** 0 to 1. */
  x0: number;
  x1: number;
  folded: boolean;
}

export interface Scale {
  segments: Segment[];
  x(t: number): number;
  /** `step`: how far ticks of the stretch are from each other, in milliseconds. */
  ticks: { x: number; at: number; step: number }[];
}

interface Interval {
  from: number;
  to: number;
}

/** Overlapping intervals made one, in order. */
export function union(intervals: Interval[]): Interval[] {
  const sorted = intervals.filter((i) => i.to > i.from).sort((a, b) => a.from - b.from);
  const out: Interval[] = [];
  for (const next of sorted) {
    const last = out.at(-1);
    if (last && next.from <= last.to) last.to = Math.max(last.to, next.to);
    else out.push({ ...next });
  }
  return out;
}

export function total(intervals: Interval[]): number {
  return union(intervals).reduce((sum, i) => sum + i.to - i.from, 0);
}

function endOf(span: Span, now: number): number {
  return span.end ?? now;
}

/** Stretches of nothing but waiting that are long beside the work. */
export function longWaits(rows: readonly Span[], start: number, end: number, now: number): Interval[] {
  const busy = union(
    rows
      .filter((row) => row.kind === "model" || row.kind === "tool")
      .map((row) => ({ from: row.start, to: endOf(row, now) })),
  );
  const work = busy.reduce((sum, i) => sum + i.to - i.from, 0);
  const least = Math.max(5_000, work);
  const waits: Interval[] = [];
  let from = start;
  for (const part of [...busy, { from: end, to: end }]) {
    if (part.from - from > least) waits.push({ from, to: part.from });
    from = Math.max(from, part.to);
  }
  return waits;
}

export function makeScale(rows: readonly Span[], start: number, end: number, now: number, fold: boolean): Scale {
  const to = Math.max(end, start + 1);
  const waits = fold ? longWaits(rows, start, to, now) : [];
  const waited = waits.reduce((sum, w) => sum + w.to - w.from, 0);
  const work = Math.max(1, to - start - waited);
  const share = waits.length === 0 ? 0 : Math.min(0.6, waits.length * 0.12) / waits.length;
  const perMs = (1 - share * waits.length) / work;
  const segments: Segment[] = [];
  let x = 0;
  let from = start;
  const push = (until: number, folded: boolean): void => {
    const width = folded ? share : (until - from) * perMs;
    segments.push({ from, to: until, x0: x, x1: x + width, folded });
    x += width;
    from = until;
  };
  for (const wait of waits) {
    if (wait.from > from) push(wait.from, false);
    push(wait.to, true);
  }
  if (from < to || segments.length === 0) push(to, false);
  const scale = (t: number): number => place(segments, t);
  return { segments, x: scale, ticks: ticksOf(segments) };
}

function place(segments: readonly Segment[], t: number): number {
  const first = segments[0];
  const last = segments.at(-1);
  if (!first || !last) return 0;
  if (t <= first.from) return first.x0;
  if (t >= last.to) return last.x1;
  const segment = segments.find((s) => t <= s.to) ?? last;
  const length = segment.to - segment.from;
  return length === 0 ? segment.x0 : segment.x0 + ((t - segment.from) / length) * (segment.x1 - segment.x0);
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5,
  432e5, 864e5,
];

/** About one tick in each eighth of the width, on round offsets within each stretch. */
function ticksOf(segments: readonly Segment[]): Scale["ticks"] {
  const out: Scale["ticks"] = [];
  const origin = segments[0]?.from ?? 0;
  for (const s of segments) {
    if (s.folded || s.x1 - s.x0 < 0.02) continue;
    const wanted = ((s.to - s.from) / (s.x1 - s.x0)) * 0.125;
    const step = STEPS.find((candidate) => candidate >= wanted) ?? 864e5 * Math.ceil(wanted / 864e5);
    for (let t = origin + Math.ceil((s.from - origin) / step) * step; t <= s.to; t += step) {
      const x = place(segments, t);
      if (out.every((tick) => Math.abs(tick.x - x) > 0.06)) out.push({ x, at: t, step });
    }
  }
  return out;
}

export interface Share {
  kind: "model" | "tool" | "wait" | "queue" | "backoff";
  ms: number;
}

/** Where the time went. Parallel spans of one kind count once. */
export function shares(rows: readonly Span[], now: number): Share[] {
  const of = (kinds: readonly string[]): number =>
    total(rows.filter((row) => kinds.includes(row.kind)).map((row) => ({ from: row.start, to: endOf(row, now) })));
  return (
    [
      { kind: "model", ms: of(["model"]) },
      { kind: "tool", ms: of(["tool"]) },
      { kind: "wait", ms: of(["approval", "deferred", "child", "parked"]) },
      { kind: "queue", ms: of(["queue", "scheduled"]) },
      { kind: "backoff", ms: of(["backoff"]) },
    ] satisfies Share[]
  ).filter((share) => share.ms > 0);
}

export { WAITS };
