/**
 * A list of tasks: its first page lives, further ones are read by cursor; rows under the pointer or selected do not
 * jump. Used by the tasks page, and by those of a batch and of an agent with a filter of their own.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import { useTopic } from "../api/store";
import type { Page, Problem, Task, TaskFilter } from "../api/types";
import { plural, whole } from "../lib/format";
import { type Filled, fillPage, heldRows } from "../lib/paging";
import { href, query, setQuery } from "../lib/url";
import { Button, ProblemBox, Progress, Skeleton } from "../ui/basic";
import { Pagination } from "../ui/pagination";
import { Table } from "../ui/table";
import { BulkBar } from "./bulk";
import { shownColumns } from "./taskcolumns";

const LIMIT = 50;

interface Props {
  filter: TaskFilter;
  caption: string;
  /** Columns that say what the filter says already. */
  without?: readonly string[];
  empty: ComponentChildren;
  /** How many match, where it is known. */
  total?: number | null;
}

export function TaskList(props: Props) {
  const cursor = query.value["cursor"];
  const key = JSON.stringify(props.filter);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [everything, setEverything] = useState(false);
  const before = useRef(key);
  useEffect(() => {
    if (before.current === key) return;
    before.current = key;
    setSelected(new Set());
    setEverything(false);
  }, [key]);
  const select = (ids: ReadonlySet<string>): void => {
    setSelected(ids);
    setEverything(false);
  };
  const shared = { ...props, selected, onSelect: select };
  return (
    <div class="tasklist">
      {cursor ? <FurtherPage {...shared} cursor={cursor} /> : <FirstPage {...shared} />}
      <BulkBar
        selected={selected}
        everything={everything}
        filter={props.filter}
        total={props.total ?? null}
        onEverything={() => setEverything(true)}
        onClear={() => select(new Set())}
      />
    </div>
  );
}

interface PageProps extends Props {
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
}

function pageNumber(): number {
  return Math.max(1, Number(query.value["page"] ?? "1") || 1);
}

function step(cursor: string | null, page: number): void {
  setQuery({ cursor, page: page > 1 ? String(page) : null }, true);
  scrollTo(0, 0);
}

/** Fed by the live layer; what the server left short is filled up by further requests. */
function FirstPage(props: PageProps) {
  const { filter, selected } = props;
  const state = useTopic<Page<Task>>("tasks", { ...filter, limit: LIMIT });
  const rest = useRest(state.previous ? undefined : state.data, filter);
  const fresh = useMemo(() => {
    const head = state.data?.data ?? [];
    if (!rest.page) return head;
    const known = new Set(head.map((task) => task.id));
    return [...head, ...rest.page.data.filter((task) => !known.has(task.id))];
  }, [state.data, rest.page]);
  const [hold, setHold] = useState(false);
  const shown = useRef<{ key: string; rows: readonly Task[] }>({ key: "", rows: [] });
  const key = JSON.stringify(filter);
  const held = heldRows(
    shown.current.key === key ? shown.current.rows : [],
    fresh,
    (hold || selected.size > 0) && !state.previous,
  );
  if (!state.previous) shown.current = { key, rows: held.rows };
  const release = (): void => {
    shown.current = { key, rows: fresh };
    props.onSelect(new Set());
    setHold(false);
  };

  if (state.data === undefined)
    return state.problem ? (
      <ProblemBox problem={state.problem} again={state.again} />
    ) : (
      <Skeleton lines={12} label="Loading tasks" />
    );
  const next = rest.page ? rest.page.next_cursor : state.data.next_cursor;
  const looking = rest.busy || (!state.previous && fresh.length < LIMIT && !!next && !rest.page?.partial);
  return (
    <div
      class={state.stale ? "stale" : ""}
      role="group"
      aria-label={props.caption}
      onMouseEnter={() => setHold(true)}
      onMouseLeave={() => setHold(false)}
      onFocusIn={() => setHold(true)}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setHold(false);
      }}
    >
      {state.problem && <ProblemBox problem={state.problem} again={state.again} />}
      <div class="list-state" aria-live="polite">
        {held.waiting > 0 && (
          <Button small kind="primary" icon="up" onClick={release}>
            {plural(held.waiting, "new task")}
          </Button>
        )}
      </div>
      <Rows {...props} rows={held.rows} empty={looking ? null : props.empty} />
      {looking && <Looking found={rest.found} requests={rest.requests} />}
      {rest.problem && <ProblemBox problem={rest.problem} />}
      <Pagination page={1} first={null} newer={null} older={next && !looking ? () => step(next, 2) : null}>
        {rest.page?.partial ? (
          <More found={fresh.length} onMore={rest.more} />
        ) : (
          <span class="muted">{plural(held.rows.length, "task")} shown, live</span>
        )}
      </Pagination>
    </div>
  );
}

const REFILL_MS = 10_000;

/** What follows a live page that is short. Read again when the page ends elsewhere, but not all the time. */
function useRest(head: Page<Task> | undefined, filter: TaskFilter) {
  const [page, setPage] = useState<Filled<Task> | null>(null);
  const [progress, setProgress] = useState({ busy: false, found: 0, requests: 0 });
  const [problem, setProblem] = useState<Problem | null>(null);
  const last = useRef({ key: "", at: 0 });
  const abort = useRef<AbortController | null>(null);
  const key = JSON.stringify(filter);
  const short = head !== undefined && head.data.length < LIMIT && !!head.next_cursor;
  const run = (cursor: string, have: readonly Task[]): void => {
    abort.current?.abort();
    const stop = new AbortController();
    abort.current = stop;
    setProblem(null);
    setProgress({ busy: true, found: have.length, requests: 0 });
    fillPage<Task>((q) => api.tasks({ ...filter, ...q }), {
      limit: LIMIT,
      cursor,
      have,
      signal: stop.signal,
      onProgress: (found, requests) => !stop.signal.aborted && setProgress({ busy: true, found, requests }),
    }).then(
      (filled) => {
        if (stop.signal.aborted) return;
        setPage(filled);
        setProgress({ busy: false, found: filled.data.length, requests: filled.requests });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        setProblem(asProblem(error));
        setProgress({ busy: false, found: 0, requests: 0 });
      },
    );
  };
  useEffect(() => {
    if (last.current.key !== key) {
      abort.current?.abort();
      setPage(null);
      setProgress({ busy: false, found: 0, requests: 0 });
    }
    if (!short) {
      if (head !== undefined && page !== null && last.current.key === key) setPage(null);
      last.current = { key, at: last.current.at };
      return;
    }
    const now = Date.now();
    if (last.current.key === key && (now - last.current.at < REFILL_MS || progress.busy)) return;
    last.current = { key, at: now };
    run(head.next_cursor ?? "", head.data);
  }, [key, head]);
  useEffect(() => () => abort.current?.abort(), []);
  const more = (): void => {
    if (page?.next_cursor) run(page.next_cursor, page.data);
  };
  return { page, problem, more, ...progress };
}

function FurtherPage(props: PageProps & { cursor: string }) {
  const { filter, cursor } = props;
  const [page, setPage] = useState<Filled<Task> | null>(null);
  const [found, setFound] = useState({ found: 0, requests: 0 });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const key = JSON.stringify(filter);
  useEffect(() => {
    const stop = new AbortController();
    setPage(null);
    setProblem(null);
    setFound({ found: 0, requests: 0 });
    fillPage<Task>((q) => api.tasks({ ...filter, ...q }), {
      limit: LIMIT,
      cursor,
      signal: stop.signal,
      onProgress: (n, requests) => !stop.signal.aborted && setFound({ found: n, requests }),
    }).then(
      (filled) => !stop.signal.aborted && setPage(filled),
      (error: unknown) => !stop.signal.aborted && setProblem(asProblem(error)),
    );
    return () => stop.abort();
  }, [key, cursor, round]);
  const number = pageNumber();
  const foot = (
    <Pagination
      page={number}
      first={() => step(null, 1)}
      newer={() => history.back()}
      older={page?.next_cursor ? () => step(page.next_cursor, number + 1) : null}
    >
      <span class="muted">As it was when it was read.</span>{" "}
      <button type="button" class="link" onClick={() => setRound(round + 1)}>
        Read again
      </button>
    </Pagination>
  );
  if (problem) {
    return (
      <>
        <ProblemBox problem={problem} again={() => setRound(round + 1)} />
        {foot}
      </>
    );
  }
  if (!page) {
    return (
      <>
        <Looking {...found} />
        <Skeleton lines={10} label="Loading tasks" />
      </>
    );
  }
  return (
    <>
      <Rows {...props} rows={page.data} />
      {foot}
    </>
  );
}

function Looking({ found, requests }: { found: number; requests: number }) {
  return (
    <div class="looking" role="status">
      <Progress value={null} label="Looking for more" />
      <span class="muted">
        Looking: {whole(found)} found{requests > 1 && ` in ${requests} stretches of the list`}
      </span>
    </div>
  );
}

function More({ found, onMore }: { found: number; onMore: () => void }) {
  return (
    <>
      <span class="muted">{plural(found, "task")} found so far; the list goes on.</span>{" "}
      <button type="button" class="link" onClick={onMore}>
        Look further
      </button>
    </>
  );
}

function Rows({ rows, caption, without, selected, onSelect, empty }: PageProps & { rows: readonly Task[] }) {
  return (
    <Table
      caption={caption}
      rows={rows}
      columns={shownColumns(query.value["cols"], without)}
      id={(task) => task.id}
      link={(task) => href(`/tasks/${task.id}`)}
      selected={selected}
      onSelect={onSelect}
      empty={empty}
    />
  );
}
