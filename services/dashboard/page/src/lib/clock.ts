/** The time, as a signal that views read: one timer for the page, slower while nobody looks. */
import { signal } from "@preact/signals";

/** Changes once a second. */
export const now = signal(Date.now());

let skew = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** The server says what time it has; clocks that differ by less than the way of an answer are the same. */
export function hearServerTime(at: string): void {
  const offset = Date.parse(at) - Date.now();
  if (Number.isNaN(offset)) return;
  skew = Math.abs(offset) < 2_000 ? 0 : offset;
}

export function serverNow(): number {
  return Date.now() + skew;
}

export function startClock(): void {
  if (timer !== null) return;
  timer = setInterval(() => {
    if (document.visibilityState === "visible") now.value = serverNow();
  }, 1_000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") now.value = serverNow();
  });
}
