/**
 * How long to wait before the socket is tried again: exponential with a cap, half of it jitter, so that a thousand
 * pages do not come back in one moment after a restart, and the first try is soon.
 */
export interface BackoffOptions {
  baseMs: number;
  capMs: number;
}

export const SOCKET_BACKOFF: BackoffOptions = { baseMs: 500, capMs: 15_000 };

/** `failures` counts from 1; `random` is in [0, 1). */
export function backoffMs(failures: number, random: number, options: BackoffOptions = SOCKET_BACKOFF): number {
  const exponent = Math.min(Math.max(failures - 1, 0), 20);
  const whole = Math.min(options.capMs, options.baseMs * 2 ** exponent);
  return Math.round(whole / 2 + (whole / 2) * random);
}
