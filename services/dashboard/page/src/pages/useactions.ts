/**
 * The actions on a task. Each is under way from the click until the event that it causes is seen; the answer of the
 * call alone confirms nothing.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import type { SteerMode } from "../api/types";
import { confirmedBy, type Expectation, lastSeq, type TaskFeed } from "../lib/taskfeed";
import { toast } from "../ui/toast";

const LATE_MS = 8_000;

export interface Pending extends Expectation {
  late: boolean;
}

export interface Actions {
  pending: readonly Pending[];
  cancel(reason?: string): Promise<void>;
  retry(): Promise<void>;
  steer(text: string, mode: SteerMode): Promise<void>;
  approve(callId: string, args?: Record<string, unknown>): Promise<void>;
  deny(callId: string, reason?: string): Promise<void>;
  answer(callId: string, result: unknown): Promise<void>;
  fail(callId: string, message: string): Promise<void>;
  /** Under way for this call. */
  answering(callId: string): boolean;
}

export function useActions(feed: TaskFeed): Actions {
  const [pending, setPending] = useState<readonly Pending[]>([]);
  const latest = useRef(feed);
  latest.current = feed;
  const { id } = feed.task;

  useEffect(() => {
    const done = pending.filter((expected) => confirmedBy(expected, feed.events));
    if (done.length === 0) return;
    setPending((before) => before.filter((expected) => !done.includes(expected)));
    for (const expected of done) toast("good", expected.done);
  }, [feed.events, pending]);

  const act = async (expected: Omit<Expectation, "id" | "since">, call: () => Promise<unknown>): Promise<void> => {
    const entry: Pending = { ...expected, id: uuid(), since: lastSeq(latest.current), late: false };
    setPending((before) => [...before, entry]);
    try {
      await call();
    } catch (error) {
      setPending((before) => before.filter((p) => p.id !== entry.id));
      throw error;
    }
    setTimeout(
      () => setPending((before) => before.map((p) => (p.id === entry.id ? { ...p, late: true } : p))),
      LATE_MS,
    );
  };

  return {
    pending,
    cancel: (reason) =>
      act({ doing: "Cancelling", done: "The task is cancelled", types: ["run_cancelled"] }, () =>
        api.cancel(id, reason),
      ),
    retry: () =>
      act({ doing: "Retrying", done: "The task is queued again", types: ["task_retried"] }, () => api.retry(id)),
    steer: (text, mode) =>
      act(
        {
          doing: "Sending the message",
          done:
            mode === "interrupt"
              ? "The message was accepted and interrupts"
              : "The message was accepted for the next turn",
          types: ["run_steering_accepted"],
        },
        () => api.steer(id, text, mode, uuid()),
      ),
    approve: (callId, args) =>
      act({ doing: "Approving", done: "Approved", types: ["approval_granted"], callId }, () =>
        api.approve(id, callId, args),
      ),
    deny: (callId, reason) =>
      act({ doing: "Denying", done: "Denied", types: ["approval_denied"], callId }, () => api.deny(id, callId, reason)),
    answer: (callId, result) =>
      act({ doing: "Answering", done: "The call is answered", types: ["tool_call_answered"], callId }, () =>
        api.answer(id, callId, result),
      ),
    fail: (callId, message) =>
      act(
        { doing: "Answering", done: "The call is answered with an error", types: ["tool_call_answered"], callId },
        () => api.fail(id, callId, message),
      ),
    answering: (callId) => pending.some((p) => p.callId === callId),
  };
}

/** For actions that no dialog waits for: what is refused is said. */
export function report(action: Promise<unknown>): void {
  action.catch((error: unknown) => {
    const problem = asProblem(error);
    toast("bad", problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
  });
}

/** Pages without TLS have no `crypto.randomUUID`. */
export function uuid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
