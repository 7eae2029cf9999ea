/** All agents that workers have announced. */
import { useTopic } from "../api/store";
import type { Agent, Overview, Page } from "../api/types";
import { useTitle } from "../config";
import { plural } from "../lib/format";
import { href, query, setQuery } from "../lib/url";
import { Card, EmptyState } from "../ui/basic";
import { type Column, sorted, Table, useSorting } from "../ui/table";
import { Segments, Tabs } from "../ui/tabs";
import { RelativeTime } from "../ui/time";
import { AgentTable } from "./agenttable";
import { WINDOWS, windowOf } from "./overview";
import { Loaded, PageHead } from "./parts";

const COLUMNS: Column<Agent>[] = [
  {
    key: "name",
    head: "Agent",
    title: true,
    sort: (a) => a.name,
    cell: (a) => <a href={href(`/agents/${encodeURIComponent(a.name)}`)}>{a.name}</a>,
  },
  {
    key: "description",
    head: "What it is for",
    class: "cell-wrap",
    cell: (a) => a.description ?? <span class="muted">–</span>,
  },
  {
    key: "model",
    head: "Model",
    sort: (a) => a.model ?? null,
    cell: (a) => (a.model ? <span class="mono">{a.model}</span> : <span class="muted">–</span>),
  },
  {
    key: "tools",
    head: "Tools",
    align: "right",
    sort: (a) => (a.tools ?? []).length,
    cell: (a) => (
      <span class="num" title={(a.tools ?? []).join(", ")}>
        {(a.tools ?? []).length}
      </span>
    ),
  },
  { key: "version", head: "Definition", cell: (a) => <span class="mono">{a.version.slice(0, 10)}</span> },
  {
    key: "workers",
    head: "Workers",
    align: "right",
    sort: (a) => a.workers,
    cell: (a) => <span class={`num${a.workers === 0 ? " warn-text" : ""}`}>{a.workers}</span>,
  },
  {
    key: "seen",
    head: "Announced",
    align: "right",
    sort: (a) => a.last_seen_at,
    cell: (a) => <RelativeTime at={a.last_seen_at} />,
  },
];

export function AgentsPage() {
  useTitle("Agents");
  const tab = query.value["tab"] === "definitions" ? "definitions" : "activity";
  const window = windowOf(query.value["window"]);
  return (
    <>
      <PageHead title="Agents">
        {tab === "activity" && (
          <Segments
            label="Window"
            choices={WINDOWS}
            value={window}
            onChange={(value) => setQuery({ window: value === "hour" ? null : value })}
          />
        )}
      </PageHead>
      <Tabs
        label="Views of agents"
        panel="agents-panel"
        value={tab}
        onChange={(next) => setQuery({ tab: next === "definitions" ? next : null, sort: null })}
        choices={[
          { key: "activity", label: "Activity" },
          { key: "definitions", label: "Definitions" },
        ]}
      />
      <section id="agents-panel" role="tabpanel" aria-labelledby={`agents-panel-${tab}`}>
        {tab === "activity" ? <Activity window={window} /> : <Definitions />}
      </section>
    </>
  );
}

function Activity({ window }: { window: string }) {
  const state = useTopic<Overview>("overview", { window });
  return (
    <Loaded state={state} again={state.again}>
      {(data) => (
        <Card flush>
          <AgentTable agents={data.agents} sortParam="sort" />
        </Card>
      )}
    </Loaded>
  );
}

function Definitions() {
  const state = useTopic<Page<Agent>>("agents", {});
  const [sorting, setSorting] = useSorting("sort", { key: "name", down: false });
  return (
    <Loaded state={state} again={state.again}>
      {(page) => (
        <Card
          flush
          aside={
            page.next_cursor ? (
              <span class="muted">The first {plural(page.data.length, "agent")} are shown.</span>
            ) : undefined
          }
        >
          <Table
            caption="Agents"
            rows={sorted(page.data, COLUMNS, sorting)}
            columns={COLUMNS}
            id={(a) => a.name}
            link={(a) => href(`/agents/${encodeURIComponent(a.name)}`)}
            sorting={sorting}
            onSort={setSorting}
            empty={
              <EmptyState icon="agents" title="No agent has been announced">
                Workers announce the agents of their files when they start.
              </EmptyState>
            }
          />
        </Card>
      )}
    </Loaded>
  );
}
