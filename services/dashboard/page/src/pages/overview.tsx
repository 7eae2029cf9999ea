/** How the installation is, at a glance: what needs somebody, how much goes through, how fast, at what cost. */
import type { ComponentChildren } from "preact";
import { useTopic } from "../api/store";
import type { AskedCall, Overview, Page, Window } from "../api/types";
import { useTitle } from "../config";
import { attention } from "../lib/attention";
import { now } from "../lib/clock";
import { percent, plural, short, whole } from "../lib/format";
import { waiting } from "../lib/status";
import { href, query, setQuery } from "../lib/url";
import { Card, EmptyState, Progress } from "../ui/basic";
import { Chart } from "../ui/chart";
import { Select } from "../ui/field";
import { Icon } from "../ui/icons";
import { Sparkline } from "../ui/sparkline";
import { StatusBar, tasksIn } from "../ui/status";
import { Segments } from "../ui/tabs";
import { RelativeTime } from "../ui/time";
import { AgentTable } from "./agenttable";
import { Latency, Models } from "./figures";
import { Loaded, PageHead } from "./parts";

export const WINDOWS = [
  { key: "hour", label: "1 hour" },
  { key: "day", label: "24 hours" },
  { key: "week", label: "7 days" },
] as const satisfies { key: Window; label: string }[];

export function windowOf(text: string | undefined): Window {
  return text === "day" || text === "week" ? text : "hour";
}

export function OverviewPage() {
  useTitle("Overview");
  const window = windowOf(query.value["window"]);
  const agent = query.value["agent"];
  const overview = useTopic<Overview>("overview", { window, ...(agent ? { agent } : {}) });
  const everyone = useTopic<Overview>("overview", agent ? { window } : null);
  const approvals = useTopic<Page<AskedCall>>("approvals", {});
  const names = (everyone.data ?? overview.data)?.agents.map((a) => a.name) ?? [];
  return (
    <>
      <PageHead title="Overview">
        <Select
          quiet
          label="Agent"
          value={agent ?? ""}
          onChange={(value) => setQuery({ agent: value })}
          options={[
            { value: "", label: "All agents" },
            ...[...new Set([...names, ...(agent ? [agent] : [])])].map((name) => ({ value: name, label: name })),
          ]}
        />
        <Segments
          label="Window"
          choices={WINDOWS}
          value={window}
          onChange={(value) => setQuery({ window: value === "hour" ? null : value })}
        />
      </PageHead>
      <Loaded state={overview} again={overview.again} lines={12}>
        {(data) => <Whole data={data} agent={agent} approvals={approvals.data?.data.length ?? 0} />}
      </Loaded>
    </>
  );
}

function Whole({ data, agent, approvals }: { data: Overview; agent: string | undefined; approvals: number }) {
  const nothing = data.agents.length === 0 && Object.values(data.counts).every((n) => n === 0);
  if (nothing) return <Welcome />;
  return (
    <div class="stack">
      <Attention data={data} approvals={approvals} />
      <Stats data={data} agent={agent} />
      <div class="grid overview-main">
        <Card title="Activity" class="overview-activity">
          <ActivityChart data={data} />
        </Card>
        <Card title="Tasks by state">
          <StatusBar counts={data.counts} link={(status) => tasksIn(status, { agent })} />
        </Card>
      </div>
      <div class="grid overview-figures">
        <Card title="Latency">
          <Latency queueWait={data.queue_wait} runTime={data.run_time} />
        </Card>
        <Card title="Tokens and cost by model">
          <Models models={data.models} />
        </Card>
        <Card title="Tokens over time">
          <Chart
            label="Tokens"
            starts={data.activity.starts}
            bucketSeconds={data.activity.bucket_seconds}
            height={150}
            series={[
              { key: "in", label: "Input", color: "--chart-input", values: data.activity.input_tokens, kind: "bar" },
              {
                key: "out",
                label: "Output",
                color: "--chart-output",
                values: data.activity.output_tokens,
                kind: "bar",
              },
            ]}
          />
        </Card>
      </div>
      <Card title="Agents" flush>
        <AgentTable agents={data.agents} sortParam="sort" />
      </Card>
    </div>
  );
}

function Welcome() {
  return (
    <EmptyState
      icon="agents"
      title="No agent has been announced yet"
      action={<a href={href("/system")}>See whether the store is well</a>}
    >
      Start a worker with an agent file; it shows up here within a second. Then submit a first task.
    </EmptyState>
  );
}

function Attention({ data, approvals }: { data: Overview; approvals: number }) {
  const notices = attention(data, approvals, now.value);
  if (notices.length === 0) {
    return (
      <p class="calm">
        <Icon name="check" /> Nothing needs attention.
      </p>
    );
  }
  return (
    <ul class="attention" aria-label="Needs attention">
      {notices.map((notice) => (
        <li key={notice.key}>
          <a class={`notice tone-${notice.tone}`} href={href(notice.path, notice.query)}>
            <Icon name={notice.tone === "info" ? "circle" : notice.tone === "wait" ? "approvals" : "warning"} />
            {notice.text}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Stat({
  label,
  value,
  link,
  children,
  tone,
}: {
  label: string;
  value: ComponentChildren;
  link: string;
  children?: ComponentChildren;
  tone?: "bad" | "warn" | undefined;
}) {
  return (
    <a class={`stat${tone ? ` tone-${tone}` : ""}`} href={link}>
      <span class="stat-label">{label}</span>
      <span class="stat-value num">{value}</span>
      <span class="stat-more">{children}</span>
    </a>
  );
}

function Stats({ data, agent }: { data: Overview; agent: string | undefined }) {
  const { counts } = data;
  const wait = waiting(counts);
  const use = data.slots > 0 ? data.running / data.slots : 0;
  const served = data.agents_served;
  return (
    <div class="stats">
      <Stat label="Processing" value={whole(counts.processing)} link={tasksIn("processing", { agent })}>
        <Progress value={use} label="Slots in use" />
        <span>
          {whole(data.running)} of {plural(data.slots, "slot")}
        </span>
      </Stat>
      <Stat label="Queued" value={whole(counts.queued)} link={tasksIn("queued", { agent })}>
        {data.oldest_queued_at ? (
          <span>
            oldest <RelativeTime at={data.oldest_queued_at} />
          </span>
        ) : (
          <span>none waits for a slot</span>
        )}
        {counts.scheduled + counts.backoff > 0 && (
          <span>
            {whole(counts.scheduled)} scheduled, {whole(counts.backoff)} in backoff
          </span>
        )}
      </Stat>
      <Stat
        label="Waiting"
        value={whole(wait)}
        link={tasksIn(
          counts.pending_tool_results > 0 || counts.pending_child_tasks === 0
            ? "pending_tool_results"
            : "pending_child_tasks",
          { agent },
        )}
      >
        <span>{whole(counts.pending_tool_results)} for results or a yes</span>
        <span>{whole(counts.pending_child_tasks)} for children</span>
      </Stat>
      <Stat label="Completed a minute" value={short(data.completed_per_minute)} link={tasksIn("completed", { agent })}>
        <Sparkline values={data.activity.completed.slice(-30)} label="Completed, lately" />
      </Stat>
      <Stat
        label="Success"
        value={percent(data.success_rate)}
        link={tasksIn("failed", { agent })}
        tone={(data.success_rate ?? 1) < 0.9 ? "bad" : undefined}
      >
        <span>{whole(data.totals.completed)} completed</span>
        <span class={data.totals.failed > 0 ? "bad-text" : ""}>{whole(data.totals.failed)} failed</span>
      </Stat>
      <Stat
        label="Workers"
        value={whole(data.workers)}
        link={href("/workers")}
        tone={data.workers === 0 ? "bad" : undefined}
      >
        <span>{plural(served, "agent")} served</span>
        {data.workers_draining > 0 && <span>{whole(data.workers_draining)} draining</span>}
      </Stat>
    </div>
  );
}

export function ActivityChart({ data, height = 240 }: { data: Overview; height?: number }) {
  const { activity } = data;
  return (
    <Chart
      label="Tasks that ended, and retries"
      starts={activity.starts}
      bucketSeconds={activity.bucket_seconds}
      height={height}
      series={[
        { key: "completed", label: "Completed", color: "--completed", values: activity.completed, kind: "bar" },
        { key: "failed", label: "Failed", color: "--failed", values: activity.failed, kind: "bar" },
        { key: "cancelled", label: "Cancelled", color: "--cancelled", values: activity.cancelled, kind: "bar" },
        { key: "retried", label: "Retried", color: "--backoff", values: activity.retried, kind: "line" },
        { key: "enqueued", label: "Enqueued", color: "--queued", values: activity.enqueued, kind: "line" },
      ]}
    />
  );
}
