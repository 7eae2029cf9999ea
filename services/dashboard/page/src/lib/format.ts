/** Numbers, durations, sizes and times as people read them. Pure; times are given, never read. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds as `840 ms`, `4.2 s`, `3m 05s`, `2h 14m`, `3d 4h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  const t = Math.max(0, ms);
  if (t < 1) return "0 ms";
  if (t < 999.5) return `${Math.round(t)} ms`;
  if (t < 9_950) return `${(t / 1000).toFixed(1)} s`;
  if (t < MINUTE - 500) return `${Math.round(t / 1000)} s`;
  const s = Math.round(t / 1000);
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  const m = Math.floor(s / 60);
  if (t < DAY) return `${Math.floor(m / 60)}h ${String(m % 60).padStart(2, "0")}m`;
  const h = Math.floor(m / 60);
  return `${Math.floor(h / 24)}d ${h % 24}h`;
}

/** A place on a time axis: with the digits that tell it from the next one, `step` milliseconds away. */
export function offset(ms: number, step: number): string {
  if (step >= 1000 || ms < 10_000 || ms >= 3_600_000) return duration(ms);
  const digits = step >= 100 ? 1 : step >= 10 ? 2 : 3;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(digits)} s`;
  const rest = (seconds % 60).toFixed(digits).padStart(digits + 3, "0");
  return `${Math.floor(seconds / 60)}m ${rest}s`;
}

/** An age in one unit: `now`, `12s`, `5m`, `3h`, `2d`. */
export function age(ms: number): string {
  if (ms < 1000) return "now";
  if (ms < MINUTE) return `${Math.floor(ms / 1000)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** `3m ago`, `in 12s`, `now`. Small negative ages are clock differences, and now. */
export function relative(at: number, now: number): string {
  const passed = now - at;
  if (Math.abs(passed) < 1000) return "now";
  return passed > 0 ? `${age(passed)} ago` : `in ${age(-passed)}`;
}

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** All digits, grouped. */
export function whole(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : GROUPED.format(n);
}

/** `950`, `12.3k`, `4.56M`, `1.2B`: three digits that count. */
export function short(n: number | null | undefined): string {
  if (n === null || n === undefined || Number.isNaN(n)) return "–";
  const size = Math.abs(n);
  if (size < 1000) return Number.isInteger(n) ? String(n) : n.toFixed(size < 10 ? 1 : 0);
  for (const [unit, letter] of [
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "B"],
    [1e12, "T"],
  ] as const) {
    const scaled = n / unit;
    const digits = Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0;
    // What would be rounded up to 1000 belongs to the next unit.
    if (Math.abs(Number(scaled.toFixed(digits))) < 1000 || letter === "T") {
      return `${trimmed(scaled.toFixed(digits))}${letter}`;
    }
  }
  return String(n);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** 0 to 1 as a percentage that never rounds up to 100 % nor down to 0 %. */
export function percent(fraction: number | null | undefined, digits = 1): string {
  if (fraction === null || fraction === undefined || Number.isNaN(fraction)) return "–";
  if (fraction >= 1) return "100%";
  if (fraction <= 0) return "0%";
  const step = 10 ** -digits;
  const shown = Math.min(100 - step, Math.max(step, fraction * 100));
  return `${trimmed(shown.toFixed(digits))}%`;
}

/** Millionths of a US dollar. */
export function cost(micros: number | null | undefined): string {
  if (micros === null || micros === undefined) return "–";
  const dollars = micros / 1e6;
  if (dollars === 0) return "$0";
  if (dollars < 0.0001) return "<$0.0001";
  if (dollars < 0.1) return `$${dollars.toFixed(4)}`;
  if (dollars < 1000) return `$${dollars.toFixed(2)}`;
  return `$${GROUPED.format(dollars)}`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The time of day, with seconds, in the reader's zone. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

/** Date and time in the reader's zone, and in UTC for the title. */
export function moment(ms: number): { local: string; utc: string } {
  const date = new Date(ms);
  const local = date.toLocaleString([], {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
  return { local, utc: date.toISOString() };
}

/** `2 tasks`, `1 task`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${whole(n)} ${n === 1 ? one : many}`;
}

/** An id short enough for a row, with its end, which is what differs. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, id.indexOf("-") + 1)}…${id.slice(-8)}`;
}

export function ms(at: string | null | undefined): number | null {
  if (!at) return null;
  const parsed = Date.parse(at);
  return Number.isNaN(parsed) ? null : parsed;
}
