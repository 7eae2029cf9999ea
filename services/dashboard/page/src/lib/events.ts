/** Reading the data of events, which is JSON that a newer server may have widened. */
import type { TaskEvent } from "../api/types";

export function text(event: TaskEvent, key: string): string | undefined {
  const value = event.data[key];
  return typeof value === "string" ? value : undefined;
}

export function number(event: TaskEvent, key: string): number | undefined {
  const value = event.data[key];
  return typeof value === "number" ? value : undefined;
}

export function at(event: TaskEvent): number {
  return Date.parse(event.at);
}

export interface TokensOf {
  input: number;
  output: number;
  cached: number;
  reasoning: number;
}

export function tokens(event: TaskEvent): TokensOf | undefined {
  const nested = event.data["usage"];
  const usage = (typeof nested === "object" && nested !== null ? nested : event.data) as Record<string, unknown>;
  const read = (key: string): number => (typeof usage[key] === "number" ? usage[key] : 0);
  const found = {
    input: read("input_tokens"),
    output: read("output_tokens"),
    cached: read("cached_input_tokens"),
    reasoning: read("reasoning_tokens"),
  };
  return found.input + found.output > 0 ? found : undefined;
}

export const CHUNK = "progress_update_completion_chunk";

const SHORT: Record<string, string> = {
  progress_update_run_turn_started: "turn started",
  progress_update_run_turn_completed: "turn completed",
  progress_update_completion_chunk: "text",
  progress_update_completion_completed: "model replied",
  progress_update_completion_interrupted: "model call interrupted",
  progress_update_tool_action_started: "tool started",
  progress_update_tool_action_completed: "tool completed",
  progress_update_tool_action_failed: "tool failed",
  progress_update_tool_action_progress: "tool progress",
};

/** The event's name without what all have in common. */
export function eventLabel(type: string): string {
  return SHORT[type] ?? type.replace(/^progress_update_/, "").replaceAll("_", " ");
}

export type Tone = "neutral" | "good" | "bad" | "warn" | "info" | "wait";

export function eventTone(type: string): Tone {
  if (/failed|expired|limit_reached/.test(type)) return "bad";
  if (/recovered|retried|handed_back|interrupted|denied/.test(type)) return "warn";
  if (/cancelled/.test(type)) return "neutral";
  if (/completed|granted/.test(type)) return "good";
  if (/requested|deferred|parked|pending/.test(type)) return "wait";
  return "info";
}

/** One line about an event, for lists. */
export function eventSummary(event: TaskEvent): string {
  const parts: string[] = [];
  for (const key of [
    "tool",
    "agent",
    "model",
    "kind",
    "outcome",
    "mode",
    "worker",
    "reason",
    "by",
    "message",
    "text",
  ]) {
    const value = text(event, key);
    if (value) parts.push(value.length > 90 ? `${value.slice(0, 90)}…` : value);
  }
  return parts.join(" · ");
}
