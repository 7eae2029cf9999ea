/**
 * REST calls of the dashboard's API. Called by pages for actions and further pages, and by the live layer while there
 * is no socket. Every failure is a `ProblemError`.
 */
import { hearServerTime } from "../lib/clock";
import { decidedBy } from "../lib/remembered";
import type {
  Agent,
  AnswerResponse,
  AskedCall,
  AwaitedCall,
  Batch,
  BatchResult,
  BulkRequest,
  BulkResponse,
  Config,
  EventPage,
  Message,
  Overview,
  Page,
  Problem,
  SteerMode,
  SubmitTask,
  System,
  Task,
  TaskResult,
  TaskTree,
  Worker,
} from "./types";

export const BASE = "/observability";
const API = `${BASE}/api`;

export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** Lists go with commas between their items. */
export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

function made(status: number, code: string, title: string, detail: string): ProblemError {
  return new ProblemError({ type: "about:blank", title, status, code, detail });
}

/** Any thrown thing as a problem, for display. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: "about:blank", title: "Something went wrong in this page", status: 0, code: "page_error", detail };
}

export function queryString(query: Query): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parts.set(key, String(value));
  }
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text().catch(() => "");
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "title" in body) return new ProblemError(body as Problem);
  } catch {
    // Not JSON: a proxy in between has answered.
  }
  const detail = text.startsWith("<") || text === "" ? "The answer was no problem document." : text.slice(0, 300);
  return made(response.status, "unreadable", `HTTP ${response.status} ${response.statusText}`.trim(), detail);
}

/** To the login, and from there back to this view. */
function logIn(): void {
  const next = location.pathname + location.search;
  location.assign(`${BASE}/login?next=${encodeURIComponent(next)}`);
}

export async function logOut(): Promise<void> {
  await send("DELETE", "/session");
  location.assign(`${BASE}/login`);
}

async function send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response> {
  const all: Record<string, string> = { accept: "application/json", ...headers };
  const init: RequestInit = { method, headers: all, credentials: "same-origin" };
  if (method !== "GET") {
    all["content-type"] = "application/json";
    all["X-Factorial-Dashboard"] = "1";
    init.body = JSON.stringify(body ?? {});
  }
  let response: Response;
  try {
    response = await fetch(API + path, init);
  } catch {
    throw made(0, "unreachable", "The dashboard cannot be reached", "Check the network, then try again.");
  }
  const date = response.headers.get("date");
  if (date) hearServerTime(date);
  if (response.status === 401) logIn();
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function get<T>(path: string, query: Query = {}): Promise<T> {
  const response = await send("GET", path + queryString(query));
  return (await response.json()) as T;
}

async function post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
  const response = await send("POST", path, body, headers);
  const text = await response.text();
  return (text === "" ? {} : JSON.parse(text)) as T;
}

const id = encodeURIComponent;
const call = (task: string, callId: string, verb: string): string =>
  `/tasks/${id(task)}/tool-calls/${id(callId)}/${verb}`;

export const api = {
  config: () => get<Config>("/config"),
  overview: (query: Query) => get<Overview>("/overview", query),
  system: () => get<System>("/system"),

  tasks: (query: Query) => get<Page<Task>>("/tasks", query),
  task: (task: string) => get<Task>(`/tasks/${id(task)}`),
  result: (task: string) => get<TaskResult>(`/tasks/${id(task)}/result`),
  messages: (task: string, query: Query) => get<Page<Message>>(`/tasks/${id(task)}/messages`, query),
  events: (task: string, query: Query) => get<EventPage>(`/tasks/${id(task)}/events`, query),
  tree: (task: string, query: Query = {}) => get<TaskTree>(`/tasks/${id(task)}/tree`, query),
  toolCalls: (task: string, query: Query) => get<Page<AwaitedCall>>(`/tasks/${id(task)}/tool-calls`, query),

  submit: (body: SubmitTask, key: string) => post<Task>("/tasks", body, { "Idempotency-Key": key }),
  cancel: (task: string, reason?: string) => post<Task>(`/tasks/${id(task)}/cancel`, reason ? { reason } : {}),
  retry: (task: string) => post<Task>(`/tasks/${id(task)}/retry`),
  steer: (task: string, text: string, mode: SteerMode, clientId: string) =>
    post<{ accepted: number; pending: number }>(`/tasks/${id(task)}/steer`, {
      messages: [{ role: "user", content: text }],
      mode,
      client_id: clientId,
    }),
  bulk: (body: BulkRequest) => post<BulkResponse>("/tasks/bulk", body),

  approve: (task: string, callId: string, args?: Record<string, unknown>) =>
    post<AnswerResponse>(call(task, callId, "approve"), { by: decidedBy(), ...(args ? { arguments: args } : {}) }),
  deny: (task: string, callId: string, reason?: string) =>
    post<AnswerResponse>(call(task, callId, "deny"), { by: decidedBy(), ...(reason ? { reason } : {}) }),
  answer: (task: string, callId: string, result: unknown) =>
    post<AnswerResponse>(call(task, callId, "result"), { by: decidedBy(), result }),
  fail: (task: string, callId: string, message: string) =>
    post<AnswerResponse>(call(task, callId, "error"), { by: decidedBy(), message }),

  approvals: (query: Query) => get<Page<AskedCall>>("/approvals", query),
  askedCalls: (query: Query) => get<Page<AskedCall>>("/tool-calls", query),

  batches: (query: Query) => get<Page<Batch>>("/batches", query),
  batch: (batch: string) => get<Batch>(`/batches/${id(batch)}`),
  cancelBatch: (batch: string, reason?: string) =>
    post<Batch>(`/batches/${id(batch)}/cancel`, reason ? { reason } : {}),
  /** One JSON document a line. */
  batchResults: async (batch: string, query: Query): Promise<BatchResult[]> => {
    const response = await send("GET", `/batches/${id(batch)}/results${queryString(query)}`);
    const text = await response.text();
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as BatchResult);
  },

  agents: (query: Query) => get<Page<Agent>>("/agents", query),
  agent: (name: string) => get<Agent>(`/agents/${id(name)}`),
  pause: (name: string) => post<Agent>(`/agents/${id(name)}/pause`),
  resume: (name: string) => post<Agent>(`/agents/${id(name)}/resume`),
  workers: (query: Query) => get<Page<Worker>>("/workers", query),
};
