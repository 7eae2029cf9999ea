/** One batch: how far it is, what it costs, its members, and its results. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import { useTopic } from "../api/store";
import type { Batch, BatchFrame, BatchResult, Problem, TaskStatus } from "../api/types";
import { useTitle } from "../config";
import { cost, percent, plural, short, shortId, whole } from "../lib/format";
import { isStatus, STATUS_LABEL } from "../lib/status";
import { go, href, query, setQuery } from "../lib/url";
import { Button, CopyButton, EmptyState, Facts, ProblemBox, Skeleton } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Field, Select } from "../ui/field";
import { JsonView } from "../ui/json";
import { StatusBar, StatusPill } from "../ui/status";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { Duration, RelativeTime } from "../ui/time";
import { toast } from "../ui/toast";
import { BatchBadge, BatchProgress } from "./batches";
import { Loaded } from "./parts";
import { TaskList } from "./tasklist";

export function BatchPage({ id }: { id: string }) {
  const state = useTopic<BatchFrame>("batch", { batch_id: id });
  const fraction = state.data?.batch.progress.fraction;
  useTitle(`${fraction === undefined ? "" : `${percent(fraction, 0)} · `}Batch ${shortId(id)}`);
  if (state.problem?.status === 404 && !state.data) {
    return (
      <EmptyState
        icon="batches"
        page
        title="There is no such batch"
        action={<Button onClick={() => go("/batches")}>All batches</Button>}
      >
        It may have expired. The id is {id}.
      </EmptyState>
    );
  }
  return (
    <Loaded state={state} again={state.again}>
      {({ batch }) => <Whole batch={batch} />}
    </Loaded>
  );
}

function Whole({ batch }: { batch: Batch }) {
  const [asking, setAsking] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const tab = query.value["tab"] === "results" ? "results" : "members";
  const status = isStatus(query.value["status"]) ? query.value["status"] : undefined;
  const ended = batch.status === "completed" || batch.status === "cancelled";
  // Confirmed by the state that the feed brings, not by the answer of the call.
  useEffect(() => {
    if (!cancelling || (batch.status !== "cancelled" && batch.status !== "cancelling")) return;
    setCancelling(false);
    toast("good", `The batch is ${batch.status}`);
  }, [cancelling, batch.status]);
  return (
    <div class="stack">
      <header class="task-head">
        <div class="task-title">
          <div class="task-path small">
            <a href={href("/batches")}>Batches</a>
          </div>
          <h1>
            <BatchBadge batch={batch} />
            <span class="mono task-id">{batch.id}</span>
            <CopyButton text={batch.id} what="id" />
          </h1>
          {batch.cancel_reason && <p class="task-why">Cancelled: {batch.cancel_reason}</p>}
        </div>
        <div class="task-actions">
          {!ended && (
            <Button needs="submitter" kind="danger" icon="cross" busy={cancelling} onClick={() => setAsking(true)}>
              Cancel…
            </Button>
          )}
        </div>
        <div class="batch-big">
          <BatchProgress batch={batch} />
        </div>
        <StatusBar counts={batch.counts} link={(s) => href(`/batches/${batch.id}`, { status: s })} />
        <Facts
          class="task-figures"
          items={[
            [
              "Members",
              <span class="num">
                {whole(batch.members)}
                {batch.accepted < batch.members && `, ${whole(batch.accepted)} accepted`}
              </span>,
            ],
            ["Owner", <a href={href("/batches", { owner: batch.owner_id })}>{batch.owner_id}</a>],
            ["Opened", <RelativeTime at={batch.created_at} />],
            ["Took", <Duration from={batch.created_at} to={batch.finished_at ?? null} />],
            [
              "Tokens",
              <span class="num">
                {short(batch.usage.input_tokens)} in, {short(batch.usage.output_tokens)} out
              </span>,
            ],
            ["Cost", batch.cost_usd_micros ? <span class="num">{cost(batch.cost_usd_micros)}</span> : null],
            ...Object.entries(batch.metadata ?? {}).map(([key, value]): [string, string] => [key, value]),
          ]}
        />
      </header>
      <Tabs
        label="Parts of this batch"
        panel="batch-panel"
        value={tab}
        onChange={(next) => setQuery({ tab: next === "results" ? "results" : null, cursor: null, page: null })}
        choices={[
          { key: "members", label: "Members", count: whole(batch.members) },
          {
            key: "results",
            label: "Results",
            count: whole(endedIn(batch)),
          },
        ]}
      />
      <section id="batch-panel" role="tabpanel" aria-labelledby={`batch-panel-${tab}`}>
        {tab === "members" ? (
          <>
            <Narrow value={status} />
            <TaskList
              filter={{ batch_id: batch.id, ...(status ? { status: [status] } : {}) }}
              caption="Members"
              without={["owner"]}
              total={status ? (batch.counts[status] ?? 0) : batch.accepted}
              empty={
                <EmptyState
                  icon="tasks"
                  title={status ? `No member is ${STATUS_LABEL[status].toLowerCase()}` : "No members"}
                />
              }
            />
          </>
        ) : (
          <Results batch={batch} />
        )}
      </section>
      {asking && <CancelBatch batch={batch} onSent={() => setCancelling(true)} onClose={() => setAsking(false)} />}
    </div>
  );
}

function endedIn(batch: Batch): number {
  const { completed = 0, failed = 0, cancelled = 0 } = batch.counts;
  return completed + failed + cancelled;
}

function Narrow({ value }: { value: TaskStatus | undefined }) {
  if (!value) return null;
  return (
    <p>
      Only <StatusPill status={value} />{" "}
      <button type="button" class="link" onClick={() => setQuery({ status: null, cursor: null, page: null })}>
        Show all members
      </button>
    </p>
  );
}

function CancelBatch({ batch, onSent, onClose }: { batch: Batch; onSent: () => void; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const run = async (): Promise<void> => {
    await api.cancelBatch(batch.id, reason.trim() || undefined);
    onSent();
  };
  return (
    <Confirm title="Cancel this batch" action="Cancel the batch" kind="danger" run={run} onClose={onClose}>
      <p>All members that have not ended are cancelled, with their descendants. Results that are there stay.</p>
      <Field label="Reason" hint="Kept with the batch; may be empty." value={reason} onInput={setReason} />
    </Confirm>
  );
}

const PAGE = 100;
/** So many results are kept up to date, */
const MOST_LIVE = 500;
/** and read again this long after more have ended. */
const AGAIN_MS = 1_000;

const COLUMNS: Column<BatchResult>[] = [
  { key: "index", head: "#", align: "right", cell: (r) => <span class="num">{r.index}</span> },
  {
    key: "id",
    head: "Member",
    title: true,
    cell: (r) => (
      <a href={href(`/tasks/${r.task_id}`)}>{r.custom_id ?? <span class="mono">{shortId(r.task_id)}</span>}</a>
    ),
  },
  { key: "status", head: "State", cell: (r) => <StatusPill status={r.status} /> },
  {
    key: "output",
    head: "Output",
    class: "cell-wrap",
    cell: (r) => {
      if (r.failure)
        return (
          <span class="bad-text">
            {r.failure.kind}: {r.failure.message}
          </span>
        );
      if (typeof r.output === "string") return <span class="clamp">{r.output}</span>;
      return r.output === undefined || r.output === null ? (
        <span class="muted">–</span>
      ) : (
        <JsonView value={r.output} open={1} label="output" />
      );
    },
  },
];

/** Results have no topic: the page that is shown is read again when the batch, which has one, says that more have ended. */
function Results({ batch }: { batch: Batch }) {
  const [rows, setRows] = useState<BatchResult[] | null>(null);
  const [ended, setEnded] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [only, setOnly] = useState<"" | TaskStatus>("");
  const asked = useRef(0);
  /** What comes after those, or instead of them. */
  const load = async (before: BatchResult[], limit = PAGE): Promise<void> => {
    asked.current += 1;
    const ask = asked.current;
    setBusy(true);
    setProblem(null);
    try {
      const last = before.at(-1)?.index;
      const page = await api.batchResults(batch.id, {
        limit,
        status: only || undefined,
        ...(last === undefined ? {} : { starting_after: last }),
      });
      // Another filter, or a later reading, has overtaken it.
      if (ask !== asked.current) return;
      setRows([...before, ...page]);
      setEnded(page.length < limit);
    } catch (error) {
      if (ask !== asked.current) return;
      setProblem(asProblem(error));
      setRows((shown) => shown ?? before);
    }
    setBusy(false);
  };
  const count = endedIn(batch);
  const read = useRef<{ count: number; timer?: ReturnType<typeof setTimeout> }>({ count: -1 });
  const latest = useRef(load);
  latest.current = load;
  const shown = useRef(0);
  shown.current = rows?.length ?? 0;
  useEffect(() => {
    read.current.count = count;
    setRows(null);
    void load([]);
  }, [only, batch.id]);
  useEffect(() => {
    if (read.current.timer || read.current.count === count || shown.current > MOST_LIVE) return;
    read.current.timer = setTimeout(() => {
      read.current = { count };
      void latest.current([], Math.max(PAGE, shown.current));
    }, AGAIN_MS);
  });
  useEffect(() => () => clearTimeout(read.current.timer), []);
  if (rows === null) return <Skeleton lines={6} />;
  return (
    <>
      <div class="panel-tools">
        <Select
          quiet
          label="State"
          value={only}
          onChange={setOnly}
          options={[
            { value: "", label: "All that ended" },
            { value: "completed", label: "Completed" },
            { value: "failed", label: "Failed" },
            { value: "cancelled", label: "Cancelled" },
          ]}
        />
        {rows.length > MOST_LIVE && (
          <Button small icon="retry" busy={busy} onClick={() => void load([])}>
            Read again
          </Button>
        )}
        <span class="muted" aria-live="polite">
          {plural(rows.length, "result")} read{rows.length <= MOST_LIVE && ", live"}
        </span>
      </div>
      {problem && <ProblemBox problem={problem} again={() => void load(rows)} />}
      <Table
        caption="Results"
        limit={Number.POSITIVE_INFINITY}
        rows={rows}
        columns={COLUMNS}
        id={(r) => r.task_id}
        link={(r) => href(`/tasks/${r.task_id}`)}
        empty={<EmptyState icon="clock" title="No member has ended yet" />}
      />
      {!ended && rows.length > 0 && (
        <div class="list-foot">
          <Button busy={busy} onClick={() => void load(rows)}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}
