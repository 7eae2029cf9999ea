/** The inbox: every call that waits for a person, oldest first, decided with a key. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import { useTopic } from "../api/store";
import type { AskedCall, Page, Problem } from "../api/types";
import { useTitle } from "../config";
import { plural, shortId } from "../lib/format";
import { operator } from "../lib/remembered";
import { useTyped } from "../lib/typed";
import { go, href, query, setQuery } from "../lib/url";
import { prefixed, typing } from "../shell/keys";
import { Badge, Button, EmptyState, Kbd, ProblemBox } from "../ui/basic";
import { Field, Select } from "../ui/field";
import { JsonView } from "../ui/json";
import { Segments } from "../ui/tabs";
import { RelativeTime } from "../ui/time";
import { toast } from "../ui/toast";
import { AnswerDialog, DenyDialog, EditDialog } from "./answer";
import { Loaded, PageHead } from "./parts";

type Kind = "approvals" | "calls";
type Dialog = { call: AskedCall; what: "edit" | "deny" | "answer" } | null;

const keyOf = (call: AskedCall): string => `${call.task_id}/${call.call_id}`;

export function ApprovalsPage() {
  const q = query.value;
  const [owner, setOwner] = useTyped("owner");
  const kind: Kind = q["kind"] === "calls" ? "calls" : "approvals";
  const filter = { ...(q["agent"] ? { agent: q["agent"] } : {}), ...(q["owner"] ? { owner_id: q["owner"] } : {}) };
  const state = useTopic<Page<AskedCall>>(kind === "calls" ? "tool_calls" : "approvals", filter);
  const waiting = state.data?.data.length ?? 0;
  useTitle(waiting > 0 ? `(${waiting}) Approvals` : "Approvals");
  const agents = [
    ...new Set([...(state.data?.data ?? []).map((call) => call.agent), ...(q["agent"] ? [q["agent"]] : [])]),
  ];
  return (
    <>
      <PageHead title="Approvals" note="Calls that wait for a person. Their tasks hold no slot meanwhile.">
        <Segments
          label="Kind of call"
          value={kind}
          onChange={(value) => setQuery({ kind: value === "calls" ? "calls" : null })}
          choices={[
            { key: "approvals", label: "Need a yes" },
            { key: "calls", label: "Need a result" },
          ]}
        />
        <Select
          quiet
          label="Agent"
          value={q["agent"] ?? ""}
          onChange={(agent) => setQuery({ agent })}
          options={[{ value: "", label: "Any agent" }, ...agents.map((name) => ({ value: name, label: name }))]}
        />
        <Field quiet label="Owner" placeholder="Any owner" value={owner} onInput={setOwner} />
        <Field
          quiet
          label="Your name, for the record"
          placeholder="Your name"
          value={operator.value.value}
          onInput={operator.set}
        />
      </PageHead>
      <Loaded state={state} again={state.again}>
        {(page) => <Inbox page={page} kind={kind} filter={filter} key={`${kind} ${JSON.stringify(filter)}`} />}
      </Loaded>
    </>
  );
}

function Inbox({ page, kind, filter }: { page: Page<AskedCall>; kind: Kind; filter: Record<string, string> }) {
  const [further, setFurther] = useState<Page<AskedCall> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [sent, setSent] = useState<ReadonlyMap<string, string>>(new Map());
  const [current, setCurrent] = useState(0);
  const [dialog, setDialog] = useState<Dialog>(null);
  const list = useRef<HTMLDivElement>(null);
  const known = new Set(page.data.map(keyOf));
  const calls = [...page.data, ...(further?.data ?? []).filter((call) => !known.has(keyOf(call)))];
  const at = Math.min(current, calls.length - 1);
  const next = further ? further.next_cursor : page.next_cursor;

  // A call is decided when it is gone from the list, which its event takes it from.
  useEffect(() => {
    const gone = [...sent.keys()].filter(
      (key) => !known.has(key) && !(further?.data ?? []).some((call) => keyOf(call) === key),
    );
    if (gone.length === 0) return;
    for (const key of gone) toast("good", sent.get(key) ?? "Done");
    setSent((before) => new Map([...before].filter(([key]) => !gone.includes(key))));
  }, [page]);

  const decide = async (call: AskedCall, done: string, run: () => Promise<unknown>): Promise<void> => {
    const key = keyOf(call);
    setSent((before) => new Map(before).set(key, done));
    try {
      await run();
      setFurther((before) => before && { ...before, data: before.data.filter((c) => keyOf(c) !== key) });
    } catch (error) {
      setSent((before) => new Map([...before].filter(([k]) => k !== key)));
      throw error;
    }
  };
  const approve = (call: AskedCall, args?: Record<string, unknown>): Promise<void> =>
    decide(call, `Approved ${call.tool}`, () => api.approve(call.task_id, call.call_id, args));
  const approveNow = (call: AskedCall): void => {
    approve(call).catch((error: unknown) => toast("bad", asProblem(error).title));
  };

  const move = (to: number): void => {
    const index = Math.max(0, Math.min(calls.length - 1, to));
    setCurrent(index);
    const item = list.current?.children[index] as HTMLElement | undefined;
    item?.focus();
    item?.scrollIntoView({ block: "nearest" });
  };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (typing(event) || event.metaKey || event.ctrlKey || event.altKey || dialog) return;
      if (event.defaultPrevented || prefixed()) return;
      const call = calls[at];
      if (event.key === "j" || event.key === "ArrowDown") move(at + 1);
      else if (event.key === "k" || event.key === "ArrowUp") move(at - 1);
      else if (!call || sent.has(keyOf(call))) return;
      else if (event.key === "a" && kind === "approvals") approveNow(call);
      else if (event.key === "a") setDialog({ call, what: "answer" });
      else if (event.key === "d" && kind === "approvals") setDialog({ call, what: "deny" });
      else if (event.key === "e" && kind === "approvals") setDialog({ call, what: "edit" });
      else if (event.key === "Enter" && (event.target as Element).closest("[data-call]") === event.target)
        go(`/tasks/${call.task_id}`);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  });

  const more = async (): Promise<void> => {
    setProblem(null);
    try {
      const load = kind === "calls" ? api.askedCalls : api.approvals;
      const loaded = await load({ ...filter, cursor: next ?? undefined });
      setFurther((before) => ({
        data: [...(before?.data ?? []), ...loaded.data],
        ...(loaded.next_cursor ? { next_cursor: loaded.next_cursor } : {}),
      }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };

  if (calls.length === 0 && !next) {
    return (
      <EmptyState icon="check" title={kind === "approvals" ? "Nothing waits for a yes" : "No call waits for a result"}>
        {kind === "approvals"
          ? "Calls of tools with an approval show up here the moment they are made."
          : "Calls of deferred tools that ask an operator show up here."}
      </EmptyState>
    );
  }
  return (
    <>
      <p class="muted inbox-keys">
        {plural(calls.length, "call")}
        {next && " and more"}, oldest first.{" "}
        <span class="wide-only">
          <Kbd>j</Kbd> <Kbd>k</Kbd> walk, <Kbd>a</Kbd> {kind === "approvals" ? "approve" : "answer"}
          {kind === "approvals" && (
            <>
              , <Kbd>d</Kbd> deny, <Kbd>e</Kbd> edit
            </>
          )}
        </span>
      </p>
      <div class="inbox" ref={list}>
        {calls.map((call, i) => (
          <CallCard
            key={keyOf(call)}
            call={call}
            kind={kind}
            current={i === at}
            sent={sent.has(keyOf(call))}
            onFocus={() => setCurrent(i)}
            onApprove={() => approveNow(call)}
            onDialog={(what) => setDialog({ call, what })}
          />
        ))}
      </div>
      {problem && <ProblemBox problem={problem} />}
      {next && <Button onClick={() => void more()}>Show more</Button>}
      {dialog?.what === "edit" && (
        <EditDialog call={dialog.call} run={(args) => approve(dialog.call, args)} onClose={() => setDialog(null)} />
      )}
      {dialog?.what === "deny" && (
        <DenyDialog
          call={dialog.call}
          run={(reason) =>
            decide(dialog.call, `Denied ${dialog.call.tool}`, () =>
              api.deny(dialog.call.task_id, dialog.call.call_id, reason),
            )
          }
          onClose={() => setDialog(null)}
        />
      )}
      {dialog?.what === "answer" && (
        <AnswerDialog
          call={dialog.call}
          answer={(result) =>
            decide(dialog.call, `Answered ${dialog.call.tool}`, () =>
              api.answer(dialog.call.task_id, dialog.call.call_id, result),
            )
          }
          fail={(message) =>
            decide(dialog.call, `Answered ${dialog.call.tool}`, () =>
              api.fail(dialog.call.task_id, dialog.call.call_id, message),
            )
          }
          onClose={() => setDialog(null)}
        />
      )}
    </>
  );
}

interface CardProps {
  call: AskedCall;
  kind: Kind;
  current: boolean;
  sent: boolean;
  onFocus: () => void;
  onApprove: () => void;
  onDialog: (what: "edit" | "deny" | "answer") => void;
}

function CallCard({ call, kind, current, sent, onFocus, onApprove, onDialog }: CardProps) {
  return (
    <article
      class={`ask${current ? " ask-current" : ""}${sent ? " ask-sent" : ""}`}
      data-call
      tabIndex={current ? 0 : -1}
      aria-label={`${call.tool} of ${call.agent} for ${call.owner_id}`}
      onFocus={onFocus}
    >
      <header>
        <strong class="mono">{call.tool}</strong>
        <a href={href(`/agents/${encodeURIComponent(call.agent)}`)}>{call.agent}</a>
        <span class="muted">for {call.owner_id}</span>
        <a class="mono small" href={href(`/tasks/${call.task_id}`)}>
          {shortId(call.task_id)}
        </a>
        <span class="bulkbar-space" />
        <span class="muted small">
          asked <RelativeTime at={call.asked_at} />
          {call.expires_at && (
            <>
              , given up <RelativeTime at={call.expires_at} />
            </>
          )}
        </span>
      </header>
      <JsonView value={call.arguments} open={2} label="arguments" />
      <div class="ask-actions">
        {kind === "approvals" ? (
          <>
            <Button needs="operator" kind="primary" icon="check" busy={sent} onClick={onApprove}>
              Approve
            </Button>
            <Button needs="operator" icon="edit" disabled={sent} onClick={() => onDialog("edit")}>
              Edit…
            </Button>
            <Button needs="operator" kind="danger" icon="cross" disabled={sent} onClick={() => onDialog("deny")}>
              Deny…
            </Button>
          </>
        ) : (
          <Button needs="submitter" kind="primary" icon="send" busy={sent} onClick={() => onDialog("answer")}>
            Answer…
          </Button>
        )}
        {sent && <Badge tone="info">sent, waits to take effect</Badge>}
      </div>
    </article>
  );
}
