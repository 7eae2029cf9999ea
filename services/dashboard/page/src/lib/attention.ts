/** What stands out in an overview, worst first: what somebody who is woken at night has to see. */
import type { Overview } from "../api/types";
import { age, ms, percent, plural } from "./format";

export interface Notice {
  key: string;
  tone: "bad" | "warn" | "wait" | "info";
  text: string;
  path: string;
  query?: Record<string, string>;
}

const OLD_MS = 60_000;
const BAD_SUCCESS = 0.9;
const WINDOW_NAME = { hour: "the last hour", day: "the last 24 hours", week: "the last 7 days" } as const;

export function attention(overview: Overview, approvals: number, now: number): Notice[] {
  const out: Notice[] = [];
  const { counts, totals } = overview;
  if (overview.workers === 0)
    out.push({ key: "workers", tone: "bad", text: "No worker takes tasks", path: "/workers" });
  for (const agent of overview.agents) {
    if (agent.counts.queued === 0) continue;
    const link = { path: `/agents/${encodeURIComponent(agent.name)}` };
    const queued = `${plural(agent.counts.queued, "task")} queued`;
    if (agent.paused)
      out.push({ key: `paused:${agent.name}`, tone: "warn", text: `${agent.name} is paused: ${queued}`, ...link });
    else if (agent.workers === 0 && overview.workers > 0)
      out.push({ key: `away:${agent.name}`, tone: "bad", text: `No worker serves ${agent.name}: ${queued}`, ...link });
  }
  if (totals.failed > 0) {
    const bad = (overview.success_rate ?? 1) < BAD_SUCCESS;
    const text = `${plural(totals.failed, "task")} failed in ${WINDOW_NAME[overview.window]} (${percent(overview.success_rate)} succeed)`;
    out.push({ key: "failed", tone: bad ? "bad" : "warn", text, path: "/tasks", query: { status: "failed" } });
  }
  if (totals.recovered > 0) {
    out.push({
      key: "recovered",
      tone: "warn",
      text: `${plural(totals.recovered, "run")} recovered from lost workers`,
      path: "/workers",
    });
  }
  if (approvals > 0)
    out.push({
      key: "approvals",
      tone: "wait",
      text: `${plural(approvals, "call")} ${approvals === 1 ? "waits" : "wait"} for approval`,
      path: "/approvals",
    });
  const oldest = ms(overview.oldest_queued_at);
  if (oldest !== null && now - oldest > OLD_MS) {
    out.push({
      key: "oldest",
      tone: "warn",
      text: `The oldest queued task waits for ${age(now - oldest)}`,
      path: "/tasks",
      query: { status: "queued" },
    });
  }
  if (overview.slots > 0 && overview.running >= overview.slots && counts.queued > 0) {
    out.push({ key: "full", tone: "info", text: `All ${overview.slots} slots are busy`, path: "/workers" });
  }
  if (overview.workers_draining > 0) {
    out.push({
      key: "draining",
      tone: "info",
      text: `${plural(overview.workers_draining, "worker")} ${overview.workers_draining === 1 ? "drains" : "drain"}`,
      path: "/workers",
    });
  }
  const rank = { bad: 0, warn: 1, wait: 2, info: 3 };
  return out.sort((a, b) => rank[a.tone] - rank[b.tone]);
}
