/** All tasks: filters as chips and fields, kept in the URL, over a list that lives. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useTopic } from "../api/store";
import type { Agent, Overview, Page, TaskFilter } from "../api/types";
import { useTitle } from "../config";
import { serverNow } from "../lib/clock";
import { AGES, FILTER_KEYS, filterOf, hasFilter, statusesOf, toggled } from "../lib/filters";
import { short, shortId } from "../lib/format";
import { STATUS_LABEL, STATUSES } from "../lib/status";
import { useTyped } from "../lib/typed";
import { type Changes, href, query, setQuery } from "../lib/url";
import { Button, EmptyState } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { Checkbox, Field, Select } from "../ui/field";
import { Icon } from "../ui/icons";
import { inView } from "../ui/inview";
import { StatusMark } from "../ui/status";
import { PageHead } from "./parts";
import { COLUMN_NAMES, columnKeys, STANDARD_COLUMNS } from "./taskcolumns";
import { TaskList } from "./tasklist";

const PAGING = ["cursor", "page"];

/** A filter is a new list: back to its first page. */
function setFilter(changes: Changes): void {
  setQuery({ ...changes, cursor: null, page: null });
}

export function TasksPage() {
  const q = query.value;
  const [status, ...more] = statusesOf(q["status"]);
  useTitle(status && more.length === 0 ? `${STATUS_LABEL[status]} tasks` : "Tasks");
  const key = FILTER_KEYS.map((name) => q[name] ?? "").join("\n");
  // An age is counted from when it was chosen, so that paging and bulk actions mean the same tasks.
  const filter = useMemo(() => filterOf(q, serverNow()), [key]);
  const total = useTotal(filter);
  return (
    <>
      <PageHead title="Tasks">
        <span class="wide-only">
          <Columns />
        </span>
      </PageHead>
      <StateChips />
      <Filters />
      <TaskList
        filter={filter}
        caption="Tasks"
        total={total}
        empty={
          hasFilter(q) ? (
            <EmptyState
              icon="filter"
              title="No task matches"
              action={<Button onClick={clearFilters}>Clear the filters</Button>}
            >
              Tasks expire some time after their end; older ones are gone.
            </EmptyState>
          ) : (
            <EmptyState icon="tasks" title="No tasks yet" action={<a href={href("/tasks/new")}>Submit one</a>}>
              They show up here as they are accepted.
            </EmptyState>
          )
        }
      />
    </>
  );
}

function clearFilters(): void {
  setFilter(Object.fromEntries(FILTER_KEYS.map((name) => [name, null])));
}

/** Known where counts are kept: by state and agent. */
function useTotal(filter: TaskFilter): number | null {
  const keys = Object.keys(filter);
  const countable = keys.every((name) => name === "status" || name === "agent");
  const { agent, status } = filter;
  const overview = useTopic<Overview>("overview", countable ? { window: "hour", ...(agent ? { agent } : {}) } : null);
  if (!countable || !overview.data) return null;
  const { counts } = overview.data;
  return (status ?? STATUSES).reduce((n, s) => n + counts[s], 0);
}

function StateChips() {
  const q = query.value;
  const agent = q["agent"];
  const chosen = statusesOf(q["status"]);
  const first = chosen[0];
  const counts = useTopic<Overview>("overview", { window: "hour", ...(agent ? { agent } : {}) }).data?.counts;
  const pressed = useRef<HTMLButtonElement>(null);
  // Counts make the chips wider.
  useEffect(() => inView(pressed.current), [first, counts === undefined]);
  const others = FILTER_KEYS.some((name) => name !== "status" && name !== "agent" && q[name]);
  return (
    <div class="chips" role="group" aria-label="State">
      <button type="button" class="chip" aria-pressed={chosen.length === 0} onClick={() => setFilter({ status: null })}>
        All
      </button>
      {STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          class="chip"
          ref={first === status ? pressed : null}
          aria-pressed={chosen.includes(status)}
          onClick={() => setFilter({ status: toggled(q["status"], status) })}
        >
          <StatusMark status={status} />
          {STATUS_LABEL[status]}
          {counts && !others && <span class="count num">{short(counts[status])}</span>}
        </button>
      ))}
    </div>
  );
}

function Filters() {
  const q = query.value;
  const [text, setText] = useTyped("q", PAGING);
  const [owner, setOwner] = useTyped("owner", PAGING);
  const agents = useTopic<Page<Agent>>("agents", {}).data?.data.map((agent) => agent.name) ?? [];
  return (
    <div class="filters" role="search" aria-label="Filter tasks">
      <Field
        quiet
        label="Text in id or metadata"
        type="search"
        placeholder="Text in id or metadata"
        value={text}
        onInput={setText}
        class="filter-text"
      />
      <Field quiet label="Owner" placeholder="Any owner" value={owner} onInput={setOwner} />
      <Select
        quiet
        label="Agent"
        class="filter-agent"
        value={q["agent"] ?? ""}
        onChange={(agent) => setFilter({ agent })}
        options={[
          { value: "", label: "Any agent" },
          ...[...new Set([...agents, ...(q["agent"] ? [q["agent"]] : [])])].map((name) => ({
            value: name,
            label: name,
          })),
        ]}
      />
      <Period label="Created" age="age" after="after" before="before" />
      <Period label="Ended" age="ended" after="endedafter" before="endedbefore" />
      {q["batch"] && <Only name="batch" text={`Batch ${shortId(q["batch"])}`} />}
      {q["worker"] && <Only name="worker" text={`Run by ${q["worker"]}`} />}
      {hasFilter(q) && (
        <button type="button" class="link" onClick={clearFilters}>
          Clear
        </button>
      )}
    </div>
  );
}

/** A filter that is set elsewhere, and taken away here. */
function Only({ name, text }: { name: string; text: string }) {
  return (
    <button type="button" class="chip" onClick={() => setFilter({ [name]: null })}>
      {text}
      <Icon name="cross" />
      <span class="offscreen">remove this filter</span>
    </button>
  );
}

/** An age, or two instants; each has its name in the URL. */
function Period({ label, age, after, before }: { label: string; age: string; after: string; before: string }) {
  const q = query.value;
  const custom = !!(q[after] || q[before]);
  return (
    <>
      <Select
        quiet
        label={label}
        value={custom ? "custom" : (q[age] ?? "")}
        onChange={(value) => {
          if (value === "custom") setFilter({ [age]: null, [after]: new Date(serverNow() - 86_400_000).toISOString() });
          else setFilter({ [age]: value, [after]: null, [before]: null });
        }}
        options={[
          { value: "", label: `${label}: any` },
          ...AGES.map((a) => ({ value: a.value, label: `${label}: ${a.label}` })),
          { value: "custom", label: `${label}: between…` },
        ]}
      />
      {custom && (
        <>
          <Instant name={after} label={`${label} after`} />
          <Instant name={before} label={`${label} before`} />
        </>
      )}
    </>
  );
}

function Instant({ name, label }: { name: string; label: string }) {
  const value = query.value[name];
  const at = value ? new Date(value) : null;
  const local =
    at && !Number.isNaN(at.getTime())
      ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
      : "";
  return (
    <Field
      quiet
      label={label}
      type="datetime-local"
      value={local}
      onInput={(text) => {
        const parsed = Date.parse(text);
        setFilter({ [name]: Number.isNaN(parsed) ? null : new Date(parsed).toISOString() });
      }}
    />
  );
}

function Columns() {
  const [open, setOpen] = useState(false);
  const keys = columnKeys(query.value["cols"]);
  const toggle = (key: string, on: boolean): void => {
    const next = COLUMN_NAMES.map((c) => c.key).filter((k) => (k === key ? on : keys.includes(k)));
    const usual = next.length === STANDARD_COLUMNS.length && next.every((k) => STANDARD_COLUMNS.includes(k));
    setQuery({ cols: usual ? null : next.join(",") });
  };
  return (
    <>
      <Button hasPopup="dialog" onClick={() => setOpen(true)}>
        Columns
      </Button>
      {open && (
        <Dialog title="Columns" onClose={() => setOpen(false)}>
          <div class="stack">
            {COLUMN_NAMES.filter(({ key }) => key !== "task").map(({ key, head }) => (
              <Checkbox key={key} label={head} checked={keys.includes(key)} onChange={(on) => toggle(key, on)} />
            ))}
            <footer class="dialog-foot">
              <Button onClick={() => setQuery({ cols: null })}>The usual ones</Button>
              <Button kind="primary" onClick={() => setOpen(false)}>
                Done
              </Button>
            </footer>
          </div>
        </Dialog>
      )}
    </>
  );
}
