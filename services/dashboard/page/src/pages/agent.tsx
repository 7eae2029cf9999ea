/** One agent: what it is, how it does, who serves it; pause and resume. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { useTopic } from "../api/store";
import type { Agent, Overview, Page, Worker } from "../api/types";
import { seesAll, useTitle } from "../config";
import { plural, whole } from "../lib/format";
import { go, href, query, setQuery } from "../lib/url";
import { Badge, Button, Card, EmptyState, Facts, ProblemBox, Skeleton } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { JsonView } from "../ui/json";
import { StatusBar, tasksIn } from "../ui/status";
import { Segments } from "../ui/tabs";
import { RelativeTime } from "../ui/time";
import { toast } from "../ui/toast";
import { Latency, Models } from "./figures";
import { ActivityChart, WINDOWS, windowOf } from "./overview";
import { Loaded, PageHead } from "./parts";
import { report } from "./useactions";
import { useAgent } from "./useagent";

export function AgentPage({ name }: { name: string }) {
  useTitle(`Agent ${name}`);
  const window = windowOf(query.value["window"]);
  const overview = useTopic<Overview>("overview", { window, agent: name });
  const workers = useTopic<Page<Worker>>("workers", {});
  const activity = overview.data?.agents.find((a) => a.name === name);
  const [agent, problem, reload] = useAgent(name, `${activity?.workers ?? 0} ${activity?.paused ?? ""}`);
  const paused = activity?.paused ?? agent?.paused ?? false;
  if (problem?.status === 404) {
    return (
      <EmptyState
        icon="agents"
        page
        title="There is no such agent"
        action={<Button onClick={() => go("/agents")}>All agents</Button>}
      >
        No worker has announced {name}.
      </EmptyState>
    );
  }
  const serving = (workers.data?.data ?? []).filter((w) => w.agents.some((a) => a.name === name));
  return (
    <>
      <PageHead
        title={
          <>
            {name}{" "}
            {paused && (
              <Badge tone="warn" icon="pause">
                paused
              </Badge>
            )}
            {activity && activity.workers === 0 && <Badge tone="bad">no worker</Badge>}
          </>
        }
        note={agent?.description}
      >
        <PauseButton name={name} paused={paused} queued={activity?.counts.queued ?? 0} />
        <a class="button button-primary" href={href("/tasks/new", { agent: name })}>
          <Icon name="plus" />
          <span>New task</span>
        </a>
        <Segments
          label="Window"
          choices={WINDOWS}
          value={window}
          onChange={(value) => setQuery({ window: value === "hour" ? null : value })}
        />
      </PageHead>
      <div class="stack">
        <Loaded state={overview} again={overview.again}>
          {(data) => (
            <div class="stack">
              <div class="grid overview-main">
                <Card title="Activity" class="overview-activity">
                  <ActivityChart data={data} />
                </Card>
                <Card title="Tasks by state">
                  <StatusBar counts={data.counts} link={(status) => tasksIn(status, { agent: name })} />
                </Card>
              </div>
              <div class="grid overview-figures">
                <Card title="Latency">
                  <Latency queueWait={data.queue_wait} runTime={data.run_time} />
                </Card>
                <Card title="Tokens and cost by model">
                  <Models models={data.models} />
                </Card>
                <Card
                  title="Workers that serve it"
                  aside={<span class="muted num">{plural(serving.length, "worker")}</span>}
                >
                  <Serving name={name} workers={serving} />
                </Card>
              </div>
            </div>
          )}
        </Loaded>
        {problem ? (
          <ProblemBox problem={problem} again={reload} />
        ) : agent ? (
          <Definition agent={agent} />
        ) : (
          <Skeleton />
        )}
      </div>
    </>
  );
}

function PauseButton({ name, paused, queued }: { name: string; paused: boolean; queued: number }) {
  const [asking, setAsking] = useState(false);
  const [wanted, setWanted] = useState<boolean | null>(null);
  // Done when the overview says so.
  useEffect(() => {
    if (wanted === null || paused !== wanted) return;
    setWanted(null);
    toast("good", paused ? `${name} is paused` : `${name} goes on`);
  }, [paused, wanted]);
  const change = async (pause: boolean): Promise<void> => {
    setWanted(pause);
    try {
      await (pause ? api.pause(name) : api.resume(name));
    } catch (error) {
      setWanted(null);
      throw error;
    }
  };
  const busy = wanted !== null && wanted !== paused;
  // It is about the tasks of all owners.
  if (!seesAll()) return null;
  if (paused) {
    return (
      <Button needs="operator" icon="play" busy={busy} onClick={() => report(change(false))}>
        Resume
      </Button>
    );
  }
  return (
    <>
      <Button needs="operator" icon="pause" busy={busy} onClick={() => setAsking(true)}>
        Pause…
      </Button>
      {asking && (
        <Confirm title={`Pause ${name}`} action="Pause" run={() => change(true)} onClose={() => setAsking(false)}>
          <p>
            No task of {name} is claimed until it is resumed. What runs goes on to its next wait or its end; new tasks
            are accepted and stay queued ({whole(queued)} are now).
          </p>
        </Confirm>
      )}
    </>
  );
}

function Serving({ name, workers }: { name: string; workers: readonly Worker[] }) {
  if (workers.length === 0) {
    return (
      <EmptyState icon="workers" title="No worker serves it">
        Its tasks stay queued until one does.
      </EmptyState>
    );
  }
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col" class="right">
            Slots
          </th>
          <th scope="col" class="right">
            Heartbeat
          </th>
        </tr>
      </thead>
      <tbody>
        {workers.map((w) => {
          const mine = w.agents.find((a) => a.name === name);
          return (
            <tr key={w.id}>
              <th scope="row">
                <a href={href("/workers", { agent: name })}>{w.host}</a>{" "}
                {w.draining && <Badge tone="warn">draining</Badge>}
              </th>
              <td class="right num">
                {mine?.running ?? 0} / {mine?.slots ?? 0}
              </td>
              <td class="right">
                <RelativeTime at={w.last_heartbeat_at} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Definition({ agent }: { agent: Agent }) {
  return (
    <div class="grid overview-main">
      <Card title="Definition">
        {!agent.definition ? (
          <p class="muted">The workers announce no more than what is beside.</p>
        ) : (
          <JsonView value={agent.definition} open={2} label="definition" />
        )}
      </Card>
      <Card title="Announced">
        <Facts
          items={[
            ["Model", agent.model ? <span class="mono">{agent.model}</span> : "–"],
            ["Version", <span class="mono">{agent.version}</span>],
            ["Announced", <RelativeTime at={agent.last_seen_at} />],
            [
              "Tools",
              (agent.tools ?? []).length === 0
                ? "none"
                : (agent.tools ?? []).map((tool) => (
                    <span key={tool} class="label mono">
                      {tool}
                    </span>
                  )),
            ],
            ...Object.entries(limitsOf(agent)).map(([key, value]): [string, string] => [
              key.replaceAll("_", " "),
              typeof value === "number" ? whole(value) : String(value),
            ]),
          ]}
        />
      </Card>
    </div>
  );
}

/** Of a single agent: as its file has them. */
function limitsOf(agent: Agent): object {
  const { definition } = agent;
  if (typeof definition !== "object" || definition === null || !("limits" in definition)) return {};
  return typeof definition.limits === "object" && definition.limits !== null ? definition.limits : {};
}
