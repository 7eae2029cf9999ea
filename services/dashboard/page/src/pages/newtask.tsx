/** A new task from the page. What the server refuses is shown at its field; what it accepts is opened. */
import { useMemo, useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import { useTopic } from "../api/store";
import type { Agent, Page, Problem } from "../api/types";
import { useTitle } from "../config";
import { contextSchema, fieldsOf } from "../lib/contextform";
import { owner } from "../lib/remembered";
import { EMPTY, type Errors, errorAt, type Form, toBody } from "../lib/submission";
import { go, query } from "../lib/url";
import { Button, Card, Facts, ProblemBox } from "../ui/basic";
import { Checkbox, Field, Select, Textarea } from "../ui/field";
import { Segments } from "../ui/tabs";
import { toast } from "../ui/toast";
import { ContextCard } from "./contextcard";
import { PageHead } from "./parts";
import { uuid } from "./useactions";
import { useAgent } from "./useagent";

const FIELDS = [
  "/agent",
  "/owner_id",
  "/query",
  "/messages",
  "/context",
  "/priority",
  "/delay_seconds",
  "/run_at",
  "/limits",
  "/metadata",
  ...["/previous_task_id", "/tools", "/webhook"],
];

export function NewTaskPage() {
  useTitle("New task");
  const q = query.value;
  const agents = useTopic<Page<Agent>>("agents", {});
  const [form, setForm] = useState<Form>(() => ({
    ...EMPTY,
    agent: q["agent"] ?? "",
    owner: q["owner"] ?? owner.value.value,
    query: q["query"] ?? "",
    priority: q["priority"] ?? "",
  }));
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  // One key for a form: sent twice, it is one task. A changed form is another.
  const key = useRef(uuid());
  const set = (changes: Partial<Form>): void => {
    key.current = uuid();
    setForm((before) => ({ ...before, ...changes }));
  };
  const at = (pointer: string): string | undefined => errorAt(errors, pointer);
  const chosen = agents.data?.data.find((agent) => agent.name === form.agent);
  const [defined] = useAgent(chosen?.name ?? "", chosen?.version ?? "");
  const definition = defined?.name === form.agent ? defined.definition : undefined;
  const schema = useMemo(() => contextSchema(definition), [definition]);
  const fields = useMemo(() => schema && fieldsOf(schema), [schema]);

  const submit = async (): Promise<void> => {
    const { body, errors: wrong } = toBody(form, fields);
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length > 0) {
      focusFirst();
      return;
    }
    setBusy(true);
    try {
      const task = await api.submit(body, key.current);
      owner.set(task.owner_id);
      toast("good", "The task was accepted");
      go(`/tasks/${task.id}`);
    } catch (error) {
      const refused = asProblem(error);
      const fields: Errors = {};
      for (const { field, message } of refused.errors ?? []) fields[field] = message;
      if (refused.code === "unknown_agent")
        fields["/agent"] = `no worker has announced it; there are ${(refused.known_agents ?? []).join(", ") || "none"}`;
      if (refused.code === "previous_task_unusable") fields["/previous_task_id"] = refused.detail ?? refused.title;
      setErrors(fields);
      // What no field shows is shown above the button.
      const shown = (field: string): boolean =>
        FIELDS.some((pointer) => errorAt({ [field]: "" }, pointer) !== undefined);
      const left = (refused.errors ?? []).filter(({ field }) => !shown(field));
      setProblem({ ...refused, errors: left });
      setBusy(false);
      focusFirst();
    }
  };

  return (
    <>
      <PageHead title="New task" />
      <form
        class="newtask"
        novalidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
        }}
      >
        <div class="stack">
          <Card>
            <div class="stack">
              <div class="row">
                <Select
                  label="Agent"
                  value={form.agent}
                  error={at("/agent")}
                  onChange={(agent) => {
                    // What is wrong with a context is wrong under the schema of its agent.
                    setErrors((before) =>
                      Object.fromEntries(Object.entries(before).filter(([field]) => !field.startsWith("/context"))),
                    );
                    set({ agent, contextTexts: {}, contextAsJson: false });
                  }}
                  options={[
                    { value: "", label: agents.data ? "Choose an agent" : "Loading…" },
                    ...[
                      ...new Set([
                        ...(agents.data?.data ?? []).map((a) => a.name),
                        ...(form.agent ? [form.agent] : []),
                      ]),
                    ].map((name) => ({ value: name, label: name })),
                  ]}
                />
                <Field
                  label="Owner"
                  value={form.owner}
                  error={at("/owner_id")}
                  onInput={(text) => set({ owner: text })}
                  hint="Whose task it is; fairness is among owners."
                />
              </div>
              <Textarea
                label="Query"
                rows={5}
                value={form.query}
                error={at("/query")}
                onInput={(text) => set({ query: text })}
                placeholder="What is asked"
              />
              <Messages form={form} set={set} error={at("/messages")} />
            </div>
          </Card>
          {schema && <ContextCard fields={fields} form={form} set={set} errors={errors} />}
          <Card title="When and how">
            <div class="stack">
              <div class="row">
                <div class="field">
                  <span class="field-label">Start</span>
                  <Segments
                    label="Start"
                    value={form.start}
                    onChange={(start) => set({ start })}
                    choices={[
                      { key: "now", label: "Now" },
                      { key: "delay", label: "After a delay" },
                      { key: "at", label: "At a time" },
                    ]}
                  />
                </div>
                {form.start === "delay" && (
                  <Field
                    label="Seconds from now"
                    type="number"
                    min={0}
                    step="any"
                    value={form.delay}
                    error={at("/delay_seconds")}
                    onInput={(delay) => set({ delay })}
                  />
                )}
                {form.start === "at" && (
                  <Field
                    label="Not before"
                    type="datetime-local"
                    value={form.at}
                    error={at("/run_at")}
                    onInput={(value) => set({ at: value })}
                  />
                )}
                <Select
                  label="Priority"
                  value={form.priority}
                  error={at("/priority")}
                  onChange={(priority) => set({ priority })}
                  options={[
                    { value: "", label: "Usual (5)" },
                    ...Array.from({ length: 10 }, (_, i) => 9 - i).map((n) => ({
                      value: String(n),
                      label: n === 9 ? "9, first" : n === 0 ? "0, last" : String(n),
                    })),
                  ]}
                />
              </div>
              <Checkbox
                label="Stream"
                hint="Keeps the text of replies in the event log as it comes."
                checked={form.stream}
                onChange={(stream) => set({ stream })}
              />
              <fieldset class="row">
                <legend>Limits, on top of the agent's own</legend>
                <Field
                  label="Turns"
                  type="number"
                  min={1}
                  value={form.maxTurns}
                  error={at("/limits/max_turns")}
                  onInput={(maxTurns) => set({ maxTurns })}
                />
                <Field
                  label="Tokens"
                  type="number"
                  min={1}
                  value={form.maxTokens}
                  error={at("/limits/max_total_tokens")}
                  onInput={(maxTokens) => set({ maxTokens })}
                />
                <Field
                  label="Tool calls"
                  type="number"
                  min={0}
                  value={form.maxToolCalls}
                  error={at("/limits/max_tool_calls")}
                  onInput={(maxToolCalls) => set({ maxToolCalls })}
                />
                <Field
                  label="Deadline, seconds"
                  type="number"
                  min={1}
                  value={form.deadline}
                  error={at("/limits/deadline_seconds")}
                  onInput={(deadline) => set({ deadline })}
                />
              </fieldset>
            </div>
          </Card>
          <Card title="Metadata">
            <Metadata form={form} set={set} error={at("/metadata")} />
          </Card>
          <Advanced form={form} set={set} at={at} context={!schema} />
          {problem && <ProblemBox problem={problem} />}
          <div class="dialog-foot">
            <Button type="submit" kind="primary" icon="send" busy={busy}>
              Submit the task
            </Button>
          </div>
        </div>
        <aside aria-label="The agent">
          {chosen ? <AboutAgent agent={chosen} /> : <p class="muted">Choose an agent to see what it is for.</p>}
        </aside>
      </form>
    </>
  );
}

function focusFirst(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}

function AboutAgent({ agent }: { agent: Agent }) {
  return (
    <Card title={agent.name}>
      {agent.description && <p>{agent.description}</p>}
      {agent.workers === 0 && <p class="warn-text">No worker serves it now; the task waits until one does.</p>}
      {agent.paused && <p class="warn-text">It is paused; the task waits until it is resumed.</p>}
      <Facts
        items={[
          ["Model", agent.model && <span class="mono">{agent.model}</span>],
          ["Workers", <span class="num">{agent.workers}</span>],
          ["Queued", <span class="num">{agent.queued}</span>],
          [
            "Tools",
            (agent.tools ?? []).map((tool) => (
              <span key={tool} class="label mono">
                {tool}
              </span>
            )),
          ],
        ]}
      />
    </Card>
  );
}

interface AdvancedPart extends Omit<Part, "error"> {
  at: (pointer: string) => string | undefined;
  /** The context is here, for its agent has no schema. */
  context: boolean;
}

/** What few tasks need; open when something in it is wrong. */
function Advanced({ form, set, at, context }: AdvancedPart) {
  const here = [...(context ? ["/context"] : []), "/previous_task_id", "/tools", "/webhook"];
  const wrong = here.some((pointer) => at(pointer) !== undefined);
  const hook = at("/webhook/url") ?? (at("/webhook/secret") ? undefined : at("/webhook"));
  return (
    <details class="card advanced" open={wrong || undefined}>
      <summary>Advanced: {context && "context, "}an earlier conversation, tools of your own, a webhook</summary>
      <div class="stack">
        {context && (
          <Textarea
            label="Context"
            code
            rows={4}
            value={form.context}
            error={at("/context")}
            onInput={(text) => set({ context: text })}
            hint="JSON for the agent's tools; may be empty."
            placeholder='{ "customer": 48211 }'
          />
        )}
        <Field
          label="Goes on with the conversation of"
          value={form.previous}
          error={at("/previous_task_id")}
          onInput={(previous) => set({ previous })}
          hint="Id of a finished task of the same owner."
        />
        <Textarea
          label="Tools that you answer"
          code
          rows={5}
          value={form.tools}
          error={at("/tools")}
          onInput={(tools) => set({ tools })}
          hint="A JSON list. A call of one waits under the task until it is answered there."
          placeholder='[{ "name": "look_up", "description": "…", "parameters": { "type": "object" } }]'
        />
        <div class="row">
          <Field
            label="Webhook"
            value={form.webhookUrl}
            error={hook}
            onInput={(webhookUrl) => set({ webhookUrl })}
            hint="Is told of the task's end and its waits."
            placeholder="https://example.org/hook"
          />
          <Field
            label="Its secret"
            value={form.webhookSecret}
            error={at("/webhook/secret")}
            onInput={(webhookSecret) => set({ webhookSecret })}
            hint="Signs what is sent; without one the owner's does."
          />
        </div>
      </div>
    </details>
  );
}

interface Part {
  form: Form;
  set: (changes: Partial<Form>) => void;
  error: string | undefined;
}

function Messages({ form, set, error }: Part) {
  const change = (i: number, changes: Partial<Form["messages"][number]>): void =>
    set({ messages: form.messages.map((message, j) => (j === i ? { ...message, ...changes } : message)) });
  return (
    <fieldset>
      <legend>Messages before the query</legend>
      {form.messages.map((message, i) => (
        <div key={i} class="row row-message">
          <Select
            quiet
            label={`Role of message ${i + 1}`}
            value={message.role}
            onChange={(role) => change(i, { role })}
            options={[
              { value: "system", label: "System" },
              { value: "user", label: "User" },
              { value: "assistant", label: "Assistant" },
            ]}
          />
          <Textarea
            quiet
            label={`Message ${i + 1}`}
            rows={2}
            value={message.content}
            onInput={(content) => change(i, { content })}
          />
          <Button
            kind="quiet"
            icon="cross"
            label={`Remove message ${i + 1}`}
            onClick={() => set({ messages: form.messages.filter((_, j) => j !== i) })}
          />
        </div>
      ))}
      {error && <p class="field-error">{error}</p>}
      <Button small icon="plus" onClick={() => set({ messages: [...form.messages, { role: "user", content: "" }] })}>
        Add a message
      </Button>
    </fieldset>
  );
}

function Metadata({ form, set, error }: Part) {
  const change = (i: number, changes: Partial<Form["metadata"][number]>): void =>
    set({ metadata: form.metadata.map((entry, j) => (j === i ? { ...entry, ...changes } : entry)) });
  return (
    <fieldset>
      <legend class="offscreen">Metadata</legend>
      {form.metadata.map((entry, i) => (
        <div key={i} class="row row-meta">
          <Field
            quiet
            label={`Key ${i + 1}`}
            placeholder="key"
            value={entry.key}
            onInput={(value) => change(i, { key: value })}
          />
          <Field
            quiet
            label={`Value ${i + 1}`}
            placeholder="value"
            value={entry.value}
            onInput={(value) => change(i, { value })}
          />
          <Button
            kind="quiet"
            icon="cross"
            label={`Remove label ${i + 1}`}
            onClick={() => set({ metadata: form.metadata.filter((_, j) => j !== i) })}
          />
        </div>
      ))}
      {error && <p class="field-error">{error}</p>}
      <Button small icon="plus" onClick={() => set({ metadata: [...form.metadata, { key: "", value: "" }] })}>
        Add a label
      </Button>
    </fieldset>
  );
}
