/** The data of each topic by REST, for when there is no socket: the same shapes, so that views know no difference. */
import { api, type Query } from "./client";
import type { Params } from "./live";
import type { Message, TaskEvent, TaskFrame } from "./types";

/** Answers of one poll are bounded; the rest comes with the next ones. */
const MOST_PAGES = 5;

export async function poll(topic: string, params: Params): Promise<unknown> {
  const query = params as Query;
  switch (topic) {
    case "overview":
      return api.overview(query);
    case "tasks":
      return api.tasks(query);
    case "task":
      return pollTask(params);
    case "approvals":
      return api.approvals(query);
    case "tool_calls":
      return api.askedCalls(query);
    case "batches":
      return api.batches(query);
    case "batch":
      return { batch: await api.batch(String(params["batch_id"])) };
    case "workers":
      return api.workers(query);
    case "agents":
      return api.agents(query);
    case "system":
      return api.system();
    default:
      throw new Error(`no such topic: ${topic}`);
  }
}

async function pollTask(params: Params): Promise<TaskFrame> {
  const id = String(params["task_id"]);
  const task = await api.task(id);
  const afterSeq = Number(params["after_seq"] ?? 0);
  const events = await eventsAfter(id, afterSeq);
  const first = afterSeq === 0;
  const [messages, calls, tree] = await Promise.all([
    events.length > 0 || first ? messagesAfter(id, Number(params["after_message"] ?? -1)) : Promise.resolve([]),
    api.toolCalls(id, { status: "open", limit: 200 }),
    first || events.some((event) => event.event_type.startsWith("child_")) ? api.tree(id) : Promise.resolve(undefined),
  ]);
  return { task, events, messages, tool_calls: calls.data, reply: null, ...(tree ? { tree } : {}) };
}

async function eventsAfter(id: string, seq: number): Promise<TaskEvent[]> {
  const out: TaskEvent[] = [];
  for (let i = 0; i < MOST_PAGES; i += 1) {
    const page = await api.events(id, { starting_after: out.at(-1)?.seq ?? seq, limit: 1000 });
    out.push(...page.data);
    if (!page.has_more || page.data.length === 0) break;
  }
  return out;
}

/** Where the last page of a conversation began: what is new can only be there or after it. */
const cursors = new Map<string, string>();

async function messagesAfter(id: string, index: number): Promise<Message[]> {
  const out: Message[] = [];
  let cursor = index < 0 ? undefined : cursors.get(id);
  for (let i = 0; i < MOST_PAGES; i += 1) {
    const page = await api.messages(id, { cursor, limit: 200 });
    out.push(...page.data.filter((message) => message.index > index));
    if (!page.next_cursor) break;
    cursor = page.next_cursor;
    cursors.set(id, cursor);
  }
  return out;
}
