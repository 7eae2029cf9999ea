/** The attempts of a task: who ran it, from when to when, and what ended each. */
import { useMemo } from "preact/hooks";
import { type Attempt, buildAttempts } from "../lib/attempts";
import { duration } from "../lib/format";
import type { TaskFeed } from "../lib/taskfeed";
import { Badge, EmptyState } from "../ui/basic";
import { type Column, Table } from "../ui/table";
import { Duration, RelativeTime } from "../ui/time";

const COLUMNS: Column<Attempt>[] = [
  { key: "number", head: "Attempt", title: true, cell: (a) => <strong class="num">{a.number}</strong> },
  { key: "outcome", head: "Ended by", cell: (a) => <Badge tone={a.tone}>{a.outcome}</Badge> },
  { key: "cause", head: "Cause", class: "cell-wrap", cell: (a) => a.cause ?? <span class="muted">–</span> },
  { key: "worker", head: "Worker", cell: (a) => <span class="mono">{a.worker || "–"}</span> },
  { key: "turns", head: "Turns begun", cell: (a) => <span class="num">{a.turns.join(", ") || "–"}</span> },
  { key: "wait", head: "Queue wait", align: "right", cell: (a) => <span class="num">{duration(a.queueWaitMs)}</span> },
  { key: "took", head: "Took", align: "right", cell: (a) => <Duration from={a.start} to={a.end} /> },
  { key: "start", head: "Began", align: "right", cell: (a) => <RelativeTime at={a.start} /> },
];

export function Attempts({ feed }: { feed: TaskFeed }) {
  const attempts = useMemo(() => buildAttempts(feed.events), [feed.events]);
  return (
    <Table
      caption="Attempts"
      rows={[...attempts].reverse()}
      columns={COLUMNS}
      id={(a) => `${a.number}:${a.start}`}
      empty={
        <EmptyState icon="retry" title="No worker has claimed it yet">
          An attempt begins with a claim and ends with a result, a failure, a wait, or the loss of its worker.
        </EmptyState>
      }
    />
  );
}
