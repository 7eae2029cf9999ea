/** One task: what it is and does, why it waits or failed, what can be done about it, and everything that happened. */
import { useEffect, useMemo } from "preact/hooks";
import { useTask } from "../api/store";
import { useTitle } from "../config";
import { now } from "../lib/clock";
import { shortId } from "../lib/format";
import { useMedia } from "../lib/media";
import { STATUS_LABEL } from "../lib/status";
import type { TaskFeed } from "../lib/taskfeed";
import { longWaits } from "../lib/timescale";
import { go, query, setQuery } from "../lib/url";
import { buildWaterfall } from "../lib/waterfall";
import { typing } from "../shell/keys";
import { Button, EmptyState } from "../ui/basic";
import { JsonView } from "../ui/json";
import { Tabs } from "../ui/tabs";
import { Tree } from "../ui/tree";
import { WaterfallView } from "../ui/waterfall";
import { Loaded } from "./parts";
import { Asks } from "./taskasks";
import { Attempts } from "./taskattempts";
import { Conversation } from "./taskconversation";
import { EventLog } from "./taskevents";
import { TaskHead } from "./taskhead";
import { useActions } from "./useactions";

const TABS = ["timeline", "conversation", "tree", "attempts", "events", "record"] as const;
type Tab = (typeof TABS)[number];

export function TaskPage({ id }: { id: string }) {
  const feed = useTask(id);
  const status = feed.data?.task.status;
  useTitle(`${status ? `${STATUS_LABEL[status]} · ` : ""}${shortId(id)}`);
  if (feed.problem?.status === 404 && !feed.data) {
    return (
      <EmptyState
        icon="search"
        page
        title="There is no such task"
        action={<Button onClick={() => go("/tasks")}>All tasks</Button>}
      >
        Finished tasks expire after some time. The id is {id}.
      </EmptyState>
    );
  }
  return (
    <Loaded state={feed} again={feed.again} lines={14}>
      {(data) => <Whole feed={data} />}
    </Loaded>
  );
}

function Whole({ feed }: { feed: TaskFeed }) {
  const { task, tree } = feed;
  const actions = useActions(feed);
  const raw = query.value["tab"] as Tab | undefined;
  const tab: Tab = raw && TABS.includes(raw) ? raw : "timeline";
  const choose = (next: Tab): void => setQuery({ tab: next === "timeline" ? null : next });
  const children = (tree?.totals.tasks ?? 1) - 1;

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (typing(event) || event.metaKey || event.ctrlKey || event.altKey) return;
      const next = TABS[Number(event.key) - 1];
      if (next) choose(next);
      else if (event.key === "m") document.getElementById("composer-text")?.focus();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [task.id]);

  const wide = useMedia("(min-width: 1700px)");
  const conversation = <Conversation feed={feed} actions={actions} />;
  return (
    <div class="task">
      <TaskHead feed={feed} actions={actions} />
      <Asks task={task} calls={feed.toolCalls} actions={actions} />
      <div class={tab === "conversation" ? "task-body" : "task-body task-split"}>
        <div class="task-pane">
          <Tabs
            label="Views of this task"
            panel="task-panel"
            value={tab}
            onChange={choose}
            choices={[
              { key: "timeline", label: "Timeline" },
              { key: "conversation", label: "Conversation", count: feed.messages.length || undefined },
              { key: "tree", label: "Tree", count: children > 0 ? children : undefined },
              { key: "attempts", label: "Attempts", count: task.attempts || undefined },
              { key: "events", label: "Events", count: feed.events.length || undefined },
              { key: "record", label: "Record" },
            ]}
          />
          <section class="task-panel" id="task-panel" role="tabpanel" aria-labelledby={`task-panel-${tab}`}>
            {tab === "timeline" && <Timeline feed={feed} />}
            {tab === "conversation" && conversation}
            {tab === "tree" && <TreeTab feed={feed} />}
            {tab === "attempts" && <Attempts feed={feed} />}
            {tab === "events" && <EventLog feed={feed} />}
            {tab === "record" && <JsonView value={task} open={3} label="record" />}
          </section>
        </div>
        {tab !== "conversation" && wide && (
          <aside class="task-beside" aria-label="Conversation">
            <h2>Conversation</h2>
            {conversation}
          </aside>
        )}
      </div>
    </div>
  );
}

function Timeline({ feed }: { feed: TaskFeed }) {
  const waterfall = useMemo(() => buildWaterfall(feed.events), [feed.events]);
  const folded = query.value["scale"] !== "real";
  const until = waterfall.end ?? now.value;
  const foldable = longWaits(waterfall.rows, waterfall.start, until, until).length > 0;
  if (waterfall.rows.length === 0) return <EmptyState icon="clock" title="Nothing has happened yet" />;
  return (
    <>
      <div class="panel-tools">
        {foldable && (
          <label class="inline-check">
            <input
              type="checkbox"
              checked={folded}
              onChange={(event) => setQuery({ scale: event.currentTarget.checked ? null : "real" })}
            />
            Fold long waits
          </label>
        )}
        {feed.lost.length > 0 && (
          <span class="warn-text">Some events are not kept any more; the timeline has holes.</span>
        )}
      </div>
      <WaterfallView waterfall={waterfall} now={until} folded={folded} />
    </>
  );
}

function TreeTab({ feed }: { feed: TaskFeed }) {
  const { tree, task } = feed;
  if (!tree) return <EmptyState icon="branch" title="No tree yet" />;
  const { totals } = tree;
  return (
    <>
      <p class="muted panel-note">
        {totals.tasks === 1
          ? "It has spawned no children."
          : `${totals.tasks} tasks: ${Object.entries(totals.by_status)
              .map(([status, n]) => `${n} ${status.replaceAll("_", " ")}`)
              .join(", ")}.`}
        {tree.truncated && " Not all are shown: the deepest are left out."}
      </p>
      <Tree root={tree.root} current={task.id} now={now.value} />
    </>
  );
}
