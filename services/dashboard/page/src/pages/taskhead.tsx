/** The head of a task's page: its state and why it is in it, its figures, and the actions. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { useTopic } from "../api/store";
import type { Agent, Page, Task, TaskResult } from "../api/types";
import { cost, duration, ms, plural, short, shortId } from "../lib/format";
import { FAILURE_HINT, isTerminal } from "../lib/status";
import type { TaskFeed } from "../lib/taskfeed";
import { go, href } from "../lib/url";
import { Badge, Button, CopyButton, Facts } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Field } from "../ui/field";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/menu";
import { StatusPill } from "../ui/status";
import { Duration, RelativeTime } from "../ui/time";
import { type Actions, report } from "./useactions";

export function TaskHead({ feed, actions }: { feed: TaskFeed; actions: Actions }) {
  const { task } = feed;
  const ended = isTerminal(task.status);
  return (
    <header class="task-head">
      <div class="task-title">
        <div class="task-path small">
          <a href={href("/tasks")}>Tasks</a>
          {task.root_id && task.root_id !== task.parent_id && (
            <>
              <Icon name="right" />
              <a href={href(`/tasks/${task.root_id}`)}>root {shortId(task.root_id)}</a>
            </>
          )}
          {task.parent_id && (
            <>
              <Icon name="right" />
              <a href={href(`/tasks/${task.parent_id}`)}>parent {shortId(task.parent_id)}</a>
            </>
          )}
        </div>
        <h1>
          <StatusPill status={task.status} />
          <span class="mono task-id" title={task.id}>
            {task.id}
          </span>
          <CopyButton text={task.id} what="id" />
        </h1>
        <p class="task-why">
          <Why task={task} />
        </p>
      </div>
      <TaskActions feed={feed} actions={actions} ended={ended} />
      {actions.pending.length > 0 && (
        <ul class="pending" aria-live="polite">
          {actions.pending.map((p) => (
            <li key={p.id}>
              <Icon name="ring" spin /> {p.doing}
              {p.late ? ": accepted, but its event has not been seen yet" : "…"}
            </li>
          ))}
        </ul>
      )}
      {task.status === "failed" && task.failure && <FailureBox task={task} />}
      <Figures task={task} />
      {Object.keys(task.metadata ?? {}).length > 0 && (
        <ul class="labels" aria-label="Metadata">
          {Object.entries(task.metadata ?? {}).map(([key, value]) => (
            <li key={key} class="label">
              <a href={href("/tasks", { q: value })} title={`Tasks with ${value}`}>
                {key}: {value}
              </a>
            </li>
          ))}
        </ul>
      )}
    </header>
  );
}

/** Why it is where it is, in a sentence. */
function Why({ task }: { task: Task }) {
  const queued = task.status === "queued";
  const agents = useTopic<Page<Agent>>("agents", queued ? {} : null);
  switch (task.status) {
    case "scheduled":
      return (
        <>
          Starts <RelativeTime at={task.run_at ?? null} />.
        </>
      );
    case "queued": {
      const agent = agents.data?.data.find((a) => a.name === task.agent);
      if (agent?.paused)
        return <span class="warn-text">{task.agent} is paused: nothing of it is claimed until it is resumed.</span>;
      if (agents.data && (agent?.workers ?? 0) === 0)
        return <span class="bad-text">No worker serves {task.agent}. It starts when one comes.</span>;
      return (
        <>
          Waits for a free slot of {task.agent}
          {agent ? `, one of ${plural(agent.queued, "queued task")}` : ""}.
        </>
      );
    }
    case "processing":
      return (
        <>
          Turn {task.turns + 1} runs on <span class="mono">{task.worker_id ?? "a worker"}</span>, attempt{" "}
          {task.attempts}.
        </>
      );
    case "backoff":
      return (
        <>
          Tried again <RelativeTime at={task.run_at ?? null} /> after{" "}
          <strong>{task.failure?.kind ?? "an error"}</strong>
          {task.failure?.provider_status ? ` (${task.failure.provider_status})` : ""}: {task.failure?.message}
        </>
      );
    case "pending_tool_results":
      return <>Waits for {plural(task.awaiting ?? 0, "answer")} from outside; holds no slot.</>;
    case "pending_child_tasks":
      return <>Waits for {plural(task.awaiting ?? 0, "child", "children")}; holds no slot.</>;
    case "completed":
      return (
        <>
          Ended <RelativeTime at={task.finished_at ?? null} /> after {plural(task.turns, "turn")}.
        </>
      );
    case "failed":
      return (
        <>
          Ended <RelativeTime at={task.finished_at ?? null} /> after {plural(task.attempts, "attempt")}.
        </>
      );
    case "cancelled":
      return (
        <>
          Cancelled <RelativeTime at={task.finished_at ?? null} />
          {task.cancel_reason ? `: ${task.cancel_reason}` : "."}
        </>
      );
    default:
      return null;
  }
}

function FailureBox({ task }: { task: Task }) {
  const { failure } = task;
  if (!failure) return null;
  return (
    <div class="failure">
      <Icon name="warning" />
      <div>
        <p>
          <strong>{failure.kind}</strong>
          {failure.provider_status && <Badge tone="bad">HTTP {failure.provider_status}</Badge>} {failure.message}
        </p>
        {FAILURE_HINT[failure.kind] && <p class="muted">{FAILURE_HINT[failure.kind]}</p>}
      </div>
    </div>
  );
}

function Figures({ task }: { task: Task }) {
  const started = ms(task.started_at);
  const created = ms(task.created_at);
  const { usage } = task;
  const below = task.descendants;
  const belowTokens = below ? below.usage.input_tokens + below.usage.output_tokens : 0;
  const counts: ComponentChildren = [
    task.retries > 0 && plural(task.retries, "retry", "retries"),
    task.recoveries > 0 && plural(task.recoveries, "recovery", "recoveries"),
    task.hand_backs > 0 && plural(task.hand_backs, "hand-back"),
  ]
    .filter(Boolean)
    .join(", ");
  return (
    <Facts
      class="task-figures"
      items={[
        ["Agent", <a href={href(`/agents/${encodeURIComponent(task.agent)}`)}>{task.agent}</a>],
        ["Owner", <a href={href("/tasks", { owner: task.owner_id })}>{task.owner_id}</a>],
        ["Created", <RelativeTime at={task.created_at} />],
        [
          "Queue wait",
          started !== null && created !== null ? <span class="num">{duration(started - created)}</span> : null,
        ],
        ["Run time", started === null ? null : <Duration from={started} to={task.finished_at ?? null} />],
        ["Turns", <span class="num">{task.turns}</span>],
        ["Tool calls", <span class="num">{task.tool_calls}</span>],
        [
          "Attempts",
          <span>
            <span class="num">{task.attempts}</span>
            {counts && <span class="muted"> ({counts})</span>}
          </span>,
        ],
        [
          "Tokens",
          <span class="num" title={`${usage.cached_input_tokens} cached, ${usage.reasoning_tokens} reasoning`}>
            {short(usage.input_tokens)} in, {short(usage.output_tokens)} out
          </span>,
        ],
        ["Cost", task.cost_usd_micros ? <span class="num">{cost(task.cost_usd_micros)}</span> : null],
        [
          "Descendants",
          below && below.ended > 0 ? (
            <span class="num">
              {below.ended} ended, {short(belowTokens)} tok
              {below.cost_usd_micros > 0 ? `, ${cost(below.cost_usd_micros)}` : ""}
            </span>
          ) : null,
        ],
        ["Priority", <span class="num">{task.priority}</span>],
        ["Deadline", task.deadline_at && !isTerminal(task.status) ? <RelativeTime at={task.deadline_at} /> : null],
        ["Batch", task.batch_id && <a href={href(`/batches/${task.batch_id}`)}>{shortId(task.batch_id)}</a>],
        [
          "Goes on with",
          task.previous_task_id && (
            <a href={href(`/tasks/${task.previous_task_id}`)}>{shortId(task.previous_task_id)}</a>
          ),
        ],
      ]}
    />
  );
}

function TaskActions({ feed, actions, ended }: { feed: TaskFeed; actions: Actions; ended: boolean }) {
  const { task } = feed;
  const [asking, setAsking] = useState(false);
  const retryable = task.status === "failed" || task.status === "cancelled";
  const first = feed.messages.findLast(
    (message) => message.role === "user" && !("steered" in message && message.steered),
  );
  const again = (): void =>
    go("/tasks/new", {
      agent: task.agent,
      owner: task.owner_id,
      query: first && "content" in first ? first.content.slice(0, 4000) : "",
      priority: String(task.priority),
      stream: task.stream ? "1" : null,
    });
  return (
    <div class="task-actions">
      {!ended && (
        <Button needs="submitter" icon="steer" onClick={() => focusComposer()}>
          Steer
        </Button>
      )}
      {retryable && (
        <Button
          needs="operator"
          kind="primary"
          icon="retry"
          busy={actions.pending.some((p) => p.doing === "Retrying")}
          onClick={() => report(actions.retry())}
        >
          Retry
        </Button>
      )}
      {ended && (
        <Button needs="submitter" icon="send" onClick={() => focusComposer()}>
          Continue
        </Button>
      )}
      {!ended && (
        <Button
          needs="submitter"
          kind="danger"
          icon="cross"
          busy={actions.pending.some((p) => p.doing === "Cancelling")}
          onClick={() => setAsking(true)}
        >
          Cancel…
        </Button>
      )}
      <Menu
        label="More actions"
        items={[
          { label: "New task like this", icon: "plus", run: again },
          { label: "Tasks of this owner", icon: "filter", run: () => go("/tasks", { owner: task.owner_id }) },
          { label: "Tasks of this agent", icon: "filter", run: () => go("/tasks", { agent: task.agent }) },
        ]}
      />
      {asking && <CancelDialog task={task} actions={actions} onClose={() => setAsking(false)} />}
    </div>
  );
}

/** The composer is part of the conversation, which may not be the tab that is shown. */
function focusComposer(): void {
  const focus = (): boolean => {
    const field = document.getElementById("composer-text");
    field?.focus();
    field?.scrollIntoView({ block: "center" });
    return field !== null;
  };
  if (focus()) return;
  const url = new URL(location.href);
  url.searchParams.set("tab", "conversation");
  go(url.pathname.replace(/^\/observability/, ""), Object.fromEntries(url.searchParams));
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

function CancelDialog({ task, actions, onClose }: { task: Task; actions: Actions; onClose: () => void }) {
  const [reason, setReason] = useState("");
  return (
    <Confirm
      title="Cancel this task"
      action="Cancel the task"
      kind="danger"
      run={() => actions.cancel(reason.trim() || undefined)}
      onClose={onClose}
    >
      <p>
        <span class="mono">{shortId(task.id)}</span> of {task.agent} ends at once, with all its descendants. Its open
        model call and tools are aborted. It can be retried later, and goes on from its last commit.
      </p>
      <Field label="Reason" hint="Kept with the task; may be empty." value={reason} onInput={setReason} />
    </Confirm>
  );
}

/** The output, which is no message; read once when the task has completed. */
export function useResult(task: Task): TaskResult | null {
  const [result, setResult] = useState<TaskResult | null>(null);
  const done = task.status === "completed";
  useEffect(() => {
    setResult(null);
    if (!done) return;
    let gone = false;
    api.result(task.id).then(
      (read) => !gone && setResult(read),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [task.id, done, task.finished_at]);
  return result;
}
