/** The worker processes: what each serves, how full it is, whether it is well. */
import { useTopic } from "../api/store";
import type { Page, Worker } from "../api/types";
import { useTitle } from "../config";
import { now } from "../lib/clock";
import { ms, plural, whole } from "../lib/format";
import { href, query, setQuery } from "../lib/url";
import { Badge, Card, EmptyState, Progress } from "../ui/basic";
import { Select } from "../ui/field";
import { type Column, sorted, Table, useSorting } from "../ui/table";
import { Duration, RelativeTime } from "../ui/time";
import { Loaded, PageHead } from "./parts";

/** Two heartbeats of the usual 5 s are missed: its leases are about to be lost. */
const SILENT_MS = 10_000;

const slots = (w: Worker): number => w.agents.reduce((n, a) => n + a.slots, 0);
const running = (w: Worker): number => w.agents.reduce((n, a) => n + a.running, 0);

function silent(w: Worker): boolean {
  return now.value - (ms(w.last_heartbeat_at) ?? 0) > SILENT_MS;
}

const COLUMNS: Column<Worker>[] = [
  {
    key: "worker",
    head: "Worker",
    title: true,
    sort: (w) => w.host,
    cell: (w) => (
      <span class="cell-task">
        <strong>{w.host}</strong>
        <span class="mono muted small" title={`process ${w.pid}`}>
          {w.id}
        </span>
      </span>
    ),
  },
  {
    key: "state",
    head: "State",
    sort: (w) => (silent(w) ? 0 : w.draining ? 1 : 2),
    cell: (w) =>
      silent(w) ? (
        <Badge tone="bad" icon="warning">
          silent
        </Badge>
      ) : w.draining ? (
        <Badge tone="warn" icon="pause">
          draining
        </Badge>
      ) : (
        <Badge tone="good" icon="check">
          serving
        </Badge>
      ),
  },
  {
    key: "slots",
    head: "Leases / slots",
    class: "cell-progress",
    sort: (w) => (slots(w) > 0 ? running(w) / slots(w) : 0),
    cell: (w) => (
      <span class="batch-progress">
        <Progress value={slots(w) > 0 ? running(w) / slots(w) : 0} label={`Slots in use of ${w.id}`} />
        <a class="num" href={href("/tasks", { worker: w.id })} title="The tasks that it holds">
          {whole(running(w))} / {whole(slots(w))}
        </a>
      </span>
    ),
  },
  {
    key: "agents",
    head: "Agents",
    class: "cell-wrap",
    cell: (w) => (
      <ul class="worker-agents">
        {w.agents.map((a) => (
          <li key={a.name}>
            <a href={href(`/agents/${encodeURIComponent(a.name)}`)}>{a.name}</a>{" "}
            <span class="muted num">
              {a.running}/{a.slots}
            </span>
          </li>
        ))}
      </ul>
    ),
  },
  {
    key: "heartbeat",
    head: "Last heartbeat",
    align: "right",
    sort: (w) => ms(w.last_heartbeat_at),
    cell: (w) => (
      <span class={silent(w) ? "bad-text" : ""}>
        <RelativeTime at={w.last_heartbeat_at} />
      </span>
    ),
  },
  { key: "version", head: "Version", sort: (w) => w.version, cell: (w) => <span class="num">{w.version}</span> },
  { key: "pid", head: "Process", align: "right", wideOnly: true, cell: (w) => <span class="num">{w.pid}</span> },
  {
    key: "up",
    head: "Up for",
    align: "right",
    sort: (w) => -(ms(w.started_at) ?? 0),
    cell: (w) => <Duration from={w.started_at} />,
  },
];

export function WorkersPage() {
  useTitle("Workers");
  const state = useTopic<Page<Worker>>("workers", {});
  const agent = query.value["agent"];
  const [sorting, setSorting] = useSorting("sort", { key: "worker", down: false });
  return (
    <>
      <PageHead
        title="Workers"
        note="Each process claims tasks while it has free slots, and keeps its leases by heartbeats."
      >
        <Select
          quiet
          label="Agent"
          value={agent ?? ""}
          onChange={(value) => setQuery({ agent: value })}
          options={[
            { value: "", label: "All agents" },
            ...[
              ...new Set([
                ...(state.data?.data ?? []).flatMap((w) => w.agents.map((a) => a.name)),
                ...(agent ? [agent] : []),
              ]),
            ].map((name) => ({ value: name, label: name })),
          ]}
        />
      </PageHead>
      <Loaded state={state} again={state.again}>
        {(page) => {
          const rows = page.data.filter((w) => !agent || w.agents.some((a) => a.name === agent));
          const versions = new Set(rows.map((w) => w.version));
          return (
            <Card
              flush
              title={plural(rows.length, "worker")}
              aside={
                <span class="muted num">
                  {whole(rows.reduce((n, w) => n + running(w), 0))} of{" "}
                  {plural(
                    rows.reduce((n, w) => n + slots(w), 0),
                    "slot",
                  )}{" "}
                  in use
                  {versions.size > 1 && <span class="warn-text"> · {versions.size} versions</span>}
                  {page.next_cursor && " · not all are shown"}
                </span>
              }
            >
              <Table
                caption="Workers"
                rows={sorted(rows, COLUMNS, sorting)}
                columns={COLUMNS}
                id={(w) => w.id}
                sorting={sorting}
                onSort={setSorting}
                rowClass={(w) => (silent(w) ? "row-bad" : w.draining ? "row-quiet" : "")}
                empty={
                  <EmptyState icon="workers" title={agent ? `No worker serves ${agent}` : "No worker runs"}>
                    Start one with factorial-worker --agents PATH; it shows up with its first heartbeat.
                  </EmptyState>
                }
              />
            </Card>
          );
        }}
      </Loaded>
    </>
  );
}
