/** Redis, the chores of the reaper, and the partitions. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useTopic } from "../api/store";
import type { Chore, Counts, System } from "../api/types";
import { useTitle } from "../config";
import { bytes, duration, percent, whole } from "../lib/format";
import { open, STATUS_LABEL, STATUSES, waiting } from "../lib/status";
import { Badge, Card, EmptyState, Facts, Progress } from "../ui/basic";
import { Icon } from "../ui/icons";
import { Sparkline } from "../ui/sparkline";
import { MiniBar } from "../ui/status";
import { type Column, sorted, Table, useSorting } from "../ui/table";
import { RelativeTime } from "../ui/time";
import { Loaded, PageHead } from "./parts";

const KEPT = 90;
const FULL = 0.85;

/** What was seen while the page is open; the server keeps no history of it. */
function useHistory(value: number | undefined, at: string | undefined): number[] {
  const [values, setValues] = useState<number[]>([]);
  const last = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (value === undefined || at === last.current) return;
    last.current = at;
    setValues((before) => [...before.slice(-(KEPT - 1)), value]);
  }, [value, at]);
  return values;
}

export function SystemPage() {
  useTitle("System");
  const state = useTopic<System>("system", {});
  const latency = useHistory(state.data?.redis.latency_ms, state.data?.at);
  const commands = useHistory(state.data?.redis.commands_per_second, state.data?.at);
  return (
    <>
      <PageHead title="System" note={state.data && `Namespace ${state.data.namespace}, schema ${state.data.schema}`} />
      <Loaded state={state} again={state.again}>
        {(data) => (
          <div class="stack">
            <Warnings data={data} />
            <div class="stats">
              <Memory redis={data.redis} />
              <div class="stat">
                <span class="stat-label">Latency</span>
                <span class="stat-value num">{data.redis.latency_ms.toFixed(2)} ms</span>
                <span class="stat-more">
                  <Sparkline values={latency} label="Latency, while this page is open" />
                </span>
              </div>
              <div class="stat">
                <span class="stat-label">Commands a second</span>
                <span class="stat-value num">{whole(data.redis.commands_per_second)}</span>
                <span class="stat-more">
                  <Sparkline values={commands} label="Commands a second, while this page is open" />
                </span>
              </div>
              <div class="stat">
                <span class="stat-label">Clients</span>
                <span class="stat-value num">{whole(data.redis.clients)}</span>
                <span class="stat-more">up for {duration(data.redis.uptime_seconds * 1000)}</span>
              </div>
            </div>
            <div class="grid system-grid">
              <Card title="Chores" flush>
                <Chores chores={data.chores} />
              </Card>
              <Card title="Redis">
                <Facts
                  items={[
                    ["Version", data.redis.version],
                    ["Mode", data.redis.mode],
                    ["Append-only file", data.redis.append_only ? "on" : "off"],
                    ["Memory used", bytes(data.redis.used_memory_bytes)],
                    ["Memory limit", data.redis.max_memory_bytes ? bytes(data.redis.max_memory_bytes) : "none"],
                    ["Fragmentation", data.redis.fragmentation?.toFixed(2) ?? "–"],
                  ]}
                />
              </Card>
            </div>
            <Card title="Partitions" flush aside={<span class="muted num">{data.partitions.length}</span>}>
              <Partitions partitions={data.partitions} />
            </Card>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Warnings({ data }: { data: System }) {
  const out: { tone: "bad" | "warn"; text: string }[] = [];
  const { redis } = data;
  for (const chore of data.chores) if (chore.stalled) out.push({ tone: "bad", text: `Chore ${chore.name} is stalled` });
  const full = redis.max_memory_bytes ? redis.used_memory_bytes / redis.max_memory_bytes : 0;
  if (full > FULL) out.push({ tone: "bad", text: `Redis is nearly full: ${percent(full)}` });
  if (redis.max_memory_bytes === null)
    out.push({ tone: "warn", text: "Redis has no memory limit: it can take all of its machine" });
  if (!redis.append_only)
    out.push({
      tone: "warn",
      text: "The append-only file is off: a crash of Redis loses what was accepted since its last snapshot",
    });
  if (out.length === 0) {
    return (
      <p class="calm">
        <Icon name="check" /> All is well.
      </p>
    );
  }
  return (
    <ul class="attention">
      {out.map((w) => (
        <li key={w.text}>
          <span class={`notice tone-${w.tone}`}>
            <Icon name="warning" /> {w.text}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Memory({ redis }: { redis: System["redis"] }) {
  const max = redis.max_memory_bytes;
  const use = max ? redis.used_memory_bytes / max : null;
  return (
    <div class={`stat${use !== null && use > FULL ? " tone-bad" : ""}`}>
      <span class="stat-label">Memory</span>
      <span class="stat-value num">{bytes(redis.used_memory_bytes)}</span>
      <span class="stat-more">
        {use === null ? (
          <span>no limit</span>
        ) : (
          <>
            <Progress value={use} label="Memory in use" tone={use > FULL ? "bad" : "info"} />
            <span>
              {percent(use)} of {bytes(max)}
            </span>
          </>
        )}
      </span>
    </div>
  );
}

const CHORES: Column<Chore>[] = [
  { key: "name", head: "Chore", title: true, sort: (c) => c.name, cell: (c) => <span class="mono">{c.name}</span> },
  {
    key: "state",
    head: "State",
    sort: (c) => (c.stalled ? 0 : 1),
    cell: (c) =>
      c.stalled ? (
        <Badge tone="bad" icon="warning">
          stalled
        </Badge>
      ) : (
        <Badge tone="good" icon="check">
          well
        </Badge>
      ),
  },
  {
    key: "last",
    head: "Last success",
    align: "right",
    sort: (c) => c.last_success_at,
    cell: (c) => (c.last_success_at ? <RelativeTime at={c.last_success_at} /> : <span class="muted">never</span>),
  },
  {
    key: "took",
    head: "Took",
    align: "right",
    sort: (c) => c.took_ms,
    cell: (c) => <span class="num">{duration(c.took_ms)}</span>,
  },
  {
    key: "done",
    head: "Done",
    align: "right",
    sort: (c) => c.done,
    cell: (c) => <span class="num">{whole(c.done)}</span>,
  },
];

function Chores({ chores }: { chores: readonly Chore[] }) {
  const [sorting, setSorting] = useSorting("chores", { key: "state", down: false });
  return (
    <Table
      caption="Chores"
      rows={sorted(chores, CHORES, sorting)}
      columns={CHORES}
      id={(c) => c.name}
      sorting={sorting}
      onSort={setSorting}
      rowClass={(c) => (c.stalled ? "row-bad" : "")}
      empty={
        <EmptyState icon="clock" title="No reaper has run yet">
          Without one, nothing is promoted, recovered or expired.
        </EmptyState>
      }
    />
  );
}

type Partition = { number: number; counts: Counts };

const PARTITIONS: Column<Partition>[] = [
  {
    key: "number",
    head: "Partition",
    title: true,
    sort: (p) => p.number,
    cell: (p) => <span class="num">{p.number}</span>,
  },
  {
    key: "states",
    head: "States",
    class: "cell-bar",
    cell: (p) => (
      <MiniBar
        counts={p.counts}
        label={
          STATUSES.filter((s) => p.counts[s] > 0)
            .map((s) => `${STATUS_LABEL[s]} ${p.counts[s]}`)
            .join(", ") || "empty"
        }
      />
    ),
  },
  {
    key: "open",
    head: "Not ended",
    align: "right",
    sort: (p) => open(p.counts),
    cell: (p) => <span class="num">{whole(open(p.counts))}</span>,
  },
  {
    key: "queued",
    head: "Queued",
    align: "right",
    sort: (p) => p.counts.queued,
    cell: (p) => <span class="num">{whole(p.counts.queued)}</span>,
  },
  {
    key: "processing",
    head: "Processing",
    align: "right",
    sort: (p) => p.counts.processing,
    cell: (p) => <span class="num">{whole(p.counts.processing)}</span>,
  },
  {
    key: "waiting",
    head: "Waiting",
    align: "right",
    sort: (p) => waiting(p.counts),
    cell: (p) => <span class="num">{whole(waiting(p.counts))}</span>,
  },
  {
    key: "failed",
    head: "Failed",
    align: "right",
    sort: (p) => p.counts.failed,
    cell: (p) => <span class="num">{whole(p.counts.failed)}</span>,
  },
  {
    key: "completed",
    head: "Completed",
    align: "right",
    sort: (p) => p.counts.completed,
    cell: (p) => <span class="num">{whole(p.counts.completed)}</span>,
  },
];

function Partitions({ partitions }: { partitions: readonly Partition[] }) {
  const [sorting, setSorting] = useSorting("sort", { key: "number", down: false });
  return (
    <Table
      caption="Partitions"
      rows={sorted(partitions, PARTITIONS, sorting)}
      columns={PARTITIONS}
      id={(p) => String(p.number)}
      sorting={sorting}
      onSort={setSorting}
      empty={<EmptyState icon="system" title="No partition" />}
    />
  );
}
