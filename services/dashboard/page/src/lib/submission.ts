/** The form of a new task: from its texts to what is sent, with what can be told to be wrong before sending. */
import type { CallerTool, Limits, SubmitTask } from "../api/types";
import { type ContextField, type Texts, toContext } from "./contextform";

export interface Form {
  agent: string;
  owner: string;
  query: string;
  messages: { role: "system" | "user" | "assistant"; content: string }[];
  /** JSON. */
  context: string;
  /** What was typed into the fields of the agent's schema, and whether JSON is written instead. */
  contextTexts: Texts;
  contextAsJson: boolean;
  priority: string;
  start: "now" | "delay" | "at";
  delay: string;
  at: string;
  maxTurns: string;
  maxTokens: string;
  maxToolCalls: string;
  deadline: string;
  metadata: { key: string; value: string }[];
  stream: boolean;
  previous: string;
  /** JSON. */
  tools: string;
  webhookUrl: string;
  webhookSecret: string;
}

export const EMPTY: Form = {
  agent: "",
  owner: "",
  query: "",
  messages: [],
  context: "",
  contextTexts: {},
  contextAsJson: false,
  priority: "",
  start: "now",
  delay: "",
  at: "",
  maxTurns: "",
  maxTokens: "",
  maxToolCalls: "",
  deadline: "",
  metadata: [],
  stream: true,
  previous: "",
  tools: "",
  webhookUrl: "",
  webhookSecret: "",
};

/** By JSON pointer, as the server names fields. */
export type Errors = Record<string, string>;

/** `fields`: those of the agent's schema, if it has any. */
export function toBody(form: Form, fields: ContextField[] | null = null): { body: SubmitTask; errors: Errors } {
  const errors: Errors = {};
  const body: SubmitTask = { agent: form.agent, owner_id: form.owner.trim(), stream: form.stream };
  if (form.agent === "") errors["/agent"] = "choose an agent";
  if (form.owner.trim() === "") errors["/owner_id"] = "whose task it is has to be said";
  if (form.query.trim() !== "") body.query = form.query;
  const messages = form.messages.filter((message) => message.content.trim() !== "");
  if (messages.length > 0) body.messages = messages;
  if (body.query === undefined && messages.at(-1)?.role !== "user")
    errors["/query"] = "ask something, here or in a last message of the user";
  const context =
    fields && !form.contextAsJson
      ? toContext(fields, form.contextTexts, errors)
      : json(form.context, "/context", errors);
  if (context !== undefined) body.context = context;
  const priority = amount(form.priority, "/priority", errors);
  if (priority !== undefined) body.priority = priority;
  if (form.start === "delay") {
    const delay = amount(form.delay, "/delay_seconds", errors);
    if (delay === undefined) errors["/delay_seconds"] ??= "after how many seconds?";
    else body.delay_seconds = delay;
  }
  if (form.start === "at") {
    const at = Date.parse(form.at);
    if (Number.isNaN(at)) errors["/run_at"] = "when?";
    else body.run_at = new Date(at).toISOString();
  }
  const limits: Limits = {};
  for (const [text, key] of [
    [form.maxTurns, "max_turns"],
    [form.maxTokens, "max_total_tokens"],
    [form.maxToolCalls, "max_tool_calls"],
    [form.deadline, "deadline_seconds"],
  ] as const) {
    const value = amount(text, `/limits/${key}`, errors);
    if (value !== undefined) limits[key] = value;
  }
  if (Object.keys(limits).length > 0) body.limits = limits;
  const metadata = form.metadata.filter(({ key }) => key.trim() !== "");
  if (metadata.length > 0) body.metadata = Object.fromEntries(metadata.map(({ key, value }) => [key.trim(), value]));
  if (form.previous.trim() !== "") body.previous_task_id = form.previous.trim();
  const tools = json(form.tools, "/tools", errors);
  if (Array.isArray(tools)) body.tools = tools as CallerTool[];
  else if (tools !== undefined) errors["/tools"] = "must be a list of tools";
  const [url, secret] = [form.webhookUrl.trim(), form.webhookSecret.trim()];
  if (url !== "") body.webhook = { url, ...(secret === "" ? {} : { secret }) };
  else if (secret !== "") errors["/webhook/url"] = "where to?";
  return { body, errors };
}

function json(text: string, field: string, errors: Errors): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    errors[field] = `not JSON: ${error instanceof Error ? error.message : ""}`;
    return undefined;
  }
}

function amount(text: string, field: string, errors: Errors): number | undefined {
  if (text.trim() === "") return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) {
    errors[field] = "must be a number that is not negative";
    return undefined;
  }
  return value;
}

/** What is wrong with a field of the form; of what is inside of it the place is said too. */
export function errorAt(errors: Errors, pointer: string): string | undefined {
  for (const [field, message] of Object.entries(errors)) {
    const path = field.startsWith("/") ? field : `/${field.replaceAll(".", "/")}`;
    if (path === pointer) return message;
    if (path.startsWith(`${pointer}/`)) return `${path.slice(pointer.length + 1).replaceAll("/", " → ")}: ${message}`;
  }
  return undefined;
}
