/** The filters of the tasks page: between the URL, which keeps ages, and the API, which wants instants. */
import type { TaskFilter, TaskStatus } from "../api/types";
import { isStatus, STATUSES } from "./status";

export const FILTER_KEYS = [
  ...["status", "agent", "owner", "batch", "worker", "q"],
  ...["age", "after", "before"],
  ...["ended", "endedafter", "endedbefore"],
] as const;

export const AGES = [
  { value: "15m", label: "last 15 min" },
  { value: "1h", label: "last hour" },
  { value: "24h", label: "last 24 hours" },
  { value: "7d", label: "last 7 days" },
  { value: "-1h", label: "over 1 hour ago" },
  { value: "-24h", label: "over 1 day ago" },
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
  const { agent, owner, batch, worker, q } = query;
  const statuses = statusesOf(query["status"]);
  if (statuses.length > 0) filter.status = statuses;
  if (agent) filter.agent = agent;
  if (owner) filter.owner_id = owner;
  if (batch) filter.batch_id = batch;
  if (worker) filter.worker_id = worker;
  if (q) filter.q = q;
  const made = period(query["age"], query["after"], query["before"], now);
  if (made.after) filter.created_after = made.after;
  if (made.before) filter.created_before = made.before;
  const ended = period(query["ended"], query["endedafter"], query["endedbefore"], now);
  if (ended.after) filter.finished_after = ended.after;
  if (ended.before) filter.finished_before = ended.before;
  return filter;
}

type Text = string | undefined;

function period(age: Text, after: Text, before: Text, now: number): { after?: Text; before?: Text } {
  return (age && ageLimit(age, now)) || { after: instant(after), before: instant(before) };
}

/** States with commas between them, in their usual order; what is none is left out. */
export function statusesOf(text: string | null | undefined): TaskStatus[] {
  const named = (text ?? "").split(",").filter(isStatus);
  return STATUSES.filter((status) => named.includes(status));
}

/** With a state in it, or without it if it was; null when none is left. */
export function toggled(text: string | null | undefined, status: TaskStatus): string | null {
  const before = statusesOf(text);
  const next = STATUSES.filter((s) => before.includes(s) !== (s === status));
  return next.length === 0 ? null : next.join(",");
}

function instant(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : new Date(parsed).toISOString();
}

export function hasFilter(query: Record<string, string>): boolean {
  return FILTER_KEYS.some((key) => (query[key] ?? "") !== "");
}
