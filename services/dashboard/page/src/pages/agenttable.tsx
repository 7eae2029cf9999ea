/** The agents of an overview with all that is known of each. */
import type { AgentActivity } from "../api/types";
import { cost, duration, ms, percent, short, whole } from "../lib/format";
import { STATUS_LABEL, STATUSES, waiting } from "../lib/status";
import { href } from "../lib/url";
import { Badge, EmptyState } from "../ui/basic";
import { MiniBar, tasksIn } from "../ui/status";
import { type Column, sorted, Table, useSorting } from "../ui/table";
import { RelativeTime } from "../ui/time";

function tokensOf(agent: AgentActivity): number {
  return agent.models.reduce((n, m) => n + m.input_tokens + m.output_tokens, 0);
}

function costOf(agent: AgentActivity): number | null {
  const priced = agent.models.filter((m) => m.cost_usd_micros !== null);
  return priced.length === 0 ? null : priced.reduce((n, m) => n + (m.cost_usd_micros ?? 0), 0);
}

function Count({ n, link, tone }: { n: number; link: string; tone?: string }) {
  return n === 0 ? (
    <span class="muted num">0</span>
  ) : (
    <a class={`num${tone ? ` ${tone}` : ""}`} href={link}>
      {whole(n)}
    </a>
  );
}

const COLUMNS: Column<AgentActivity>[] = [
  {
    key: "name",
    head: "Agent",
    title: true,
    sort: (a) => a.name,
    cell: (a) => (
      <span class="agent-name">
        <a href={href(`/agents/${encodeURIComponent(a.name)}`)}>{a.name}</a>
        {a.paused && (
          <Badge tone="warn" icon="pause">
            paused
          </Badge>
        )}
        {a.workers === 0 && <Badge tone={a.counts.queued > 0 ? "bad" : "neutral"}>no worker</Badge>}
      </span>
    ),
  },
  {
    key: "running",
    head: "Slots",
    align: "right",
    sort: (a) => a.running,
    cell: (a) => (
      <span class="num" title={`${a.workers} workers`}>
        {whole(a.running)} <span class="muted">/ {whole(a.slots)}</span>
      </span>
    ),
  },
  {
    key: "queued",
    head: "Queued",
    align: "right",
    sort: (a) => a.counts.queued,
    cell: (a) => <Count n={a.counts.queued} link={tasksIn("queued", { agent: a.name })} />,
  },
  {
    key: "waiting",
    head: "Waiting",
    align: "right",
    sort: (a) => waiting(a.counts),
    cell: (a) => <Count n={waiting(a.counts)} link={tasksIn("pending_tool_results", { agent: a.name })} />,
  },
  {
    key: "completed",
    head: "Completed",
    align: "right",
    sort: (a) => a.totals.completed,
    cell: (a) => <Count n={a.totals.completed} link={tasksIn("completed", { agent: a.name })} />,
  },
  {
    key: "failed",
    head: "Failed",
    align: "right",
    sort: (a) => a.totals.failed,
    cell: (a) => <Count n={a.totals.failed} tone="bad-text" link={tasksIn("failed", { agent: a.name })} />,
  },
  {
    key: "retried",
    head: "Retried",
    align: "right",
    wideOnly: true,
    class: "desk-only",
    sort: (a) => a.totals.retried,
    cell: (a) => <span class="num">{whole(a.totals.retried)}</span>,
  },
  {
    key: "success",
    head: "Success",
    align: "right",
    sort: (a) => a.success_rate,
    cell: (a) => <span class={`num${(a.success_rate ?? 1) < 0.9 ? " bad-text" : ""}`}>{percent(a.success_rate)}</span>,
  },
  {
    key: "wait",
    head: "Wait p95",
    align: "right",
    wideOnly: true,
    sort: (a) => a.queue_wait.p95_ms,
    cell: (a) => <span class="num">{duration(a.queue_wait.p95_ms)}</span>,
  },
  {
    key: "run",
    head: "Run p50 / p95",
    align: "right",
    class: "cell-row",
    sort: (a) => a.run_time.p95_ms,
    cell: (a) => (
      <span class="num">
        <span class="muted">{duration(a.run_time.p50_ms)} /</span> {duration(a.run_time.p95_ms)}
      </span>
    ),
  },
  {
    key: "tokens",
    head: "Tokens",
    align: "right",
    sort: tokensOf,
    cell: (a) => <span class="num">{short(tokensOf(a))}</span>,
  },
  { key: "cost", head: "Cost", align: "right", sort: costOf, cell: (a) => <span class="num">{cost(costOf(a))}</span> },
  {
    key: "oldest",
    head: "Oldest",
    align: "right",
    sort: (a) => ms(a.oldest_queued_at),
    cell: (a) => (a.oldest_queued_at ? <RelativeTime at={a.oldest_queued_at} /> : <span class="muted">–</span>),
  },
  {
    key: "states",
    head: "States",
    wideOnly: true,
    class: "cell-bar desk-only",
    cell: (a) => (
      <MiniBar
        counts={a.counts}
        label={
          STATUSES.filter((s) => a.counts[s] > 0)
            .map((s) => `${STATUS_LABEL[s]} ${a.counts[s]}`)
            .join(", ") || "no tasks"
        }
      />
    ),
  },
];

export function AgentTable({ agents, sortParam }: { agents: readonly AgentActivity[]; sortParam: string }) {
  const [sorting, setSorting] = useSorting(sortParam, { key: "running", down: true });
  return (
    <Table
      caption="Agents"
      rows={sorted(agents, COLUMNS, sorting)}
      columns={COLUMNS}
      id={(a) => a.name}
      link={(a) => href(`/agents/${encodeURIComponent(a.name)}`)}
      sorting={sorting}
      onSort={setSorting}
      empty={<EmptyState icon="agents" title="No agent" />}
    />
  );
}
