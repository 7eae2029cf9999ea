// Fixture. How a made-up task lives: a generator that yields its waits, so that the same life can be told of the past
// (waits move a clock) or be lived (waits pass).

const REPLIES = [
  "I looked into this. **Three things** matter:\n\n1. The order left the warehouse on Tuesday.\n2. The carrier scanned it last in Lyon.\n3. Delivery is expected tomorrow before 18:00.\n\nI will keep an eye on it.",
  "Here is what I found so far.\n\n## Findings\n- LFP cells dominate new grid storage, at about 70% of capacity.\n- Sodium-ion is in pilot use, `<b>not yet</b>` at scale.\n\n```python\ndef levelised_cost(capex, cycles, kwh):\n    return capex / (cycles * kwh)\n```\n\nShall I go on with the costs?",
  "The test fails because the clock is read twice. I changed `retry_at` so that it takes the time as an argument:\n\n```rust\nfn retry_at(now: Time, attempt: u32) -> Time {\n    now + backoff(attempt)\n}\n```\n\nAll 214 tests pass now.",
  "Done. The ticket is labelled `billing`, priority *high*, and was sent to the second line.",
];
const PRICES = {
  "openai/gpt-4.1-mini": [0.4, 1.6],
  "openai/gpt-4.1": [2, 8],
  "anthropic/claude-sonnet-4-5": [3, 15],
  "gemini/gemini-2.5-pro": [1.25, 10],
};
const FAILURES = [
  ["rate_limited", "429 from the provider: tokens per minute exceeded", 429, true],
  ["overloaded", "the provider is overloaded", 529, true],
  ["timeout", "the turn took longer than 120 s", undefined, true],
  ["authentication", "invalid x-api-key", 401, false],
  ["context_overflow", "prompt is too long: 214311 tokens > 200000 maximum", 400, false],
  ["output_invalid", "/answer is required, also after the repair turn", undefined, false],
];

function args(tool, w) {
  if (tool === "refund")
    return {
      order: String(48000 + Math.floor(w.rnd() * 999)),
      amount: Math.floor(w.between(5, 240)),
      currency: "EUR",
      reason: "charged twice",
    };
  if (tool === "publish")
    return {
      title: "Heat pumps in Portugal",
      channel: "newsletter",
      body: "Demand has doubled since 2022. Installers report a backlog of four months, and subsidies end in March.",
    };
  if (tool === "open_pull_request")
    return {
      branch: "fix/retry-clock",
      title: "Read the clock once",
      files: ["billing/retry.rs", "billing/retry_test.rs"],
    };
  if (tool === "ask_reviewer") return { question: "May the public API change?", deadline: "today" };
  if (tool === "get_order") return { number: "48211" };
  if (tool.includes("search")) return { query: "grid storage chemistries 2025", limit: 10 };
  return { path: "billing/retry.rs" };
}

function* claim(w, rec, queuedAt) {
  if (rec.historic) yield { ms: w.rnd() < 0.05 ? w.between(4e3, 90e3) : w.between(5, 900) };
  else {
    yield {
      until: () => {
        const agent = w.agent(rec.task.agent);
        if (!agent || agent.away || agent.paused) return false;
        const running = w.running.filter(
          (e) => e.rec.task.agent === agent.name && e.rec.task.status === "processing",
        ).length;
        return running < w.slots(agent.name);
      },
    };
  }
  const serving = w.workers.filter((x) => !x.draining && x.agents.some((a) => a.name === rec.task.agent));
  const worker = (serving.length > 0 ? w.pick(serving) : w.workers[0]).id;
  const first = rec.task.attempts === 0;
  rec.task.attempts += 1;
  rec.task.worker_id = worker;
  if (first) rec.task.started_at = w.iso(rec.clock);
  const waited = Math.max(0, rec.clock - queuedAt);
  rec.waits.push(waited);
  delete rec.task.run_at;
  w.setStatus(rec, "processing");
  w.emit(rec, first ? "run_started" : "run_resumed", { worker, queue_wait_ms: waited });
}

function spend(w, rec, model, input, output) {
  const price = PRICES[model];
  const cost = price ? Math.round(input * price[0] + output * price[1]) : 0;
  const name = model.split("/")[1];
  const use = {
    input_tokens: input,
    cached_input_tokens: Math.floor(input * 0.4),
    output_tokens: output,
    reasoning_tokens: 0,
  };
  rec.task.usage_by_model[name] ??= w.usage();
  for (const target of [rec.task.usage, rec.task.usage_by_model[name]])
    for (const key of Object.keys(use)) target[key] += use[key];
  rec.task.cost_usd_micros += cost;
  return { use, cost, name };
}

function steer(w, rec) {
  if (rec.steering.length === 0) return;
  for (const content of rec.steering) w.say(rec, { role: "user", content, steered: true, turn: rec.turn });
  w.emit(rec, "run_steering_applied", { count: rec.steering.length });
  rec.steering = [];
  rec.task.pending_steering = 0;
}

/** Streams a reply; false when it was interrupted. */
function* model(w, rec, text, calls) {
  const agent = w.agent(rec.task.agent);
  const begun = rec.clock;
  const first = w.between(180, 900);
  yield { ms: first };
  const took = w.between(900, 9000);
  if (rec.historic) {
    yield { ms: took };
  } else {
    const words = text.split(/(?<=\s)/);
    let shown = 0;
    while (shown < words.length) {
      const next = Math.min(words.length, shown + 1 + Math.floor(w.rnd() * 3));
      const piece = words.slice(shown, next).join("");
      shown = next;
      rec.reply = { turn: rec.turn, attempt: rec.task.attempts, text: (rec.reply?.text ?? "") + piece };
      rec.version += 1;
      if (rec.task.stream && shown % 6 < 2) w.emit(rec, "progress_update_completion_chunk", { text: piece });
      yield { ms: w.between(60, 160) };
      if (rec.interrupt) {
        rec.interrupt = false;
        rec.reply = null;
        w.emit(rec, "progress_update_completion_interrupted");
        return false;
      }
    }
  }
  const { use, cost, name } = spend(
    w,
    rec,
    agent.model,
    Math.floor(w.between(900, 14_000)),
    Math.floor(w.between(60, 900)),
  );
  rec.reply = null;
  w.say(rec, {
    role: "assistant",
    content: text,
    turn: rec.turn,
    ...(calls.length > 0
      ? { tool_calls: calls.map((c) => ({ id: c.id, name: c.tool, arguments: JSON.stringify(c.args) })) }
      : {}),
  });
  w.emit(rec, "progress_update_completion_completed", {
    model: name,
    provider: agent.model.split("/")[0],
    finish_reason: calls.length > 0 ? "tool_calls" : "stop",
    usage: use,
    duration_ms: Math.round(rec.clock - begun),
    time_to_first_token_ms: Math.round(first),
    ...(cost > 0 ? { cost_usd_micros: cost } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.length } : {}),
  });
  return true;
}

function* park(w, rec, status, awaiting, done, give) {
  rec.task.awaiting = awaiting;
  delete rec.task.worker_id;
  w.setStatus(rec, status);
  w.emit(rec, "run_parked", { awaiting });
  // A steering `interrupt` wakes it.
  if (rec.historic) yield { ms: w.between(4e3, 900e3), until: done, give };
  else yield { until: () => done() || rec.interrupt };
  for (const call of rec.calls)
    if (call.status === "open") Object.assign(call, { status: "answered", outcome: "interrupted" });
  rec.interrupt = false;
  rec.task.awaiting = 0;
  w.setStatus(rec, "queued");
  w.emit(rec, "run_unparked");
  yield* claim(w, rec, rec.clock);
}

function answerHistoric(w, rec, call) {
  call.status = "answered";
  call.answered_at = w.iso(rec.clock);
  if (call.asks === "approval") {
    call.outcome = w.rnd() < 0.8 ? "approved" : "denied";
    w.emit(rec, call.outcome === "approved" ? "approval_granted" : "approval_denied", {
      call_id: call.call_id,
      outcome: call.outcome,
      by: "ana",
    });
  } else {
    call.outcome = "result";
    call.answer = { ok: true };
    w.emit(rec, "tool_call_answered", { call_id: call.call_id, outcome: "result", by: "night-shift" });
  }
}

function* tools(w, rec, calls) {
  for (const call of calls) {
    const approval = ["refund", "publish", "open_pull_request"].includes(call.tool);
    const deferred = call.tool === "ask_reviewer";
    rec.task.tool_calls += 1;
    if (call.tool === "research") {
      yield* fanOut(w, rec, call);
      continue;
    }
    if (approval || deferred) {
      const seconds = w.pick([600, 3600, 86_400]);
      const asked = {
        call_id: call.id,
        tool: call.tool,
        arguments: call.args,
        asks: approval ? "approval" : "operator",
        status: "open",
        asked_at: w.iso(rec.clock),
        expires_at: w.iso(rec.clock + seconds * 1000),
        ...(approval ? { agent_version: w.agent(rec.task.agent).version } : {}),
      };
      rec.calls.push(asked);
      w.emit(rec, approval ? "approval_requested" : "tool_call_deferred", {
        tool: call.tool,
        call_id: call.id,
        ...(deferred ? { asks: "operator" } : {}),
        timeout_seconds: seconds,
      });
      yield* park(
        w,
        rec,
        "pending_tool_results",
        1,
        () => asked.status !== "open",
        () => answerHistoric(w, rec, asked),
      );
      const content =
        asked.outcome === "denied"
          ? `denied: ${asked.reason ?? "no reason given"}`
          : asked.outcome === "interrupted"
            ? "interrupted"
            : null;
      if (content !== null || deferred) {
        w.say(rec, {
          role: "tool",
          call_id: call.id,
          name: call.tool,
          content: content ?? asked.error ?? JSON.stringify(asked.answer ?? null),
          ...(content || asked.error ? { is_error: true } : {}),
          turn: rec.turn,
        });
        continue;
      }
    }
    w.emit(rec, "progress_update_tool_action_started", { tool: call.tool, call_id: call.id });
    const begun = rec.clock;
    yield { ms: w.between(120, 2600) };
    const failed = w.rnd() < 0.06;
    const duration_ms = Math.round(rec.clock - begun);
    w.emit(rec, failed ? "progress_update_tool_action_failed" : "progress_update_tool_action_completed", {
      tool: call.tool,
      call_id: call.id,
      duration_ms,
      ...(failed ? { error_kind: "timeout" } : {}),
    });
    w.say(rec, {
      role: "tool",
      call_id: call.id,
      name: call.tool,
      content: failed
        ? "the endpoint did not answer within 10 s"
        : JSON.stringify({
            ok: true,
            items: [
              { id: 1, title: "Result", score: 0.93 },
              { id: 2, title: "Another", score: 0.71 },
            ],
          }),
      ...(failed ? { is_error: true } : {}),
      turn: rec.turn,
    });
  }
}

function* fanOut(w, rec, call) {
  const children = [];
  for (const topic of call.args.topics) {
    const child = w.create(
      { agent: "researcher", owner_id: rec.task.owner_id, query: topic, stream: true },
      {
        at: rec.clock,
        historic: rec.historic,
        parent: rec,
        born: (c) => w.emit(rec, "child_spawned", { task_id: c.task.id, agent: "researcher" }),
      },
    );
    children.push(child);
  }
  const done = () => children.every((c) => c.finishedMs !== null);
  yield* park(w, rec, "pending_child_tasks", children.length, done);
  w.say(rec, {
    role: "tool",
    call_id: call.id,
    name: call.tool,
    content: JSON.stringify(children.map((c) => ({ status: c.task.status, output: c.output }))),
    turn: rec.turn,
  });
}

export function* life(w, rec, again = false) {
  const agent = w.agent(rec.task.agent);
  let queuedAt = rec.clock;
  if (rec.task.status === "scheduled") {
    yield rec.historic ? { ms: rec.dueMs - rec.clock } : { until: () => w.now >= rec.dueMs };
    w.setStatus(rec, "queued");
    queuedAt = rec.clock;
  }
  yield* claim(w, rec, queuedAt);
  const turns = rec.task.agent === "triage" ? 1 : 2 + Math.floor(w.rnd() * 3);
  const fate = again || rec.force || rec.calm ? 1 : w.rnd();
  const first = rec.task.turns + 1;
  for (let turn = first; turn < first + turns; turn += 1) {
    rec.turn = turn;
    steer(w, rec);
    w.emit(rec, "progress_update_run_turn_started");
    const last = turn === first + turns - 1;
    if (rec.historic && fate > 0.14 && fate < 0.17 && turn === first + 1) {
      w.end(rec, "cancelled", { cancel_reason: "no longer needed" });
      w.emit(rec, "run_cancelled", { turns: rec.task.turns, reason: "no longer needed" });
      return;
    }
    if (fate < 0.14 && turn === first + turns - 1) {
      if (yield* trouble(w, rec, fate)) return;
    }
    const calls = last ? [] : plan(w, rec, agent, turn === first);
    const text = last
      ? w.pick(REPLIES)
      : turn === first
        ? "Let me look that up."
        : "One more thing to check before I answer.";
    let whole = yield* model(w, rec, text, calls);
    while (!whole) {
      steer(w, rec);
      whole = yield* model(w, rec, "Understood, I take that into account.", calls);
    }
    if (last) rec.output = text;
    yield* tools(w, rec, calls);
    rec.task.turns = turn;
    w.emit(rec, "progress_update_run_turn_completed");
    if (last && rec.steering.length > 0)
      for (;;) {
        rec.turn = rec.task.turns + 1;
        steer(w, rec);
        w.emit(rec, "progress_update_run_turn_started");
        yield* model(w, rec, w.pick(REPLIES), []);
        rec.task.turns = rec.turn;
        w.emit(rec, "progress_update_run_turn_completed");
        if (rec.steering.length === 0) break;
      }
  }
  // The output is no message.
  const said = rec.messages.at(-1);
  if (said?.role === "assistant") {
    rec.output = said.content;
    rec.messages.pop();
  }
  w.end(rec, "completed");
  w.emit(rec, "run_completed", { turns: rec.task.turns });
}

function plan(w, rec, agent, first) {
  const make = (tool, given) => ({ id: `call_${w.hex(8)}`, tool, args: given ?? args(tool, w) });
  if (rec.force && first) return [make(rec.force)];
  if (agent.name === "planner")
    return first
      ? [make("research", { topics: ["Subsidies", "Installers", "Prices"].slice(0, 2 + Math.floor(w.rnd() * 2)) })]
      : w.rnd() < 0.5
        ? [make("publish")]
        : [];
  if (agent.name === "support")
    return first ? [make("get_order"), make("search_docs")] : w.rnd() < 0.07 ? [make("refund")] : [make("search_docs")];
  if (agent.name === "coder" && !first && w.rnd() < 0.25)
    return [make(w.rnd() < 0.6 ? "open_pull_request" : "ask_reviewer")];
  const list = agent.tools.filter((t) => !["open_pull_request", "ask_reviewer"].includes(t));
  return list.length > 0 ? [make(w.pick(list)), ...(w.rnd() < 0.5 ? [make(w.pick(list))] : [])] : [];
}

/** Something goes wrong; true when it ends the task. */
function* trouble(w, rec, fate) {
  yield { ms: w.between(800, 4000) };
  if (fate < 0.02) {
    const worker = rec.task.worker_id;
    yield { ms: w.between(10_000, 14_000) };
    rec.task.recoveries += 1;
    w.setStatus(rec, "queued");
    w.emit(rec, "task_recovered", { worker });
    yield* claim(w, rec, rec.clock);
    w.emit(rec, "progress_update_run_turn_started");
    return false;
  }
  const [kind, message, status, retryable] = w.pick(FAILURES);
  const failure = { kind, message, ...(status ? { provider_status: status } : {}) };
  const tries = retryable ? (fate < 0.08 ? 5 : 1 + Math.floor(w.rnd() * 2)) : 0;
  for (let i = 0; i < tries; i += 1) {
    const delay = w.between(0.5, 2 ** (i + 1));
    rec.task.retries += 1;
    rec.task.failure = failure;
    rec.retriedAt.push(rec.clock);
    rec.task.run_at = w.iso(rec.clock + delay * 1000);
    delete rec.task.worker_id;
    w.setStatus(rec, "backoff");
    w.emit(rec, "task_retried", {
      kind,
      message,
      ...(status ? { status } : {}),
      delay_seconds: Math.round(delay * 1000) / 1000,
    });
    yield { ms: delay * 1000 };
    w.setStatus(rec, "queued");
    yield* claim(w, rec, rec.clock);
    w.emit(rec, "progress_update_run_turn_started");
    yield { ms: w.between(300, 1500) };
  }
  if (retryable && fate >= 0.08) return false;
  w.end(rec, "failed", { failure });
  w.emit(rec, "run_failed", { turns: rec.task.turns, ...failure, ...(status ? { status } : {}) });
  return true;
}
