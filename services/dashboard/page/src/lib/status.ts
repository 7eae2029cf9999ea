/** What is to be known of the states of a task: names, order, groups. */
import type { Counts, TaskStatus } from "../api/types";

export const STATUSES: readonly TaskStatus[] = [
  "processing",
  "queued",
  "scheduled",
  "backoff",
  "pending_tool_results",
  "pending_child_tasks",
  "completed",
  "failed",
  "cancelled",
];

export const STATUS_LABEL: Record<TaskStatus, string> = {
  scheduled: "Scheduled",
  queued: "Queued",
  processing: "Processing",
  backoff: "Backoff",
  pending_tool_results: "Waits for results",
  pending_child_tasks: "Waits for children",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function isStatus(text: string | null | undefined): text is TaskStatus {
  return text !== null && text !== undefined && (STATUSES as readonly string[]).includes(text);
}

export function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

export function noCounts(): Counts {
  return Object.fromEntries(STATUSES.map((status) => [status, 0])) as Counts;
}

export function waiting(counts: Counts): number {
  return counts.pending_tool_results + counts.pending_child_tasks;
}

export function open(counts: Counts): number {
  return STATUSES.filter((status) => !isTerminal(status)).reduce((sum, status) => sum + (counts[status] ?? 0), 0);
}

/** What a person can do about a failure of this kind. */
export const FAILURE_HINT: Record<string, string> = {
  authentication: "The provider refused the key. Check the key of the workers that serve this agent, then retry.",
  not_found: "The provider does not know this model or endpoint. Correct the agent's model, then retry.",
  bad_request:
    "The provider rejected the request. A retry sends the same request again; the agent or its input has to change.",
  context_overflow:
    "The conversation is longer than the model takes. Use a model with a larger context, or start anew with less.",
  refused: "The model or its filter refused. A retry rarely helps; ask differently.",
  rate_limited: "The provider limits the rate. It was retried with backoff; retry later, or with fewer slots.",
  overloaded: "The provider is overloaded. Retry when it has recovered, or add a fallback model.",
  server_error: "The provider failed. Retry when it has recovered, or add a fallback model.",
  timeout: "The provider, or the turn, took too long. Retry, or raise the turn's timeout.",
  network: "The provider could not be reached from the worker. Check its network, then retry.",
  stream_interrupted: "The reply stopped before its end. Retry.",
  invalid_reply: "The reply was not understood, or was empty twice. Retry, or use another model.",
  truncated_reply: "The output limit cut a reply that must be whole. Raise max_tokens of the agent.",
  output_invalid:
    "The output did not match the schema, also after the repair turn. Loosen the schema, or use another model.",
  limit_exceeded: "A limit of the run ended it. Submit it again with wider limits.",
  conversation_too_large: "The conversation reached its maximum size. Start a new one.",
  corrupt_conversation: "What is stored cannot be read. Submit it again.",
  journal_unavailable: "The store refused or did not take a commit. Check Redis under System, then retry.",
  tools_unavailable:
    "An MCP server of the agent could not be reached from the worker. Look at the worker's log and at the server, then retry.",
  poison: "Its workers died again and again while they ran it. Look at the workers' logs and memory before you retry.",
};
