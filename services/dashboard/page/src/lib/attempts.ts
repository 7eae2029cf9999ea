/** The attempts of a task, each one claim with how it ended and why, from its events. */
import type { TaskEvent } from "../api/types";
import { at, number, text } from "./events";

export interface Attempt {
  number: number;
  worker: string;
  queueWaitMs: number | null;
  start: number;
  end: number | null;
  /** `running`, `completed`, `failed`, `cancelled`, `parked`, `backoff`, `recovered`, `handed back`. */
  outcome: string;
  tone: "good" | "bad" | "warn" | "info" | "neutral" | "wait";
  cause?: string;
  turns: number[];
}

export function buildAttempts(events: readonly TaskEvent[]): Attempt[] {
  const attempts: Attempt[] = [];
  let open: Attempt | null = null;
  const close = (event: TaskEvent, outcome: string, tone: Attempt["tone"], cause?: string): void => {
    if (!open) return;
    open.end = at(event);
    open.outcome = outcome;
    open.tone = tone;
    if (cause) open.cause = cause;
    open = null;
  };
  for (const event of events) {
    switch (event.event_type) {
      case "run_started":
      case "run_resumed":
        open = {
          number: event.attempt || attempts.length + 1,
          worker: text(event, "worker") ?? "",
          queueWaitMs: number(event, "queue_wait_ms") ?? null,
          start: at(event),
          end: null,
          outcome: "running",
          tone: "info",
          turns: [],
        };
        attempts.push(open);
        break;
      case "progress_update_run_turn_started":
        open?.turns.push(event.turn);
        break;
      case "run_parked":
        close(event, "parked", "wait", awaiting(event));
        break;
      case "task_retried":
        if (text(event, "kind") !== undefined) close(event, "backoff", "warn", retryCause(event));
        break;
      case "task_recovered":
        close(event, "recovered", "bad", `the lease of worker ${text(event, "worker") ?? ""} expired`);
        break;
      case "run_handed_back":
        close(event, "handed back", "neutral", "its worker shut down; burns no retry");
        break;
      case "run_completed":
        close(event, "completed", "good");
        break;
      case "run_failed":
        close(event, "failed", "bad", [text(event, "kind"), text(event, "message")].filter(Boolean).join(": "));
        break;
      case "run_cancelled":
        close(event, "cancelled", "neutral", text(event, "reason"));
        break;
      default:
    }
  }
  return attempts;
}

function awaiting(event: TaskEvent): string | undefined {
  const n = number(event, "awaiting");
  return n === undefined ? undefined : `awaits ${n}`;
}

function retryCause(event: TaskEvent): string {
  const status = number(event, "status");
  const delay = number(event, "delay_seconds");
  const what = [text(event, "kind"), text(event, "message")].filter(Boolean).join(": ");
  const code = status === undefined ? "" : ` (${status})`;
  return `${what}${code}${delay === undefined ? "" : `; again after ${delay.toFixed(1)} s`}`;
}
