/** The columns of a list of tasks, and which of them are shown. */
import type { Task } from "../api/types";
import { cost, short, shortId, whole } from "../lib/format";
import { isTerminal } from "../lib/status";
import { href } from "../lib/url";
import { Badge } from "../ui/basic";
import { StatusPill } from "../ui/status";
import type { Column } from "../ui/table";
import { Duration, RelativeTime } from "../ui/time";

function Why({ task }: { task: Task }) {
  if (task.status === "failed" && task.failure) return <span class="bad-text small">{task.failure.kind}</span>;
  if (task.status === "backoff" && task.failure) return <span class="warn-text small">{task.failure.kind}</span>;
  if ((task.awaiting ?? 0) > 0) return <span class="muted small">awaits {task.awaiting}</span>;
  if (task.status === "scheduled" && task.run_at) {
    return (
      <span class="muted small">
        <RelativeTime at={task.run_at} />
      </span>
    );
  }
  return null;
}

const COLUMNS: Column<Task>[] = [
  {
    key: "status",
    head: "State",
    class: "cell-state",
    cell: (task) => (
      <span class="cell-status">
        <StatusPill status={task.status} /> <Why task={task} />
      </span>
    ),
  },
  {
    key: "task",
    head: "Task",
    title: true,
    cell: (task) => (
      <span class="cell-task">
        <a class="mono" href={href(`/tasks/${task.id}`)} title={task.id}>
          {shortId(task.id)}
        </a>
        {(task.depth ?? 0) > 0 && <Badge title={`Child of ${task.parent_id ?? ""}`}>child</Badge>}
        {Object.entries(task.metadata ?? {})
          .slice(0, 2)
          .map(([key, value]) => (
            <span key={key} class="label" title={`${key}: ${value}`}>
              {key}: {value}
            </span>
          ))}
      </span>
    ),
  },
  {
    key: "agent",
    head: "Agent",
    cell: (task) => <a href={href(`/agents/${encodeURIComponent(task.agent)}`)}>{task.agent}</a>,
  },
  { key: "owner", head: "Owner", class: "cell-owner", cell: (task) => task.owner_id },
  { key: "created", head: "Created", align: "right", cell: (task) => <RelativeTime at={task.created_at} /> },
  {
    key: "duration",
    head: "Took",
    align: "right",
    cell: (task) => (
      <Duration
        from={task.started_at ?? (isTerminal(task.status) ? task.created_at : null)}
        to={task.finished_at ?? null}
      />
    ),
  },
  {
    key: "turns",
    head: "Turns",
    align: "right",
    wideOnly: true,
    cell: (task) => <span class="num">{whole(task.turns)}</span>,
  },
  {
    key: "attempts",
    head: "Attempts",
    align: "right",
    wideOnly: true,
    cell: (task) => (
      <span class="num" title={`${task.retries} retries, ${task.recoveries} recoveries, ${task.hand_backs} hand-backs`}>
        {whole(task.attempts)}
        {task.recoveries > 0 && <span class="bad-text"> +{task.recoveries}</span>}
      </span>
    ),
  },
  {
    key: "tokens",
    head: "Tokens",
    align: "right",
    cell: (task) => <span class="num">{short(task.usage.input_tokens + task.usage.output_tokens)}</span>,
  },
  {
    key: "cost",
    head: "Cost",
    align: "right",
    wideOnly: true,
    cell: (task) => <span class="num">{task.cost_usd_micros ? cost(task.cost_usd_micros) : "–"}</span>,
  },
  { key: "priority", head: "Priority", align: "right", cell: (task) => <span class="num">{task.priority}</span> },
  {
    key: "worker",
    head: "Worker",
    cell: (task) => (task.worker_id ? <span class="mono">{task.worker_id}</span> : <span class="muted">–</span>),
  },
];

/** Not shown unless asked for. */
const EXTRA = new Set(["priority", "worker"]);

export const COLUMN_NAMES = COLUMNS.map(({ key, head }) => ({ key, head }));
export const STANDARD_COLUMNS = COLUMNS.map((c) => c.key).filter((key) => !EXTRA.has(key));

/** `cols` lists keys, separated by commas; absent: the usual ones. */
export function columnKeys(cols: string | undefined): string[] {
  const asked = cols?.split(",").filter((key) => COLUMNS.some((c) => c.key === key)) ?? [];
  return asked.length > 0 ? [...new Set(["task", ...asked])] : STANDARD_COLUMNS;
}

export function shownColumns(cols: string | undefined, without: readonly string[] = []): Column<Task>[] {
  const keys = columnKeys(cols);
  return COLUMNS.filter((c) => keys.includes(c.key) && !without.includes(c.key));
}
