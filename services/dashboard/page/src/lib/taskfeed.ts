/**
 * What is known of one task, put together from the frames of the topic `task`. A frame carries the whole of what is
 * small and only the new part of the logs; frames may overlap after a reconnect, and a hole is noticed.
 */
import type { AwaitedCall, Message, Reply, Task, TaskEvent, TaskFrame, TaskTree } from "../api/types";
import { CHUNK, text } from "./events";
import { isTerminal } from "./status";

export interface TaskFeed {
  task: Task;
  events: readonly TaskEvent[];
  messages: readonly Message[];
  reply: Reply | null;
  toolCalls: readonly AwaitedCall[];
  tree: TaskTree | null;
  /** The next frame has to begin after `lastSeq`: what came last left a hole, and was not taken. */
  gap: boolean;
  /** Events that the server no longer has: `seq` before the first one after each hole. */
  lost: readonly number[];
}

export function lastSeq(feed: TaskFeed | null): number {
  return feed?.events.at(-1)?.seq ?? 0;
}

/** -1: none. */
export function lastMessage(feed: TaskFeed | null): number {
  return feed?.messages.at(-1)?.index ?? -1;
}

export function mergeFrame(feed: TaskFeed | null, frame: TaskFrame): TaskFeed {
  const before = feed ?? {
    task: frame.task,
    events: [],
    messages: [],
    reply: null,
    toolCalls: [],
    tree: null,
    gap: false,
    lost: [],
  };
  const seq = lastSeq(feed);
  const newEvents = (frame.events ?? []).filter((event) => event.seq > seq).sort((a, b) => a.seq - b.seq);
  const holeAt = newEvents.findIndex((event, i) => event.seq !== (newEvents[i - 1]?.seq ?? seq) + 1);
  // A hole is asked for once more; if it is there still, the server does not have it.
  const accept = holeAt < 0 || before.gap;
  const taken = accept ? newEvents : newEvents.slice(0, holeAt);
  const hole = accept && holeAt >= 0 ? [(newEvents[holeAt]?.seq ?? 1) - 1] : [];

  const index = lastMessage(feed);
  const newMessages = (frame.messages ?? [])
    .filter((message) => message.index > index)
    .sort((a, b) => a.index - b.index);
  const messages = newMessages.length > 0 ? [...before.messages, ...newMessages] : before.messages;

  const events = taken.length > 0 ? [...before.events, ...taken] : before.events;
  return {
    task: frame.task,
    events,
    messages,
    reply: replyNow(frame, before.reply, newMessages, events),
    toolCalls: frame.tool_calls ?? before.toolCalls,
    tree: frame.tree ?? before.tree,
    gap: !accept,
    lost: hole.length > 0 ? [...before.lost, ...hole] : before.lost,
  };
}

/**
 * The text that streams, unless it is a message already: as the frame tells it, or else as the log does of tasks that
 * keep it there.
 */
function replyNow(
  frame: TaskFrame,
  before: Reply | null,
  fresh: readonly Message[],
  events: readonly TaskEvent[],
): Reply | null {
  if (isTerminal(frame.task.status)) return null;
  const told = frame.reply === undefined ? before : frame.reply;
  const reply = told ?? replyOf(events);
  if (reply === null) return null;
  const committed = fresh.some((message) => message.role === "assistant" && message.turn >= reply.turn);
  return committed ? null : reply;
}

/** A log says these of a reply that is not, or not any more, under way. */
const REPLY_ENDS =
  /^(progress_update_completion_(completed|interrupted)|progress_update_run_turn_started|task_retried|task_recovered|run_\w+ed)$/;
const STEERING = /^run_steering_/;

/** Text at the end of a log: of the last turn, by its last attempt. */
export function replyOf(events: readonly TaskEvent[]): Reply | null {
  const parts: string[] = [];
  let last: TaskEvent | null = null;
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const event = events[i];
    if (!event) break;
    if (event.event_type === CHUNK) {
      last ??= event;
      if (event.turn !== last.turn || event.attempt !== last.attempt) break;
      parts.push(text(event, "text") ?? "");
    } else if (REPLY_ENDS.test(event.event_type) && !STEERING.test(event.event_type)) break;
  }
  return last ? { turn: last.turn, attempt: last.attempt, text: parts.reverse().join("") } : null;
}

/** How an action is known to have taken effect: by the event that it causes. */
export interface Expectation {
  id: string;
  /** What is under way, for example `Cancelling`. */
  doing: string;
  /** What is so once the event has come, for example `Cancelled`. */
  done: string;
  /** Events up to here were there before. */
  since: number;
  types: readonly string[];
  callId?: string;
}

export function confirmedBy(expectation: Expectation, events: readonly TaskEvent[]): TaskEvent | null {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const event = events[i];
    if (!event || event.seq <= expectation.since) return null;
    if (!expectation.types.includes(event.event_type)) continue;
    if (expectation.callId !== undefined && event.data["call_id"] !== expectation.callId) continue;
    return event;
  }
  return null;
}
