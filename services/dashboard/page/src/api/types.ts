/**
 * The shapes on the wire. Those of the gateway are generated from its OpenAPI document; the rest belong to the
 * dashboard alone.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Agent = Schemas["Agent"] & AgentExtras;
export type AskedCall = Schemas["AskedCall"];
export type AwaitedCall = Schemas["AwaitedCall"];
export type Batch = Schemas["Batch"];
export type BatchResult = Schemas["BatchResult"];
export type FieldError = Schemas["FieldError"];
export type Message = Schemas["Message"];
export type Task = Schemas["Task"];
export type TaskResult = Schemas["TaskResult"];
export type TaskStatus = Schemas["TaskStatus"];
export type TaskTree = Schemas["TaskTree"];
export type TreeNode = Schemas["TreeNode"];
export type Usage = Schemas["Usage"];
export type Worker = Schemas["Worker"];
export type SubmitTask = Schemas["SubmitTask"];
export type SteerMode = Schemas["SteerMode"];
export type AnswerResponse = Schemas["AnswerResponse"];
export type Limits = Schemas["Limits"];

/** A problem document. What the page makes itself (no answer, not JSON) has a code that no server gives. */
export type Problem = Omit<Schemas["Problem"], "code"> & { code: string };

/** An event. Its data is an object, by event type. */
export type TaskEvent = Omit<Schemas["Event"], "data"> & { data: Record<string, unknown> };

export interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}

export interface EventPage {
  data: TaskEvent[];
  last_seq: number;
  has_more: boolean;
}

/** What only the dashboard tells of an agent. Absent: not known. */
export interface AgentExtras {
  paused?: boolean;
  /** Of a single agent: as its file has it, without what must not be shown. */
  definition?: { limits?: Record<string, unknown> } | null;
}

export interface Config {
  name: string;
  version: string;
  docs_url: string | null;
}

export type Window = "hour" | "day" | "week";
export type Counts = Record<TaskStatus, number>;

export interface Percentiles {
  count: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

export interface Totals {
  enqueued: number;
  completed: number;
  failed: number;
  cancelled: number;
  retried: number;
  recovered: number;
}

export interface ModelUse {
  model: string;
  input_tokens: number;
  output_tokens: number;
  /** Null: no price is configured. */
  cost_usd_micros: number | null;
}

export interface Activity {
  bucket_seconds: number;
  /** Seconds since the epoch. */
  starts: number[];
  enqueued: number[];
  completed: number[];
  failed: number[];
  cancelled: number[];
  retried: number[];
  input_tokens: number[];
  output_tokens: number[];
}

export interface AgentActivity {
  name: string;
  workers: number;
  slots: number;
  running: number;
  paused: boolean;
  counts: Counts;
  totals: Totals;
  success_rate: number | null;
  queue_wait: Percentiles;
  run_time: Percentiles;
  models: ModelUse[];
  oldest_queued_at: string | null;
}

export interface Overview {
  at: string;
  window: Window;
  workers: number;
  workers_draining: number;
  slots: number;
  running: number;
  agents_served: number;
  counts: Counts;
  oldest_queued_at: string | null;
  totals: Totals;
  success_rate: number | null;
  completed_per_minute: number;
  queue_wait: Percentiles;
  run_time: Percentiles;
  models: ModelUse[];
  activity: Activity;
  agents: AgentActivity[];
}

export interface Chore {
  name: string;
  last_success_at: string | null;
  took_ms: number | null;
  done: number;
  stalled: boolean;
}

export interface System {
  at: string;
  namespace: string;
  schema: string;
  redis: {
    version: string;
    mode: string;
    latency_ms: number;
    used_memory_bytes: number;
    max_memory_bytes: number | null;
    clients: number;
    commands_per_second: number;
    append_only: boolean;
    uptime_seconds: number;
    fragmentation: number | null;
  };
  partitions: { number: number; counts: Counts }[];
  chores: Chore[];
}

/** What tasks are asked for. */
export interface TaskFilter {
  status?: TaskStatus;
  agent?: string;
  owner_id?: string;
  batch_id?: string;
  q?: string;
  created_after?: string;
  created_before?: string;
}

export interface BulkRequest {
  action: "cancel" | "retry";
  filter: TaskFilter | null;
  ids: string[] | null;
  reason?: string;
  cursor?: string;
}

export interface BulkResponse {
  done: number;
  refused: number;
  next_cursor?: string | null;
}

/** Text of a reply as it streams, whole so far. */
export interface Reply {
  turn: number;
  attempt: number;
  text: string;
}

/** One message of the topic `task`: the task as it is, and what is new since the last one. */
export interface TaskFrame {
  task: Task;
  events?: TaskEvent[];
  messages?: Message[];
  reply?: Reply | null;
  tool_calls?: AwaitedCall[];
  tree?: TaskTree;
}

export interface BatchFrame {
  batch: Batch;
}
