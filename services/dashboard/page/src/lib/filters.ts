/** The filters of the tasks page: between the URL, which keeps ages, and the API, which wants instants. */
import type { TaskFilter } from "../api/types";
import { isStatus } from "./status";

export const FILTER_KEYS = ["status", "agent", "owner", "batch", "q", "age", "after", "before"] as const;

export const AGES = [
  { value: "", label: "Any age" },
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "-1h", label: "Older than an hour" },
  { value: "-24h", label: "Older than a day" },
] as const;

const UNIT: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m` is since then; `-1h` is before then. Null: no such age. */
export function ageLimit(age: string, now: number): { after?: string; before?: string } | null {
  const found = /^(-?)(\d{1,4})([mhd])$/.exec(age);
  if (!found) return null;
  const at = new Date(now - Number(found[2]) * (UNIT[found[3] ?? "m"] ?? 0)).toISOString();
  return found[1] === "-" ? { before: at } : { after: at };
}

export function filterOf(query: Record<string, string>, now: number): TaskFilter {
  const filter: TaskFilter = {};
  const { status, agent, owner, batch, q, age, after, before } = query;
  if (isStatus(status)) filter.status = status;
  if (agent) filter.agent = agent;
  if (owner) filter.owner_id = owner;
  if (batch) filter.batch_id = batch;
  if (q) filter.q = q;
  const limit = age ? ageLimit(age, now) : null;
  const from = limit?.after ?? instant(after);
  const until = limit?.before ?? instant(before);
  if (from) filter.created_after = from;
  if (until) filter.created_before = until;
  return filter;
}

function instant(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : new Date(parsed).toISOString();
}

export function hasFilter(query: Record<string, string>): boolean {
  return FILTER_KEYS.some((key) => (query[key] ?? "") !== "");
}
