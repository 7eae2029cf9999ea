/** Batches, newest first, with how far each is. */
import { useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import { useTopic } from "../api/store";
import type { Batch, Page, Problem } from "../api/types";
import { useTitle } from "../config";
import { cost, percent, plural, short, shortId, whole } from "../lib/format";
import { useTyped } from "../lib/typed";
import { href, query } from "../lib/url";
import { Badge, Button, EmptyState, ProblemBox, Progress, type Tone } from "../ui/basic";
import { Field } from "../ui/field";
import { MiniBar } from "../ui/status";
import { type Column, Table } from "../ui/table";
import { Duration, RelativeTime } from "../ui/time";
import { Loaded, PageHead } from "./parts";

const TONE: Record<Batch["status"], Tone> = {
  filling: "info",
  running: "info",
  cancelling: "warn",
  completed: "good",
  cancelled: "neutral",
};

export function BatchBadge({ batch }: { batch: Batch }) {
  return <Badge tone={TONE[batch.status]}>{batch.status}</Badge>;
}

export function BatchProgress({ batch }: { batch: Batch }) {
  const { done, total, unit, fraction } = batch.progress;
  return (
    <span class="batch-progress">
      <Progress
        value={fraction}
        label={`Progress of batch ${batch.id}`}
        tone={batch.status === "completed" ? "good" : "info"}
      />
      <span class="num">{percent(fraction, 0)}</span>
      <span class="muted num small" title={`counted in ${unit}`}>
        {whole(done)} / {whole(total)} {unit}
      </span>
    </span>
  );
}

const COLUMNS: Column<Batch>[] = [
  {
    key: "batch",
    head: "Batch",
    title: true,
    cell: (b) => (
      <span class="cell-task">
        <a class="mono" href={href(`/batches/${b.id}`)} title={b.id}>
          {shortId(b.id)}
        </a>
        {Object.entries(b.metadata ?? {})
          .slice(0, 2)
          .map(([key, value]) => (
            <span key={key} class="label">
              {key}: {value}
            </span>
          ))}
      </span>
    ),
  },
  { key: "status", head: "State", cell: (b) => <BatchBadge batch={b} /> },
  { key: "progress", head: "Progress", class: "cell-progress", cell: (b) => <BatchProgress batch={b} /> },
  {
    key: "members",
    head: "Members",
    class: "cell-bar",
    cell: (b) => (
      <span class="cell-members">
        <MiniBar
          counts={b.counts}
          label={Object.entries(b.counts)
            .map(([status, n]) => `${n} ${status}`)
            .join(", ")}
        />
        {(b.counts["failed"] ?? 0) > 0 && (
          <span class="bad-text num small nowrap">{whole(b.counts["failed"])} failed</span>
        )}
      </span>
    ),
  },
  { key: "owner", head: "Owner", cell: (b) => b.owner_id },
  {
    key: "tokens",
    head: "Tokens",
    align: "right",
    cell: (b) => <span class="num">{short(b.usage.input_tokens + b.usage.output_tokens)}</span>,
  },
  {
    key: "cost",
    head: "Cost",
    align: "right",
    cell: (b) => <span class="num">{b.cost_usd_micros ? cost(b.cost_usd_micros) : "–"}</span>,
  },
  { key: "created", head: "Opened", align: "right", cell: (b) => <RelativeTime at={b.created_at} /> },
  {
    key: "took",
    head: "Took",
    align: "right",
    cell: (b) => <Duration from={b.created_at} to={b.finished_at ?? null} />,
  },
];

export function BatchesPage() {
  useTitle("Batches");
  const owner = query.value["owner"];
  const [typed, setTyped] = useTyped("owner");
  const filter: Record<string, string> = owner ? { owner_id: owner } : {};
  const state = useTopic<Page<Batch>>("batches", filter);
  return (
    <>
      <PageHead title="Batches" note="Tasks that were submitted together.">
        <Field quiet label="Owner" placeholder="Any owner" value={typed} onInput={setTyped} />
      </PageHead>
      <Loaded state={state} again={state.again}>
        {(page) => <List key={owner ?? ""} page={page} filter={filter} />}
      </Loaded>
    </>
  );
}

function List({ page, filter }: { page: Page<Batch>; filter: Record<string, string> }) {
  const [further, setFurther] = useState<Page<Batch> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const known = new Set(page.data.map((b) => b.id));
  const rows = [...page.data, ...(further?.data ?? []).filter((b) => !known.has(b.id))];
  const next = further ? further.next_cursor : page.next_cursor;
  const more = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const loaded = await api.batches({ ...filter, cursor: next ?? undefined });
      setFurther((before) => ({
        data: [...(before?.data ?? []), ...loaded.data],
        ...(loaded.next_cursor ? { next_cursor: loaded.next_cursor } : {}),
      }));
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  return (
    <>
      <Table
        caption="Batches"
        limit={Number.POSITIVE_INFINITY}
        rows={rows}
        columns={COLUMNS}
        id={(b) => b.id}
        link={(b) => href(`/batches/${b.id}`)}
        empty={
          <EmptyState icon="batches" title="No batches">
            A batch is submitted with POST /v1/batches, as JSON or as lines.
          </EmptyState>
        }
      />
      {problem && <ProblemBox problem={problem} />}
      <div class="list-foot">
        {next ? (
          <Button busy={busy} onClick={() => void more()}>
            Show more
          </Button>
        ) : (
          <span class="muted">{rows.length > 0 && plural(rows.length, "batch", "batches")}</span>
        )}
      </div>
    </>
  );
}
