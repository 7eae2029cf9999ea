// Fixture. What the made-up installation answers to each question of the API.
import { STATUSES } from "./world.mjs";

const WINDOWS = { hour: [3600, 60], day: [86_400, 900], week: [604_800, 7200] };
const counts = () => Object.fromEntries(STATUSES.map((s) => [s, 0]));

function percentiles(values) {
  if (values.length === 0) return { count: 0, p50_ms: null, p95_ms: null, p99_ms: null };
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
  return { count: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
}

function gather(w, recs, since) {
  const out = {
    counts: counts(),
    totals: { enqueued: 0, completed: 0, failed: 0, cancelled: 0, retried: 0, recovered: 0 },
    waits: [],
    runs: [],
    models: new Map(),
    oldest: null,
  };
  for (const rec of recs) {
    const { task } = rec;
    out.counts[task.status] += 1;
    if (task.status === "queued") out.oldest = Math.min(out.oldest ?? Infinity, rec.createdMs);
    if (rec.createdMs >= since) out.totals.enqueued += 1;
    out.totals.retried += rec.retriedAt.filter((t) => t >= since).length;
    const at = rec.finishedMs ?? (task.turns > 0 ? w.now : 0);
    if (at < since) continue;
    if (rec.finishedMs !== null) {
      out.totals[task.status] += 1;
      out.runs.push(rec.finishedMs - rec.createdMs);
    }
    out.totals.recovered += task.recoveries;
    out.waits.push(...rec.waits);
    for (const [model, use] of Object.entries(task.usage_by_model)) {
      const m = out.models.get(model) ?? { model, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 };
      m.input_tokens += use.input_tokens;
      m.output_tokens += use.output_tokens;
      m.cost_usd_micros =
        model.startsWith("llama") || model.startsWith("qwen") ? null : m.cost_usd_micros + task.cost_usd_micros;
      out.models.set(model, m);
    }
  }
  const ended = out.totals.completed + out.totals.failed;
  return {
    counts: out.counts,
    totals: out.totals,
    success_rate: ended > 0 ? out.totals.completed / ended : null,
    queue_wait: percentiles(out.waits),
    run_time: percentiles(out.runs),
    models: [...out.models.values()].sort((a, b) => b.input_tokens - a.input_tokens),
    oldest_queued_at: out.oldest === null ? null : w.iso(out.oldest),
  };
}

function activity(w, recs, seconds, bucket) {
  const n = Math.ceil(seconds / bucket);
  const end = (Math.floor(w.now / 1000 / bucket) + 1) * bucket;
  const first = end - n * bucket;
  const zero = () => new Array(n).fill(0);
  const out = {
    bucket_seconds: bucket,
    starts: zero().map((_, i) => first + i * bucket),
    enqueued: zero(),
    completed: zero(),
    failed: zero(),
    cancelled: zero(),
    retried: zero(),
    input_tokens: zero(),
    output_tokens: zero(),
  };
  const add = (list, ms, by = 1) => {
    const i = Math.floor((ms / 1000 - first) / bucket);
    if (i >= 0 && i < n) list[i] += by;
  };
  for (const rec of recs) {
    add(out.enqueued, rec.createdMs);
    for (const t of rec.retriedAt) add(out.retried, t);
    if (rec.finishedMs === null) continue;
    add(out[rec.task.status], rec.finishedMs);
    add(out.input_tokens, rec.finishedMs, rec.task.usage.input_tokens);
    add(out.output_tokens, rec.finishedMs, rec.task.usage.output_tokens);
  }
  return out;
}

const runningOf = (w, name) =>
  w.running.filter((e) => e.rec.task.status === "processing" && (!name || e.rec.task.agent === name)).length;

export function overview(w, { window = "hour", agent }) {
  const [seconds, bucket] = WINDOWS[window] ?? WINDOWS.hour;
  const since = w.now - seconds * 1000;
  const all = [...w.tasks.values()];
  const by = new Map(w.agents.map((a) => [a.name, []]));
  for (const rec of all) by.get(rec.task.agent)?.push(rec);
  const chosen = agent ? (by.get(agent) ?? []) : all;
  const sum = gather(w, chosen, since);
  const perAgent = (a) => ({
    name: a.name,
    workers: w.workers.filter((x) => x.agents.some((y) => y.name === a.name)).length,
    slots: w.slots(a.name),
    running: runningOf(w, a.name),
    paused: a.paused,
    ...gather(w, by.get(a.name), since),
  });
  return {
    at: w.iso(w.now),
    window,
    workers: w.workers.length,
    workers_draining: w.workers.filter((x) => x.draining).length,
    slots: w.agents.reduce((n, a) => n + w.slots(a.name), 0),
    running: runningOf(w, agent),
    agents_served: new Set(w.workers.flatMap((x) => x.agents.map((a) => a.name))).size,
    ...sum,
    completed_per_minute:
      chosen.filter((r) => r.finishedMs > w.now - 300_000 && r.task.status === "completed").length / 5,
    activity: activity(w, chosen, seconds, bucket),
    agents: w.agents.filter((a) => !agent || a.name === agent).map(perAgent),
  };
}

export function matches(rec, f) {
  const { task } = rec;
  if (f.status && !String(f.status).split(",").includes(task.status)) return false;
  if (f.agent && task.agent !== f.agent) return false;
  if (f.owner_id && task.owner_id !== f.owner_id) return false;
  if (f.batch_id && task.batch_id !== f.batch_id) return false;
  if (f.created_after && rec.createdMs < Date.parse(f.created_after)) return false;
  if (f.created_before && rec.createdMs > Date.parse(f.created_before)) return false;
  if (f.finished_after && !(rec.finishedMs >= Date.parse(f.finished_after))) return false;
  if (f.finished_before && !(rec.finishedMs < Date.parse(f.finished_before))) return false;
  if (f.worker_id && task.worker_id !== f.worker_id) return false;
  if (f.q) {
    const q = f.q.toLowerCase();
    if (!task.id.includes(q) && !Object.entries(task.metadata).some(([k, v]) => `${k}=${v}`.toLowerCase().includes(q)))
      return false;
  }
  return true;
}

/** Looks at a bounded number of tasks, as the real one does, so that pages can be short. */
export function tasks(w, f) {
  const limit = Math.min(Number(f.limit ?? 50), 200);
  const start = f.cursor ? w.order.indexOf(f.cursor) + 1 : 0;
  const data = [];
  let i = start;
  for (; i < w.order.length && data.length < limit && i - start < 1500; i += 1) {
    const rec = w.tasks.get(w.order[i]);
    if (matches(rec, f)) data.push(rec.task);
  }
  return { data, ...(i < w.order.length ? { next_cursor: w.order[i - 1] } : {}) };
}

export function page(items, { limit = 50, cursor }, id = (x) => x.id) {
  const start = cursor ? items.findIndex((x) => id(x) === cursor) + 1 : 0;
  const data = items.slice(start, start + Number(limit));
  const more = start + data.length < items.length;
  return { data, ...(more ? { next_cursor: id(data.at(-1)) } : {}) };
}

export function asked(w, asks, f) {
  const items = [];
  for (const { rec } of w.running) {
    for (const call of rec.calls) {
      if (call.status !== "open" || (asks === "approval") !== (call.asks === "approval")) continue;
      if ((f.agent && rec.task.agent !== f.agent) || (f.owner_id && rec.task.owner_id !== f.owner_id)) continue;
      const { call_id, tool, arguments: given, asked_at, expires_at, agent_version } = call;
      items.push({
        task_id: rec.task.id,
        call_id,
        agent: rec.task.agent,
        ...(agent_version ? { agent_version } : {}),
        owner_id: rec.task.owner_id,
        tool,
        arguments: given,
        asked_at,
        expires_at,
      });
    }
  }
  items.sort((a, b) => (a.asked_at < b.asked_at ? -1 : 1));
  return page(items, f, (x) => x.call_id);
}

export function batch(w, b) {
  const by = {};
  const usage = w.usage();
  let cost = 0;
  let done = 0;
  let last = 0;
  for (const { task, finishedMs } of b.members) {
    by[task.status] = (by[task.status] ?? 0) + 1;
    if (finishedMs === null) continue;
    done += 1;
    last = Math.max(last, finishedMs);
    cost += task.cost_usd_micros;
    for (const key of Object.keys(usage)) usage[key] += task.usage[key];
  }
  const ended = done === b.total;
  return {
    id: b.id,
    owner_id: b.owner_id,
    status: ended ? (b.cancelled ? "cancelled" : "completed") : b.cancelled ? "cancelling" : "running",
    members: b.total,
    accepted: b.members.length,
    counts: by,
    progress: { done, total: b.total, unit: "tasks", fraction: b.total > 0 ? done / b.total : 1 },
    usage,
    cost_usd_micros: cost,
    created_at: w.iso(b.createdMs),
    ...(ended ? { finished_at: w.iso(last) } : {}),
    ...(b.reason ? { cancel_reason: b.reason } : {}),
    metadata: { name: b.name },
  };
}

export function batches(w, f) {
  const all = [...w.batches.values()]
    .sort((a, b) => b.createdMs - a.createdMs)
    .filter((b) => !f.owner_id || b.owner_id === f.owner_id);
  return page(
    all.map((b) => batch(w, b)),
    f,
  );
}

export function results(b, f) {
  const after = f.starting_after === undefined ? -1 : Number(f.starting_after);
  return b.members
    .map((rec, index) => ({ rec, index }))
    .filter(({ rec, index }) => index > after && rec.finishedMs !== null && (!f.status || rec.task.status === f.status))
    .slice(0, Number(f.limit ?? Infinity))
    .map(({ rec, index }) => ({
      index,
      task_id: rec.task.id,
      custom_id: rec.task.metadata.custom_id,
      status: rec.task.status,
      ...(rec.output ? { output: rec.output } : {}),
      ...(rec.task.failure ? { failure: rec.task.failure } : {}),
      usage: rec.task.usage,
      cost_usd_micros: rec.task.cost_usd_micros,
    }));
}

export function worker(w, x) {
  return {
    id: x.id,
    host: x.host,
    pid: x.pid,
    version: x.version,
    started_at: w.iso(x.started),
    last_heartbeat_at: w.iso(x.beat),
    draining: x.draining,
    agents: x.agents.map((a) => ({
      ...a,
      running: w.running.filter((e) => e.rec.task.worker_id === x.id && e.rec.task.agent === a.name).length,
    })),
  };
}

export function agent(w, a) {
  const recs = [...w.tasks.values()].filter((r) => r.task.agent === a.name);
  return {
    name: a.name,
    description: a.description,
    version: a.version,
    model: a.model,
    tools: a.tools,
    workers: w.workers.filter((x) => x.agents.some((y) => y.name === a.name)).length,
    queued: recs.filter((r) => r.task.status === "queued").length,
    processing: recs.filter((r) => r.task.status === "processing").length,
    last_seen_at: w.iso(a.away ? w.now - 5 * 3600e3 : w.now - (w.now % 60_000)),
    paused: a.paused,
  };
}

export function agentInFull(w, a) {
  const [provider, name] = a.model.split("/");
  const limits = { max_turns: 20, max_total_tokens: 200_000, max_tool_calls: 40, max_wall_seconds: 600 };
  return {
    ...agent(w, a),
    definition: {
      name: a.name,
      description: a.description,
      instructions: `You are ${a.name}. ${a.description}\nLook things up; never guess.`,
      model: { provider, name, fallbacks: [] },
      settings: { temperature: 0.2, max_tokens: 2000 },
      tools: a.tools.map((tool) => ({ kind: "http", name: tool, parameters: { type: "object" }, timeout_seconds: 10 })),
      limits,
      ...(a.contextSchema && { context_schema: a.contextSchema }),
      retry: { max_retries: 5, base_seconds: 1, cap_seconds: 60 },
    },
  };
}

export function tree(rec, limit = 500) {
  let left = limit;
  const total = {
    tasks: 0,
    by_status: {},
    usage: { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0 },
    cost_usd_micros: 0,
  };
  const node = (r) => {
    left -= 1;
    const { task } = r;
    total.tasks += 1;
    total.by_status[task.status] = (total.by_status[task.status] ?? 0) + 1;
    total.cost_usd_micros += task.cost_usd_micros;
    for (const key of Object.keys(total.usage)) total.usage[key] += task.usage[key];
    const children = r.children.filter(() => left > 0).map(node);
    return {
      id: task.id,
      agent: task.agent,
      status: task.status,
      depth: task.depth,
      turns: task.turns,
      created_at: task.created_at,
      ...(task.finished_at ? { finished_at: task.finished_at } : {}),
      usage: task.usage,
      cost_usd_micros: task.cost_usd_micros,
      ...(task.failure && task.status === "failed" ? { failure_kind: task.failure.kind } : {}),
      ...(children.length > 0 ? { children } : {}),
    };
  };
  return { root: node(rec), totals: total, truncated: left <= 0 };
}

export function system(w) {
  const partitions = Array.from({ length: 8 }, (_, number) => ({ number, counts: counts() }));
  for (const { task } of w.tasks.values()) partitions[Number(task.id[0]) % 8].counts[task.status] += 1;
  const wobble = Math.sin(w.now / 9000);
  const chore = (name, ago, took, done, stalled = false) => ({
    name,
    last_success_at: ago === null ? null : w.iso(w.now - ago),
    took_ms: took,
    done,
    stalled,
  });
  return {
    at: w.iso(w.now),
    namespace: w.namespace,
    schema: "7",
    redis: {
      version: "7.4.1",
      mode: "standalone",
      latency_ms: 0.4 + wobble * 0.15 + w.rnd() * 0.1,
      used_memory_bytes: Math.round(612e6 + wobble * 9e6),
      max_memory_bytes: 2 ** 30,
      clients: 31,
      commands_per_second: Math.round(4200 + wobble * 800),
      append_only: true,
      uptime_seconds: 86400 * 12 + Math.floor((w.now - w.startedAt) / 1000),
      fragmentation: 1.08,
    },
    partitions,
    chores: [
      chore("promote_due", 800, 2, 18_211),
      chore("recover_expired", 1200, 3, 12),
      chore("enforce_deadlines", 900, 1, 44),
      chore("expire_finished", 4100, 38, 120_377),
      chore("reconcile", 61_000, 410, 0),
      chore("export_gauges", 2_100, 5, 0),
      chore("deliver_webhooks", 734_000, 15_000, 302, true),
    ],
  };
}
