/**
 * The waterfall of a task, from its events alone: turns with their model calls, tools, waits and children; waits in the
 * queue and in backoff; and the moments that matter. Pure: the same events give the same rows, and more events only
 * add to them or close them.
 */
import type { TaskEvent } from "../api/types";
import { at, CHUNK, number, type TokensOf, text, tokens } from "./events";

export type SpanKind =
  "scheduled" | "queue" | "turn" | "model" | "tool" | "approval" | "deferred" | "child" | "parked" | "backoff" | "mark";

/** `cut`: what it was part of ended before it did. */
export type SpanState = "open" | "ok" | "failed" | "cut" | "interrupted" | "denied" | "expired";

export interface Span {
  key: string;
  kind: SpanKind;
  label: string;
  detail?: string;
  /** Milliseconds since the epoch. */
  start: number;
  /** Null: it goes on. Of a mark the same as `start`. */
  end: number | null;
  state: SpanState;
  depth: 0 | 1;
  turn: number;
  attempt: number;
  seq: number;
  tokens?: TokensOf;
  cost?: number;
  /** Until the first token, in milliseconds. */
  firstToken?: number;
  callId?: string;
  taskId?: string;
}

export interface Waterfall {
  /** In display order: each turn is followed by what belongs to it. */
  rows: Span[];
  start: number;
  /** When the task ended; null while it has not. */
  end: number | null;
}

interface Turn {
  span: Span;
  children: Span[];
}

/** Spans that hold no worker and spend nothing. */
export const WAITS: ReadonlySet<SpanKind> = new Set([
  "scheduled",
  "queue",
  "approval",
  "deferred",
  "child",
  "parked",
  "backoff",
]);

const TERMINAL: Record<string, { label: string; state: SpanState }> = {
  run_completed: { label: "Completed", state: "ok" },
  run_failed: { label: "Failed", state: "failed" },
  run_cancelled: { label: "Cancelled", state: "cut" },
};

export function buildWaterfall(events: readonly TaskEvent[]): Waterfall {
  const builder = new Builder();
  for (const event of events) builder.add(event);
  return builder.finish();
}

class Builder {
  private readonly top: Span[] = [];
  private readonly turns: Turn[] = [];
  private readonly children = new Map<Span, Span[]>();
  private start = Number.NaN;
  private end: number | null = null;
  private waiting: Span | null = null;
  private parked: Span | null = null;
  private model: Span | null = null;

  add(event: TaskEvent): void {
    const now = at(event);
    if (Number.isNaN(this.start)) this.start = now;
    switch (event.event_type) {
      case "task_enqueued":
        this.wait(event, text(event, "status") === "scheduled" ? "scheduled" : "queue", now);
        break;
      case "run_started":
      case "run_resumed":
        this.claimed(event, now);
        break;
      case "progress_update_run_turn_started":
        this.turnStarted(event, now);
        break;
      case CHUNK:
        if (!this.model) this.model = this.child(event, "model", "Model", now);
        break;
      case "progress_update_completion_completed":
        this.replied(event, now);
        break;
      case "progress_update_completion_interrupted":
        this.close(this.model, now, "interrupted");
        this.model = null;
        break;
      case "progress_update_tool_action_started":
        this.called(event, "tool", text(event, "tool") ?? "tool", now);
        break;
      case "progress_update_tool_action_completed":
        this.answered(event, ["tool"], now, "ok");
        break;
      case "progress_update_tool_action_failed":
        this.answered(event, ["tool"], now, "failed", text(event, "error_kind"));
        break;
      case "approval_requested":
        this.called(event, "approval", text(event, "tool") ?? "approval", now, "approval");
        break;
      case "approval_granted":
        this.answered(event, ["approval"], now, "ok", by(event, "approved"));
        break;
      case "approval_denied":
        this.answered(event, ["approval"], now, "denied", by(event, "denied"));
        break;
      case "tool_call_deferred":
        this.called(
          event,
          "deferred",
          text(event, "tool") ?? "call",
          now,
          `asks ${text(event, "asks") ?? "the caller"}`,
        );
        break;
      case "tool_call_answered":
        this.answered(
          event,
          ["deferred"],
          now,
          text(event, "outcome") === "error" ? "failed" : "ok",
          by(event, "answered"),
        );
        break;
      case "wait_expired":
        this.expired(event, now);
        break;
      case "child_spawned":
        this.spawned(event, now);
        break;
      case "child_ended":
        this.childEnded(event, now);
        break;
      case "run_parked":
        this.close(this.model, now, "cut");
        this.model = null;
        this.parked = this.child(event, "parked", "Parked", now, "holds no worker slot");
        break;
      case "run_unparked":
        this.close(this.parked, now, "ok");
        this.parked = null;
        this.wait(event, "queue", now);
        break;
      case "progress_update_run_turn_completed":
        this.turnCompleted(event, now);
        break;
      case "run_steering_applied":
        this.mark(event, "Steered", "ok");
        break;
      case "run_steering_failed":
        this.mark(event, "Steering not applied", "failed", `${number(event, "pending") ?? 0} pending`);
        break;
      case "task_retried":
        this.retried(event, now);
        break;
      case "task_recovered":
        this.cut(now);
        this.mark(event, "Recovered", "failed", `worker ${text(event, "worker") ?? ""} lost its lease`);
        this.wait(event, "queue", now);
        break;
      case "run_handed_back":
        this.cut(now);
        this.mark(event, "Handed back", "ok", "its worker shut down");
        this.wait(event, "queue", now);
        break;
      case "run_limit_reached":
        this.mark(event, "Limit reached", "failed", text(event, "message"));
        break;
      default:
        if (TERMINAL[event.event_type]) this.ended(event, now);
    }
  }

  finish(): Waterfall {
    const rows: Span[] = [];
    for (const span of [...this.top].sort(byStart)) {
      rows.push(span, ...[...(this.children.get(span) ?? [])].sort(byStart));
    }
    return { rows, start: Number.isNaN(this.start) ? 0 : this.start, end: this.end };
  }

  private span(event: TaskEvent, kind: SpanKind, label: string, start: number, detail?: string): Span {
    return {
      key: `${event.seq}:${kind}`,
      kind,
      label,
      ...(detail ? { detail } : {}),
      start,
      end: null,
      state: "open",
      depth: 0,
      turn: event.turn,
      attempt: event.attempt,
      seq: event.seq,
    };
  }

  private atTop(span: Span): Span {
    this.top.push(span);
    return span;
  }

  private child(event: TaskEvent, kind: SpanKind, label: string, start: number, detail?: string): Span {
    const span = this.span(event, kind, label, start, detail);
    const turn = this.turnOf(event.turn);
    if (!turn) return this.atTop(span);
    span.depth = 1;
    turn.children.push(span);
    return span;
  }

  /** The latest row of a turn: a turn that is begun again has one for each time. */
  private turnOf(turn: number): Turn | undefined {
    return this.turns.findLast((candidate) => candidate.span.turn === turn) ?? this.turns.at(-1);
  }

  private close(span: Span | null, end: number, state: SpanState): void {
    if (!span || span.end !== null) return;
    span.end = Math.max(span.start, end);
    span.state = state;
  }

  private mark(event: TaskEvent, label: string, state: SpanState, detail?: string): void {
    const span = this.atTop(this.span(event, "mark", label, at(event), detail));
    span.end = span.start;
    span.state = state;
  }

  private wait(event: TaskEvent, kind: "scheduled" | "queue" | "backoff", start: number, detail?: string): void {
    this.close(this.waiting, start, "ok");
    const label = kind === "queue" ? "Queued" : kind === "backoff" ? "Backoff" : "Scheduled";
    this.waiting = this.atTop(this.span(event, kind, label, start, detail));
  }

  private claimed(event: TaskEvent, now: number): void {
    const waited = number(event, "queue_wait_ms");
    const worker = text(event, "worker");
    // A scheduled task, or one in backoff, became queued without an event of its own.
    if (this.waiting && this.waiting.kind !== "queue" && waited !== undefined && waited > 0) {
      const due = Math.max(this.waiting.start, now - waited);
      this.close(this.waiting, due, "ok");
      this.waiting = this.atTop(this.span(event, "queue", "Queued", due));
    }
    if (this.waiting && worker) this.waiting.detail = `then claimed by ${worker}`;
    this.close(this.waiting, now, "ok");
    this.waiting = null;
    this.close(this.parked, now, "ok");
    this.parked = null;
  }

  private turnStarted(event: TaskEvent, now: number): void {
    const open = this.turns.findLast((turn) => turn.span.end === null);
    if (open) this.cutTurn(open, now);
    const again = this.turns.some((turn) => turn.span.turn === event.turn);
    const span = this.atTop(this.span(event, "turn", `Turn ${event.turn}`, now, again ? "begun again" : undefined));
    const turn = { span, children: [] };
    this.turns.push(turn);
    this.children.set(span, turn.children);
    this.model = this.child(event, "model", "Model", now);
  }

  private replied(event: TaskEvent, now: number): void {
    const took = number(event, "duration_ms");
    const span = this.model ?? this.child(event, "model", "Model", took === undefined ? now : now - took);
    if (took !== undefined) span.start = Math.max(span.start, now - took);
    span.label = text(event, "model") ?? "Model";
    const reason = text(event, "finish_reason");
    if (reason) span.detail = reason.replaceAll("_", " ");
    const used = tokens(event);
    if (used) span.tokens = used;
    const cost = number(event, "cost_usd_micros");
    if (cost !== undefined) span.cost = cost;
    const first = number(event, "time_to_first_token_ms");
    if (first !== undefined) span.firstToken = first;
    this.close(span, now, "ok");
    this.model = null;
  }

  private called(
    event: TaskEvent,
    kind: "tool" | "approval" | "deferred",
    label: string,
    now: number,
    detail?: string,
  ): void {
    const callId = text(event, "call_id");
    // Begun again by another attempt: the one before will not end.
    if (callId) this.close(this.openCall([kind], callId), now, "cut");
    const span = this.child(event, kind, label, now, detail);
    if (callId) span.callId = callId;
  }

  private openCall(kinds: readonly SpanKind[], callId: string | undefined): Span | null {
    if (callId === undefined) return null;
    const match = (span: Span): boolean => span.end === null && span.callId === callId && kinds.includes(span.kind);
    for (let i = this.turns.length - 1; i >= 0; i -= 1) {
      const found = this.turns[i]?.children.findLast(match);
      if (found) return found;
    }
    return this.top.findLast(match) ?? null;
  }

  private answered(event: TaskEvent, kinds: readonly SpanKind[], now: number, state: SpanState, detail?: string): void {
    const callId = text(event, "call_id");
    let span = this.openCall(kinds, callId);
    if (!span) {
      // Its start is not in the log: a call that was answered without having been made here.
      const took = number(event, "duration_ms") ?? 0;
      span = this.child(event, kinds[0] ?? "tool", text(event, "tool") ?? callId ?? "call", now - took);
      if (callId) span.callId = callId;
    }
    if (detail) span.detail = detail;
    this.close(span, now, state);
  }

  private expired(event: TaskEvent, now: number): void {
    const wait = text(event, "wait") ?? "";
    const span =
      this.openCall(["approval", "deferred"], text(event, "call_id")) ??
      this.anyOpen(
        (s) =>
          (s.callId !== undefined && wait.includes(s.callId)) || (s.taskId !== undefined && wait.includes(s.taskId)),
      );
    if (span) this.close(span, now, "expired");
    else this.mark(event, "Wait expired", "failed", wait);
  }

  private anyOpen(match: (span: Span) => boolean): Span | null {
    for (let i = this.turns.length - 1; i >= 0; i -= 1) {
      const found = this.turns[i]?.children.findLast((span) => span.end === null && match(span));
      if (found) return found;
    }
    return null;
  }

  private spawned(event: TaskEvent, now: number): void {
    const taskId = text(event, "task_id");
    const span = this.child(event, "child", text(event, "agent") ?? "child", now);
    if (taskId) span.taskId = taskId;
  }

  private childEnded(event: TaskEvent, now: number): void {
    const taskId = text(event, "task_id");
    const span = this.anyOpen((s) => s.kind === "child" && s.taskId === taskId);
    const status = text(event, "status");
    if (span && status && status !== "completed") span.detail = status;
    this.close(span, now, status === "failed" ? "failed" : status === "cancelled" ? "cut" : "ok");
  }

  private turnCompleted(event: TaskEvent, now: number): void {
    const turn = this.turnOf(event.turn);
    if (turn) this.close(turn.span, now, "ok");
    this.close(this.model, now, "cut");
    this.model = null;
  }

  private retried(event: TaskEvent, now: number): void {
    this.cut(now);
    const kind = text(event, "kind");
    if (kind === undefined) {
      // An operator runs an ended task again.
      this.end = null;
      this.mark(event, "Retried", "ok", by(event, `after ${text(event, "after") ?? "the end"}`));
      this.wait(event, "queue", now);
      return;
    }
    const status = number(event, "status");
    this.wait(event, "backoff", now, `after ${kind}${status === undefined ? "" : ` (${status})`}`);
  }

  private ended(event: TaskEvent, now: number): void {
    const how = TERMINAL[event.event_type];
    if (!how) return;
    this.cut(now);
    this.end = now;
    const detail = text(event, "kind") ?? text(event, "reason");
    this.mark(event, how.label, how.state, detail);
  }

  /** The attempt is over, with all that was open in it. Waits for others go on unless the task has ended. */
  private cut(now: number): void {
    this.close(this.waiting, now, "cut");
    this.waiting = null;
    this.close(this.parked, now, "cut");
    this.parked = null;
    this.model = null;
    for (const turn of this.turns) {
      if (turn.span.end === null) this.cutTurn(turn, now);
      else for (const span of turn.children) if (span.kind !== "child") this.close(span, now, "cut");
    }
  }

  private cutTurn(turn: Turn, now: number): void {
    for (const span of turn.children) this.close(span, now, "cut");
    this.close(turn.span, now, "cut");
  }
}

function by(event: TaskEvent, what: string): string {
  const who = text(event, "by");
  return who ? `${what} by ${who}` : what;
}

function byStart(a: Span, b: Span): number {
  return a.start - b.start || a.seq - b.seq;
}
