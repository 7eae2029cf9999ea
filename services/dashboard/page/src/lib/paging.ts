/**
 * Filling a page. The server looks at a bounded number of tasks for each answer, so a filtered page can be short, or
 * empty, and still go on.
 */
import type { Page } from "../api/types";

export interface FillOptions<T> {
  limit: number;
  cursor?: string | null;
  /** Items that are there already. */
  have?: readonly T[];
  /** Gives up after so many answers and says where to go on. */
  maxRequests?: number;
  signal?: AbortSignal;
  onProgress?: (found: number, requests: number) => void;
}

export interface Filled<T> {
  data: T[];
  next_cursor: string | null;
  requests: number;
  /** The page is not full, and the list has not ended: `maxRequests` were made, or it was stopped. */
  partial: boolean;
}

export async function fillPage<T extends { id: string }>(
  load: (query: { cursor?: string; limit: number }) => Promise<Page<T>>,
  options: FillOptions<T>,
): Promise<Filled<T>> {
  const data: T[] = [...(options.have ?? [])];
  const seen = new Set(data.map((item) => item.id));
  const most = options.maxRequests ?? 40;
  let cursor = options.cursor ?? null;
  let requests = 0;
  for (;;) {
    if (options.signal?.aborted) break;
    const page = await load({ ...(cursor ? { cursor } : {}), limit: Math.max(1, options.limit - data.length) });
    requests += 1;
    for (const item of page.data) {
      if (seen.has(item.id)) continue;
      seen.add(item.id);
      data.push(item);
    }
    cursor = page.next_cursor ?? null;
    options.onProgress?.(data.length, requests);
    if (cursor === null || data.length >= options.limit) return { data, next_cursor: cursor, requests, partial: false };
    if (requests >= most) break;
  }
  return { data, next_cursor: cursor, requests, partial: cursor !== null && data.length < options.limit };
}

/**
 * Rows that a person looks at or points to do not jump: while `hold`, the rows shown stay those shown, in their order,
 * with what is new about them; the others are counted.
 */
export function heldRows<T extends { id: string }>(
  shown: readonly T[],
  fresh: readonly T[],
  hold: boolean,
): { rows: T[]; waiting: number } {
  if (!hold || shown.length === 0) return { rows: [...fresh], waiting: 0 };
  const byId = new Map(fresh.map((item) => [item.id, item]));
  const known = new Set(shown.map((item) => item.id));
  return {
    rows: shown.map((item) => byId.get(item.id) ?? item),
    waiting: fresh.reduce((n, item) => (known.has(item.id) ? n : n + 1), 0),
  };
}
