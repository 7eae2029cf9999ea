/**
 * The shapes on the wire, generated from the OpenAPI document of the dashboard (`npm run generate`); the frames of its
 * socket, which are in no document, are written by hand.
 */
import type { components, operations } from "./schema";

type Schemas = components["schemas"];
/** What is listed, and has no name of its own in the document. */
type Item<Page extends keyof Schemas> = Schemas[Page] extends { data: (infer T)[] } ? T : never;

export type Activity = Schemas["Activity"];
export type Agent = Schemas["Agent"];
export type AgentActivity = Schemas["AgentActivity"];
export type AnswerResponse = Schemas["AnswerResponse"];
export type AskedCall = Item<"Page_AskedCall">;
export type AwaitedCall = Item<"Page_AwaitedCall">;
export type Batch = Schemas["Batch"];
export type BatchResult = Schemas["BatchResult"];
export type BulkRequest = Schemas["BulkRequest"];
export type BulkResponse = Schemas["BulkResponse"];
export type CallerTool = Schemas["CallerTool"];
export type FieldError = Schemas["FieldError"];
export type Limits = Schemas["Limits"];
export type Message = Schemas["Message"];
export type Overview = Schemas["Overview"];
export type Percentiles = Schemas["Percentiles"];
export type SteerMode = Schemas["SteerMode"];
export type SubmitTask = Schemas["SubmitTask"];
export type System = Schemas["System"];
export type Task = Schemas["Task"];
export type TaskResult = Schemas["TaskResult"];
export type TaskStatus = Schemas["TaskStatus"];
export type TaskTree = Schemas["TaskTree"];
export type TreeNode = Schemas["TreeNode"];
export type Usage = Schemas["Usage"];
export type Window = Schemas["Window"];
export type Worker = Item<"Page_Worker">;
export type Chore = Schemas["ChoreInfo"];
export type Config = Schemas["DashboardConfig"];
export type Counts = Schemas["StatusCounts"];
export type ModelUse = Schemas["WindowModelUse"];
export type Totals = Schemas["WindowTotals"];

/** What tasks are asked for: parameters of their list. */
export type TaskFilter = Omit<NonNullable<operations["list_tasks"]["parameters"]["query"]>, "limit" | "cursor">;

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
