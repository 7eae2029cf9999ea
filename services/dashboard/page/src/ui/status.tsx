/** States of tasks: a mark with its own shape and colour, always with its name. */
import type { Counts, TaskStatus } from "../api/types";
import { percent, whole } from "../lib/format";
import { STATUS_LABEL, STATUSES } from "../lib/status";
import { href } from "../lib/url";
import { Icon, type IconName } from "./icons";

const ICON: Record<TaskStatus, IconName> = {
  scheduled: "clock",
  queued: "circle",
  processing: "ring",
  backoff: "retry",
  pending_tool_results: "hand",
  pending_child_tasks: "branch",
  completed: "check",
  failed: "cross",
  cancelled: "minus",
};

export function StatusMark({ status }: { status: TaskStatus }) {
  return (
    <span class={`mark status-${status}`}>
      <Icon name={ICON[status]} spin={status === "processing"} />
    </span>
  );
}

export function StatusPill({ status }: { status: TaskStatus }) {
  return (
    <span class={`pill status-${status}`}>
      <Icon name={ICON[status]} spin={status === "processing"} />
      {STATUS_LABEL[status]}
    </span>
  );
}

/** How many are in each state: a bar, and its legend of links, which is its text. */
export function StatusBar({
  counts,
  link,
  only,
}: {
  counts: Partial<Counts>;
  link: (status: TaskStatus) => string;
  only?: readonly TaskStatus[];
}) {
  const shown = only ?? STATUSES;
  const total = shown.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return (
    <div class="statusbar">
      <div class="statusbar-bar" aria-hidden="true">
        {shown.map((status) => {
          const n = counts[status] ?? 0;
          // A state with one task in a million has to be seen too.
          return n === 0 ? null : (
            <span
              key={status}
              class={`status-${status}`}
              style={{ flexGrow: n, flexBasis: "4px" }}
              title={`${STATUS_LABEL[status]}: ${whole(n)}`}
            />
          );
        })}
        {total === 0 && <span class="statusbar-none" />}
      </div>
      <ul class="statusbar-legend">
        {shown.map((status) => (
          <li key={status} class={(counts[status] ?? 0) === 0 ? "none" : ""}>
            <a href={link(status)}>
              <StatusMark status={status} />
              <span class="statusbar-name">{STATUS_LABEL[status]}</span>
              <span class="num">{whole(counts[status] ?? 0)}</span>
              {total > 0 && <span class="muted num statusbar-share">{percent((counts[status] ?? 0) / total, 0)}</span>}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function tasksIn(status: TaskStatus, more: Record<string, string | null | undefined> = {}): string {
  return href("/tasks", { status, ...more });
}

/** A thin bar of states, for rows. */
export function MiniBar({ counts, label }: { counts: Partial<Record<string, number>>; label: string }) {
  return (
    <span class="minibar" role="img" aria-label={label}>
      {STATUSES.map((status) => {
        const n = counts[status] ?? 0;
        return n === 0 ? null : <span key={status} class={`status-${status}`} style={{ flexGrow: n }} />;
      })}
    </span>
  );
}
