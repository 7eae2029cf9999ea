/** The conversation of a task as it streams, with tool calls folded beside their results, and the box to write in. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Message, SteerMode, Task } from "../api/types";
import { may } from "../config";
import { shortId, whole } from "../lib/format";
import { isTerminal } from "../lib/status";
import type { TaskFeed } from "../lib/taskfeed";
import { go } from "../lib/url";
import { Badge, Button, EmptyState } from "../ui/basic";
import { Textarea } from "../ui/field";
import { Icon } from "../ui/icons";
import { JsonView } from "../ui/json";
import { Content, Prose } from "../ui/prose";
import { Segments } from "../ui/tabs";
import { useResult } from "./taskhead";
import { type Actions, report, uuid } from "./useactions";

/** The latest messages are shown first; the others on request. */
const SHOWN = 120;

type ToolMessage = Extract<Message, { role: "tool" }>;

export function Conversation({ feed, actions }: { feed: TaskFeed; actions: Actions }) {
  const { task, messages, reply } = feed;
  const [all, setAll] = useState(false);
  const result = useResult(task);
  const results = useMemo(() => {
    const byCall = new Map<string, ToolMessage>();
    for (const message of messages) if (message.role === "tool") byCall.set(message.call_id, message);
    return byCall;
  }, [messages]);
  const called = useMemo(() => {
    const ids = new Set<string>();
    for (const message of messages)
      if (message.role === "assistant") for (const call of message.tool_calls ?? []) ids.add(call.id);
    return ids;
  }, [messages]);
  // A result is shown with its call; only one whose call is not here stands alone.
  const entries = messages.filter((message) => message.role !== "tool" || !called.has(message.call_id));
  const shown = all ? entries : entries.slice(-SHOWN);
  const hidden = entries.length - shown.length;
  const end = useFollow(`${messages.length}:${reply?.text.length ?? 0}:${result ? 1 : 0}`, !isTerminal(task.status));
  const output = result?.output;
  const last = messages.at(-1);
  const repeated = typeof output === "string" && last?.role === "assistant" && last.content === output;

  return (
    <div class="conversation">
      {hidden > 0 && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          {whole(hidden)} earlier messages
        </button>
      )}
      {entries.length === 0 && !reply && <EmptyState icon="send" title="Nothing has been said yet" />}
      <ol class="messages" aria-label="Messages">
        {shown.map((message, i) => (
          <li key={message.index}>
            {message.turn > 0 && message.turn !== (shown[i - 1]?.turn ?? 0) && (
              <p class="turn-line">Turn {message.turn}</p>
            )}
            <Entry message={message} results={results} task={task} />
          </li>
        ))}
        {reply && (
          <li key="reply">
            {reply.turn !== (shown.at(-1)?.turn ?? 0) && <p class="turn-line">Turn {reply.turn}</p>}
            <article class="message message-assistant" aria-label="Assistant, writing" aria-busy="true">
              <header>
                <Icon name="model" /> {task.agent} <span class="muted small">writes…</span>
              </header>
              <Prose text={reply.text} streaming />
            </article>
          </li>
        )}
        {output !== undefined && output !== null && !repeated && (
          <li key="output">
            <article class="message message-output" aria-label="Output">
              <header>
                <Icon name="check" /> Output
              </header>
              {typeof output === "string" ? (
                <Prose text={output} />
              ) : (
                <JsonView value={output} open={3} label="output" />
              )}
            </article>
          </li>
        )}
      </ol>
      <div ref={end} />
      <Composer task={task} actions={actions} />
    </div>
  );
}

/** Stays at the end while somebody reads the end. */
function useFollow(version: string, on: boolean) {
  const end = useRef<HTMLDivElement>(null);
  const following = useRef(false);
  useEffect(() => {
    const element = end.current;
    if (!element || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        following.current = entry?.isIntersecting ?? false;
      },
      { rootMargin: "0px 0px 160px 0px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (on && following.current) end.current?.scrollIntoView({ block: "nearest" });
  }, [version, on]);
  return end;
}

function Entry({ message, results, task }: { message: Message; results: Map<string, ToolMessage>; task: Task }) {
  switch (message.role) {
    case "system":
      return (
        <article class="message message-system" aria-label="System">
          <header>
            <Icon name="system" /> System
          </header>
          <Prose text={message.content} />
        </article>
      );
    case "user":
      return (
        <article class="message message-user" aria-label="User">
          <header>
            <Icon name="send" /> {task.owner_id}{" "}
            {message.steered && (
              <Badge tone="info" icon="steer">
                steered
              </Badge>
            )}
          </header>
          <Prose text={message.content} />
        </article>
      );
    case "assistant":
      return (
        <article class="message message-assistant" aria-label="Assistant">
          <header>
            <Icon name="model" /> {task.agent}
          </header>
          {message.content !== "" && <Prose text={message.content} />}
          {(message.tool_calls ?? []).map((call) => (
            <Call key={call.id} name={call.name} id={call.id} args={call.arguments} result={results.get(call.id)} />
          ))}
        </article>
      );
    case "tool":
      return <Call name={message.name} id={message.call_id} args={null} result={message} />;
    default:
      return null;
  }
}

function Call({
  name,
  id,
  args,
  result,
}: {
  name: string;
  id: string;
  args: string | null;
  result: ToolMessage | undefined;
}) {
  const state = result === undefined ? "open" : result.is_error ? "failed" : "done";
  return (
    <details class={`call call-${state}`}>
      <summary>
        <Icon name={state === "failed" ? "warning" : state === "open" ? "ring" : "tool"} spin={state === "open"} />
        <strong class="mono">{name}</strong>
        <span class="call-args mono muted">{args ?? ""}</span>
        <span class="small">{state === "open" ? "no result yet" : state === "failed" ? "error" : "result"}</span>
      </summary>
      {args !== null && (
        <>
          <h4>Arguments</h4>
          <Content text={args} label="arguments" />
        </>
      )}
      {result && (
        <>
          <h4>{result.is_error ? "Error" : "Result"}</h4>
          <Content text={result.content} label="result" />
        </>
      )}
      <p class="muted small mono">{id}</p>
    </details>
  );
}

/** Steers what runs; goes on with what has ended. */
function Composer({ task, actions }: { task: Task; actions: Actions }) {
  const [text, setText] = useState("");
  const [mode, setMode] = useState<SteerMode>("next_turn");
  const [busy, setBusy] = useState(false);
  const key = useRef(uuid());
  const ended = isTerminal(task.status);
  const send = async (): Promise<void> => {
    const content = text.trim();
    if (content === "") return;
    setBusy(true);
    try {
      if (ended) {
        const next = await api.submit(
          {
            agent: task.agent,
            owner_id: task.owner_id,
            query: content,
            previous_task_id: task.id,
            stream: true,
            priority: task.priority,
          },
          key.current,
        );
        go(`/tasks/${next.id}`, { tab: "conversation" });
      } else {
        await actions.steer(content, mode);
        setText("");
      }
    } finally {
      setBusy(false);
    }
  };
  if (!may("submitter")) return null;
  return (
    <form
      class="composer"
      aria-label={ended ? "Continue the conversation" : "Steer the task"}
      onSubmit={(event) => {
        event.preventDefault();
        report(send());
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
        if (event.key === "Escape") (event.target as HTMLElement).blur();
      }}
    >
      <Textarea
        quiet
        label={ended ? "Message that continues the conversation" : "Message to the running task"}
        placeholder={ended ? "Continue the conversation in a new task…" : "Tell the agent something…"}
        rows={2}
        value={text}
        onInput={setText}
        inputRef={(element) => {
          if (element) element.id = "composer-text";
        }}
      />
      <div class="composer-foot">
        {ended ? (
          <span class="muted small">
            A new task of {task.owner_id} that knows this conversation ({shortId(task.conversation_id)}).
          </span>
        ) : (
          <Segments
            label="When it takes effect"
            value={mode}
            onChange={setMode}
            choices={[
              { key: "next_turn", label: "Next turn" },
              { key: "interrupt", label: "Interrupt now" },
            ]}
          />
        )}
        {task.pending_steering > 0 && <Badge tone="info">{task.pending_steering} not applied yet</Badge>}
        <span class="bulkbar-space" />
        <Button type="submit" kind="primary" icon="send" busy={busy} disabled={text.trim() === ""}>
          {ended ? "Continue" : "Send"}
        </Button>
      </div>
    </form>
  );
}
