// Fixture. The REST side: routes, refusals as problem documents, and what the actions do to the made-up installation.
import * as views from "./views.mjs";

export class Refusal extends Error {
  constructor(status, code, title, more = {}) {
    super(title);
    this.problem = { type: `/problems/${code}`, title, status, code, request_id: "fixture", ...more };
  }
}

const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const keys = new Map();

function find(w, id) {
  const rec = w.tasks.get(id);
  if (!rec) throw new Refusal(404, "task_not_found", "There is no such task");
  return rec;
}

function answer(w, rec, callId, verb, body) {
  const call =
    rec.calls.find((c) => c.call_id === callId && c.status === "open") ?? rec.calls.find((c) => c.call_id === callId);
  if (!call) throw new Refusal(404, "tool_call_not_found", "The task has made no such call");
  if (call.status !== "open") {
    if (["closed", "interrupted", "timeout"].includes(call.outcome))
      throw new Refusal(409, "tool_call_closed", "The call is not awaited any more");
    throw new Refusal(409, "tool_call_answered", "Another answer to this call came before");
  }
  rec.clock = w.now;
  const outcome = { approve: "approved", deny: "denied", result: "result", error: "error" }[verb];
  const by = body.by;
  Object.assign(call, { status: "answered", outcome, answered_at: w.iso(w.now) });
  if (verb === "approve" && body.arguments) call.arguments = body.arguments;
  if (verb === "deny") call.reason = body.reason;
  if (verb === "result") call.answer = body.result;
  if (verb === "error") call.error = body.message;
  const type = {
    approve: "approval_granted",
    deny: "approval_denied",
    result: "tool_call_answered",
    error: "tool_call_answered",
  }[verb];
  w.emit(rec, type, { call_id: callId, outcome, by });
  return { body: { task_id: rec.task.id, call_id: callId, outcome, replayed: false, task_status: rec.task.status } };
}

function submit(w, body, headers) {
  const key = headers["idempotency-key"];
  if (key && keys.has(key)) return { status: 200, body: keys.get(key).task };
  const errors = [];
  if (!body.query && !(body.messages?.length > 0))
    errors.push({ field: "/query", message: "must not be empty unless messages end with a user's message" });
  if (!/^[A-Za-z0-9._\-@+=|/]{1,128}$/.test(body.owner_id ?? ""))
    errors.push({ field: "/owner_id", message: "must be 1 to 128 of A-Z a-z 0-9 . _ - @ + = | /" });
  if (body.priority !== undefined && !(body.priority >= 0 && body.priority <= 9))
    errors.push({ field: "/priority", message: "must be 0 to 9" });
  if (body.limits?.max_turns > 10_000) errors.push({ field: "/limits/max_turns", message: "must be 1 to 10,000" });
  if (errors.length > 0) throw new Refusal(422, "validation_failed", "The body is not acceptable", { errors });
  if (!w.agent(body.agent))
    throw new Refusal(404, "unknown_agent", "No worker has announced this agent", {
      known_agents: w.agents.map((a) => a.name),
    });
  const rec = w.create(body, { born: (r) => Object.assign(r, { calm: true }) });
  if (key) keys.set(key, rec);
  return { status: 201, body: rec.task };
}

function bulk(w, body) {
  const list = body.ids ?? w.order.filter((id) => views.matches(w.tasks.get(id), body.filter));
  const start = Number(body.cursor ?? 0);
  const part = list.slice(start, start + 150);
  let done = 0;
  let refused = 0;
  for (const id of part) {
    const rec = w.tasks.get(id);
    const ended = !rec || TERMINAL.has(rec.task.status);
    if (body.action === "cancel" && !ended) {
      w.cancel(rec, body.reason);
      done += 1;
    } else if (body.action === "retry" && rec && ["failed", "cancelled"].includes(rec.task.status)) {
      w.retry(rec);
      done += 1;
    } else refused += 1;
  }
  const next = start + part.length;
  return { body: { done, refused, ...(next < list.length ? { next_cursor: String(next) } : {}) } };
}

function steer(w, rec, body) {
  if (TERMINAL.has(rec.task.status))
    throw new Refusal(409, "task_finished", "The task has ended", { detail: `It is ${rec.task.status}.` });
  rec.clock = w.now;
  for (const m of body.messages) rec.steering.push(m.content);
  rec.task.pending_steering = rec.steering.length;
  rec.interrupt = body.mode === "interrupt";
  w.emit(rec, "run_steering_accepted", { count: body.messages.length, mode: body.mode });
  return { status: 202, body: { task_id: rec.task.id, accepted: body.messages.length, pending: rec.steering.length } };
}

function change(w, parts, body, headers) {
  const [kind, id, verb, call, what] = parts;
  if (headers["x-factorial-dashboard"] !== "1")
    throw new Refusal(403, "forbidden", "The header X-Factorial-Dashboard is missing");
  if (kind === "tasks" && !id) return submit(w, body, headers);
  if (kind === "tasks" && id === "bulk") return bulk(w, body);
  if (kind === "tasks") {
    const rec = find(w, id);
    if (verb === "cancel") {
      if (rec.task.status === "completed" || rec.task.status === "failed")
        throw new Refusal(409, "task_finished", "The task has ended");
      w.cancel(rec, body.reason);
      return { body: rec.task };
    }
    if (verb === "retry") {
      if (!["failed", "cancelled"].includes(rec.task.status))
        throw new Refusal(409, "task_not_finished", "The task has not failed");
      w.retry(rec);
      return { body: rec.task };
    }
    if (verb === "steer") return steer(w, rec, body);
    if (verb === "tool-calls") return answer(w, rec, call, what, body);
  }
  if (kind === "agents") {
    const agent = w.agent(id);
    if (!agent) throw new Refusal(404, "agent_not_found", "There is no such agent");
    agent.paused = verb === "pause";
    w.version += 1;
    return { body: views.agent(w, agent) };
  }
  if (kind === "batches" && verb === "cancel") {
    const b = w.batches.get(id);
    if (!b) throw new Refusal(404, "batch_not_found", "There is no such batch");
    Object.assign(b, { cancelled: true, reason: body.reason ?? null });
    for (const rec of b.members) w.cancel(rec, body.reason);
    return { body: views.batch(w, b) };
  }
  throw new Refusal(404, "route_not_found", "No such route");
}

function task(rec, view, query) {
  switch (view) {
    case undefined:
      return rec.task;
    case "result":
      return {
        id: rec.task.id,
        status: rec.task.status,
        ...(rec.output !== null && rec.task.status === "completed" ? { output: rec.output } : {}),
        ...(rec.task.failure ? { failure: rec.task.failure } : {}),
        usage: rec.task.usage,
      };
    case "messages":
      return views.page(rec.messages, query, (m) => String(m.index));
    case "events": {
      const after = Number(query.starting_after ?? 0);
      const data = rec.events.slice(after, after + Number(query.limit ?? 100));
      return { data, last_seq: rec.events.length, has_more: after + data.length < rec.events.length };
    }
    case "tree":
      return views.tree(rec);
    case "tool-calls":
      return views.page(
        rec.calls.filter((c) => !query.status || c.status === query.status),
        query,
        (c) => c.call_id,
      );
    default:
      throw new Refusal(404, "route_not_found", "No such route");
  }
}

export function rest(w, method, path, query, body, headers) {
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (method === "POST") return change(w, parts, body, headers);
  const [kind, id, view] = parts;
  switch (kind) {
    case "config":
      return { body: { name: "Factorial", version: "0.4.1", docs_url: null, caller: null } };
    case "overview":
      return { body: views.overview(w, query) };
    case "system":
      return { body: views.system(w) };
    case "tasks":
      return { body: id ? task(find(w, id), view, query) : views.tasks(w, query) };
    case "approvals":
      return { body: views.asked(w, "approval", query) };
    case "tool-calls":
      return { body: views.asked(w, "operator", query) };
    case "workers":
      return {
        body: views.page(
          w.workers.map((x) => views.worker(w, x)),
          query,
        ),
      };
    case "agents": {
      if (!id)
        return {
          body: views.page(
            w.agents.map((a) => views.agent(w, a)),
            { limit: 200, ...query },
            (a) => a.name,
          ),
        };
      const agent = w.agent(id);
      if (!agent) throw new Refusal(404, "agent_not_found", "There is no such agent");
      return { body: views.agentInFull(w, agent) };
    }
    case "batches": {
      if (!id) return { body: views.batches(w, query) };
      const b = w.batches.get(id);
      if (!b) throw new Refusal(404, "batch_not_found", "There is no such batch");
      if (view !== "results") return { body: views.batch(w, b) };
      return {
        text: views
          .results(b, query)
          .map((r) => `${JSON.stringify(r)}\n`)
          .join(""),
        type: "application/x-ndjson",
      };
    }
    default:
      throw new Refusal(404, "route_not_found", "No such route");
  }
}
