/** Answering an open call: yes, no, with other arguments, or with its result. Used in the inbox and in a task's page. */
import { useState } from "preact/hooks";
import { Confirm } from "../ui/dialog";
import { Field, Textarea } from "../ui/field";
import { Segments } from "../ui/tabs";

export interface Asked {
  call_id: string;
  tool: string;
  arguments: unknown;
}

function parse(text: string): { value: unknown; error: string | undefined } {
  try {
    return { value: JSON.parse(text) as unknown, error: undefined };
  } catch (error) {
    return { value: undefined, error: error instanceof Error ? error.message : "not JSON" };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function EditDialog({
  call,
  run,
  onClose,
}: {
  call: Asked;
  run: (args: Record<string, unknown>) => Promise<void>;
  onClose: () => void;
}) {
  const [text, setText] = useState(
    typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments, null, 2),
  );
  const { value, error } = parse(text);
  const wrong = error ?? (isObject(value) ? undefined : "must be a JSON object");
  return (
    <Confirm
      wide
      title={`Edit the arguments of ${call.tool}`}
      action="Approve with these"
      disabled={wrong !== undefined}
      run={() => run(isObject(value) ? value : {})}
      onClose={onClose}
    >
      <Textarea
        label="Arguments"
        code
        rows={12}
        value={text}
        onInput={setText}
        error={wrong}
        hint="JSON. The tool's schema judges them as it did the model's."
      />
    </Confirm>
  );
}

export function DenyDialog({
  call,
  run,
  onClose,
}: {
  call: Asked;
  run: (reason?: string) => Promise<void>;
  onClose: () => void;
}) {
  const [reason, setReason] = useState("");
  return (
    <Confirm
      title={`Deny ${call.tool}`}
      action="Deny"
      kind="danger"
      run={() => run(reason.trim() || undefined)}
      onClose={onClose}
    >
      <Field
        label="Reason"
        hint="The model is told; a good reason lets it do better."
        value={reason}
        onInput={setReason}
      />
    </Confirm>
  );
}

export function AnswerDialog({
  call,
  answer,
  fail,
  onClose,
}: {
  call: Asked;
  answer: (result: unknown) => Promise<void>;
  fail: (message: string) => Promise<void>;
  onClose: () => void;
}) {
  const [mode, setMode] = useState<"text" | "json" | "error">("text");
  const [text, setText] = useState("");
  const json = mode === "json" && text.trim() !== "" ? parse(text) : { value: undefined, error: undefined };
  const run = (): Promise<void> => {
    if (mode === "error") return fail(text);
    return answer(mode === "json" ? json.value : text);
  };
  return (
    <Confirm
      wide
      title={`Answer ${call.tool}`}
      action="Answer"
      disabled={text.trim() === "" || json.error !== undefined}
      run={run}
      onClose={onClose}
    >
      <Segments
        label="Kind of answer"
        value={mode}
        onChange={setMode}
        choices={[
          { key: "text", label: "Text" },
          { key: "json", label: "JSON" },
          { key: "error", label: "It failed" },
        ]}
      />
      <Textarea
        label={mode === "error" ? "What went wrong" : "Result"}
        rows={7}
        code={mode === "json"}
        value={text}
        onInput={setText}
        error={json.error}
        hint="The model reads it. The first answer counts."
      />
    </Confirm>
  );
}
