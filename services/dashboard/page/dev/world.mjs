// Fixture. An installation that is made up: agents, workers, thousands of tasks with their logs, and a life that goes
// on. Used by server.mjs for development and for the page's own tests; no part of what is shipped.
import { life } from "./life.mjs";

export const STATUSES = [
  "scheduled",
  "queued",
  "processing",
  "backoff",
  "pending_tool_results",
  "pending_child_tasks",
  "completed",
  "failed",
  "cancelled",
];
const TERMINAL = new Set(["completed", "failed", "cancelled"]);

/** mulberry32: the same seed, the same installation. */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const AGENTS = [
  {
    name: "support",
    contextSchema: {
      type: "object",
      required: ["customer", "address"],
      properties: {
        customer: { type: "integer", minimum: 1, title: "Customer", description: "Number of the customer." },
        tone: { enum: ["kind", "brief"], default: "kind", title: "Tone" },
        urgent: { type: "boolean", title: "Urgent" },
        tags: { type: "array", items: { type: "string" }, title: "Tags", description: "Of the conversation." },
        address: {
          type: "object",
          title: "Address",
          description: "Where orders are sent to.",
          required: ["city"],
          properties: { city: { type: "string", title: "City" }, country: { type: "string", title: "Country" } },
        },
        history: { title: "History", description: "What is known of earlier orders." },
      },
    },
    model: "openai/gpt-4.1-mini",
    description: "Answers customers about their orders.",
    tools: ["get_order", "refund", "search_docs"],
    share: 0.4,
  },
  {
    name: "researcher",
    model: "anthropic/claude-sonnet-4-5",
    description: "Researches one topic and writes a short report.",
    tools: ["web_search", "fetch_page"],
    share: 0.2,
  },
  {
    name: "planner",
    model: "openai/gpt-4.1",
    description: "Breaks a goal into topics and sends researchers.",
    tools: ["research", "publish"],
    share: 0.1,
  },
  {
    name: "coder",
    model: "anthropic/claude-sonnet-4-5",
    description: "Fixes issues in a repository.",
    tools: ["read_file", "run_tests", "open_pull_request", "ask_reviewer"],
    share: 0.15,
  },
  {
    name: "triage",
    model: "fireworks/llama-v3p3-70b",
    description: "Sorts incoming tickets.",
    tools: ["label"],
    share: 0.1,
  },
  {
    name: "reviewer",
    model: "gemini/gemini-2.5-pro",
    description: "Reviews pull requests.",
    tools: ["read_file", "comment"],
    share: 0.03,
    paused: true,
  },
  {
    name: "legacy-import",
    model: "ollama/qwen3",
    description: "Imports the old archive.",
    tools: [],
    share: 0.02,
    away: true,
  },
];
const OWNERS = ["user-7", "user-12", "acme", "globex", "initech", "night-shift", "ana@example.org"];
const QUERIES = {
  support: [
    "Where is my order 48211?",
    "I was charged twice for order 90017, please refund one.",
    "How do I change the address of my subscription?",
    "The parcel arrived damaged. What now?",
  ],
  researcher: [
    "Compare the battery chemistries of grid storage in 2025",
    "What changed in the EU AI Act this year?",
    "Summarise the three newest papers on KV-cache compression",
    "Which ports were closed by the storm?",
  ],
  planner: [
    "Prepare a market report on heat pumps in Portugal",
    "Plan the release notes for version 4",
    "Write a briefing on semiconductor export rules",
  ],
  coder: [
    "Fix the flaky test in billing/retry_test",
    "Upgrade the HTTP client and mend what breaks",
    "Issue 812: dates are off by one in CSV exports",
  ],
  triage: [
    "Ticket 5521: cannot log in",
    "Ticket 5522: invoice shows a wrong VAT id",
    "Ticket 5523: feature request: dark mode",
  ],
  reviewer: ["Review pull request 1841"],
  "legacy-import": ["Import shard 17 of the archive"],
};

export class World {
  constructor({ seed = 7, history = 3500, namespace = "factorial" } = {}) {
    this.rnd = random(seed);
    this.namespace = namespace;
    this.now = Date.now();
    this.startedAt = this.now;
    this.tasks = new Map();
    /** Ids, newest first by creation. */
    this.order = [];
    this.batches = new Map();
    this.running = [];
    this.version = 0;
    this.serial = 0;
    this.agents = AGENTS.map((agent) => ({
      ...agent,
      paused: agent.paused ?? false,
      version: this.hex(4),
      last: this.now,
    }));
    this.workers = this.makeWorkers();
    this.makeHistory(history);
    for (let i = 0; i < 26; i += 1) this.arrive();
    for (let i = 0; i < 9; i += 1)
      this.create({ agent: "legacy-import", owner_id: "night-shift", query: QUERIES["legacy-import"][0] });
    this.create({ agent: "support", owner_id: "acme", query: "Send the weekly summary", delay_seconds: 5400 });
    for (const [agent, tool] of [
      ["support", "refund"],
      ["coder", "open_pull_request"],
      ["coder", "ask_reviewer"],
      ["planner", "publish"],
      ["support", "refund"],
    ]) {
      this.create(
        { agent, owner_id: this.pick(OWNERS), query: this.pick(QUERIES[agent]), stream: true, priority: 9 },
        { at: this.now - this.between(5e3, 400e3) },
      ).force = tool;
    }
    this.nextArrival = 0;
  }

  hex(n) {
    return Array.from({ length: n }, () => Math.floor(this.rnd() * 16).toString(16)).join("");
  }
  pick(list) {
    return list[Math.floor(this.rnd() * list.length)];
  }
  between(a, b) {
    return a + this.rnd() * (b - a);
  }
  iso(ms) {
    return new Date(ms).toISOString();
  }

  makeId(at, partition) {
    const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    let time = "";
    for (let i = 0, t = Math.floor(at); i < 10; i += 1, t = Math.floor(t / 32)) time = alphabet[t % 32] + time;
    let tail = "";
    for (let i = 0; i < 16; i += 1) tail += alphabet[Math.floor(this.rnd() * 32)];
    return `${partition}-${time}${tail}`;
  }

  makeWorkers() {
    const serve = [
      ["support", "triage"],
      ["support", "triage"],
      ["researcher", "planner"],
      ["researcher"],
      ["coder", "reviewer"],
      ["support", "researcher", "planner"],
    ];
    return serve.map((names, i) => ({
      id: `w-${this.hex(10)}`,
      host: `worker-${i + 1}.internal`,
      pid: 100 + Math.floor(this.rnd() * 9000),
      version: i === 5 ? "0.4.0" : "0.4.1",
      started: this.now - this.between(600e3, 86400e3 * 3),
      beat: this.now,
      draining: i === 5,
      silent: i === 3,
      agents: names.map((name) => ({ name, slots: name === "support" ? 6 : 4 })),
    }));
  }

  slots(agent) {
    return this.workers
      .filter((w) => !w.draining)
      .flatMap((w) => w.agents)
      .filter((a) => a.name === agent)
      .reduce((n, a) => n + a.slots, 0);
  }
  agent(name) {
    return this.agents.find((a) => a.name === name);
  }

  usage() {
    return { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0 };
  }

  create(body, { at = this.now, historic = false, parent = null, batch = null, born = null } = {}) {
    const partition = parent ? parent.task.id.split("-")[0] : String(Math.floor(this.rnd() * 8));
    const id = this.makeId(at, partition);
    const due = body.run_at ? Date.parse(body.run_at) : body.delay_seconds ? at + body.delay_seconds * 1000 : null;
    const rec = {
      task: {
        id,
        agent: body.agent,
        owner_id: body.owner_id,
        status: due && due > at ? "scheduled" : "queued",
        priority: body.priority ?? 5,
        created_at: this.iso(at),
        ...(due ? { run_at: this.iso(due) } : {}),
        conversation_id: body.previous_task_id
          ? (this.tasks.get(body.previous_task_id)?.task.conversation_id ?? id)
          : id,
        ...(body.previous_task_id ? { previous_task_id: body.previous_task_id } : {}),
        ...(parent ? { parent_id: parent.task.id, root_id: parent.task.root_id ?? parent.task.id } : {}),
        ...(body.limits?.deadline_seconds ? { deadline_at: this.iso(at + body.limits.deadline_seconds * 1000) } : {}),
        depth: parent ? parent.task.depth + 1 : 0,
        awaiting: 0,
        ...(batch ? { batch_id: batch.id } : {}),
        turns: 0,
        attempts: 0,
        retries: 0,
        recoveries: 0,
        hand_backs: 0,
        pending_steering: 0,
        usage: this.usage(),
        usage_by_model: {},
        cost_usd_micros: 0,
        tool_calls: 0,
        stream: body.stream ?? false,
        ...(body.limits ? { limits: body.limits } : {}),
        metadata: body.metadata ?? {},
      },
      query: body.query ?? "",
      createdMs: at,
      finishedMs: null,
      clock: at,
      dueMs: due,
      historic,
      events: [],
      messages: [],
      calls: [],
      children: [],
      parent,
      batch,
      reply: null,
      steering: [],
      interrupt: false,
      retriedAt: [],
      output: null,
      version: 0,
      treeVersion: 0,
      waits: [],
    };
    this.tasks.set(id, rec);
    this.order.unshift(id);
    if (parent) {
      parent.children.push(rec);
      this.touchTree(parent);
    }
    if (batch) batch.members.push(rec);
    const previous = this.tasks.get(body.previous_task_id);
    if (previous) for (const m of previous.messages) this.say(rec, { ...m, turn: 0 });
    if (previous && typeof previous.output === "string")
      this.say(rec, { role: "assistant", content: previous.output, turn: 0 });
    for (const m of body.messages ?? []) this.say(rec, { ...m, turn: 0 });
    if (body.query) this.say(rec, { role: "user", content: body.query, turn: 0 });
    this.emit(rec, "task_enqueued", { status: rec.task.status });
    born?.(rec);
    const run = life(this, rec);
    if (historic) this.replay(rec, run);
    else this.running.push({ rec, run, at: 0, until: null });
    this.version += 1;
    return rec;
  }

  say(rec, message) {
    rec.messages.push({ ...message, index: rec.messages.length });
    rec.version += 1;
  }

  emit(rec, event_type, data = {}, turn = rec.turn ?? 0) {
    rec.events.push({
      seq: rec.events.length + 1,
      event_type,
      at: this.iso(rec.clock),
      task_id: rec.task.id,
      owner_id: rec.task.owner_id,
      agent: rec.task.agent,
      turn,
      attempt: rec.task.attempts,
      data,
    });
    rec.version += 1;
    this.version += 1;
    this.touchTree(rec);
  }

  touchTree(rec) {
    for (let r = rec; r; r = r.parent) r.treeVersion += 1;
  }

  /** A life in the past: its waits only move its clock. */
  replay(rec, run) {
    for (let i = 0; i < 4000; i += 1) {
      const step = run.next();
      if (step.done) return;
      // Nothing of the past may end in the future.
      rec.clock += Math.min(step.value.ms ?? this.between(500, 30_000), Math.max(5, (this.now - rec.clock) / 3));
      if (step.value.until && !step.value.until()) step.value.give?.();
    }
  }

  setStatus(rec, status) {
    rec.task.status = status;
    rec.version += 1;
    this.version += 1;
    this.touchTree(rec);
  }

  end(rec, status, extra = {}) {
    if (TERMINAL.has(rec.task.status)) return;
    Object.assign(rec.task, extra, { finished_at: this.iso(rec.clock), awaiting: 0 });
    delete rec.task.worker_id;
    rec.finishedMs = rec.clock;
    rec.reply = null;
    for (const call of rec.calls)
      if (call.status === "open") Object.assign(call, { status: "answered", outcome: "closed" });
    this.setStatus(rec, status);
    if (rec.task.pending_steering > 0) {
      this.emit(rec, "run_steering_failed", { pending: rec.task.pending_steering });
      rec.task.pending_steering = 0;
    }
    if (rec.parent && !TERMINAL.has(rec.parent.task.status)) {
      if (rec.historic) rec.parent.clock = Math.max(rec.parent.clock, rec.clock);
      this.emit(rec.parent, "child_ended", { task_id: rec.task.id, status });
    }
  }

  stop(rec) {
    const i = this.running.findIndex((entry) => entry.rec === rec);
    if (i >= 0) this.running.splice(i, 1);
  }

  cancel(rec, reason) {
    if (TERMINAL.has(rec.task.status)) return;
    rec.clock = this.now;
    this.stop(rec);
    this.end(rec, "cancelled", reason ? { cancel_reason: reason } : {});
    this.emit(rec, "run_cancelled", { turns: rec.task.turns, ...(reason ? { reason } : {}) });
    for (const child of rec.children) this.cancel(child, "its parent was cancelled");
  }

  retry(rec) {
    rec.clock = this.now;
    const after = rec.task.status;
    delete rec.task.finished_at;
    delete rec.task.failure;
    delete rec.task.cancel_reason;
    rec.finishedMs = null;
    rec.historic = false;
    rec.doomed = false;
    rec.task.retries = 0;
    this.setStatus(rec, "queued");
    this.emit(rec, "task_retried", { by: "dashboard", after });
    this.running.push({ rec, run: life(this, rec, true), at: 0, until: null });
  }

  arrive(options = {}) {
    let x = this.rnd();
    const agent =
      AGENTS.find((a) => {
        x -= a.share;
        return x < 0 && !a.away;
      }) ?? AGENTS[0];
    const stream = this.rnd() < 0.5;
    return this.create(
      {
        agent: agent.name,
        owner_id: this.pick(OWNERS),
        query: this.pick(QUERIES[agent.name]),
        stream,
        priority: this.rnd() < 0.1 ? 8 : 5,
        metadata:
          this.rnd() < 0.4
            ? { region: this.pick(["eu", "us", "apac"]), ticket: String(4000 + Math.floor(this.rnd() * 900)) }
            : {},
      },
      options,
    );
  }

  openBatch(name, owner, members, at, historic) {
    const id = this.makeId(at, "3");
    const batch = {
      id,
      owner_id: owner,
      name,
      createdMs: at,
      members: [],
      total: members,
      cancelled: false,
      reason: null,
    };
    this.batches.set(id, batch);
    for (let i = 0; i < members; i += 1) {
      this.create(
        {
          agent: i % 3 === 0 ? "triage" : "support",
          owner_id: owner,
          query: this.pick(QUERIES.support),
          metadata: { custom_id: `${name}-${i + 1}` },
        },
        { at: at + i, historic, batch },
      );
    }
    return batch;
  }

  makeHistory(count) {
    const times = [];
    for (let i = 0; i < count; i += 1) {
      const span = this.rnd();
      times.push(
        span < 0.35
          ? this.between(90e3, 3600e3)
          : span < 0.75
            ? this.between(3600e3, 86400e3)
            : this.between(86400e3, 7 * 86400e3),
      );
    }
    times.sort((a, b) => b - a);
    for (const ago of times) this.arrive({ at: this.now - ago, historic: true });
    for (const [name, n, ago] of [
      ["tickets-w4", 60, 9 * 3600e3],
      ["welcome-mails", 120, 2 * 3600e3],
    ])
      this.openBatch(name, "acme", n, this.now - ago, true);
    this.openBatch("tickets-w5", "globex", 90, this.now - 20e3, false);
    this.order.sort((a, b) => this.tasks.get(b).createdMs - this.tasks.get(a).createdMs);
  }

  tick() {
    this.now = Date.now();
    for (const w of this.workers) {
      if (!w.silent && this.now - w.beat > 4800) {
        w.beat = this.now;
        this.version += 1;
      } else if (w.silent && this.now - w.beat > 19_000) w.beat = this.now - 4000;
    }
    if (this.now > this.nextArrival) {
      this.nextArrival = this.now + this.between(300, 2200);
      this.arrive();
    }
    for (const entry of [...this.running]) {
      if (entry.until ? !entry.until() : entry.at > this.now) continue;
      entry.rec.clock = this.now;
      const step = entry.run.next();
      if (step.done) {
        this.stop(entry.rec);
        continue;
      }
      entry.until = step.value.until ?? null;
      entry.at = this.now + (step.value.ms ?? 0);
    }
    this.trim();
  }

  trim() {
    while (this.order.length > 6000) {
      const id = this.order[this.order.length - 1];
      if (!TERMINAL.has(this.tasks.get(id).task.status)) break;
      this.order.pop();
      this.tasks.delete(id);
    }
  }
}
