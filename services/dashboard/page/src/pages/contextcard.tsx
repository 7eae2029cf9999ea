/** The context of a new task, as the schema of its agent says: fields for what has one, JSON for whoever wants all of it. */
import { useState } from "preact/hooks";
import { type ContextField, elsewhere, textAt, toContext, toTexts } from "../lib/contextform";
import { type Errors, errorAt, type Form } from "../lib/submission";
import { Card } from "../ui/basic";
import { Field, Select, Textarea } from "../ui/field";
import { Segments } from "../ui/tabs";

interface Props {
  /** None when the schema names no properties: then it is JSON. */
  fields: ContextField[] | null;
  form: Form;
  set: (changes: Partial<Form>) => void;
  errors: Errors;
}

export function ContextCard({ fields, form, set, errors }: Props) {
  const [refused, setRefused] = useState<string | null>(null);
  const asJson = fields === null || form.contextAsJson;
  const choose = (key: "fields" | "json"): void => {
    if (fields === null || (key === "json") === asJson) return;
    const changed = key === "json" ? intoJson(fields, form) : intoFields(fields, form);
    setRefused(typeof changed === "string" ? changed : null);
    if (typeof changed !== "string") set(changed);
  };
  return (
    <Card
      title="Context"
      aside={
        fields && (
          <Segments
            label="How the context is written"
            value={asJson ? "json" : "fields"}
            onChange={choose}
            choices={[
              { key: "fields", label: "Fields" },
              { key: "json", label: "JSON" },
            ]}
          />
        )
      }
    >
      <div class="stack">
        {refused && (
          <p class="field-error" role="alert">
            {refused}
          </p>
        )}
        {asJson ? (
          <Textarea
            label="Context"
            quiet
            code
            rows={8}
            value={form.context}
            error={allOf(errors)}
            onInput={(context) => set({ context })}
            hint="A JSON object that is valid under the schema of the agent."
            placeholder="{ }"
          />
        ) : (
          <>
            {Object.entries(elsewhere(fields, errors)).map(([pointer, message]) => (
              <p key={pointer} class="field-error" role="alert">
                {pointer === "/context" ? message : `${pointer.slice("/context/".length)}: ${message}`}
              </p>
            ))}
            {fields.map((field) => (
              <Control
                key={field.pointer}
                field={field}
                form={form}
                errors={errors}
                onInput={(pointer, typed) => set({ contextTexts: { ...form.contextTexts, [pointer]: typed } })}
              />
            ))}
          </>
        )}
      </div>
    </Card>
  );
}

/** Everything that is wrong, for the one field that stands for all. */
function allOf(errors: Errors): string | undefined {
  const ours = Object.entries(errors).filter(([field]) => field === "/context" || field.startsWith("/context/"));
  const said = ours.map(([field, message]) => errorAt({ [field]: message }, "/context"));
  return said.length > 0 ? said.join("; ") : undefined;
}

function intoJson(fields: ContextField[], form: Form): Partial<Form> | string {
  const wrong: Errors = {};
  const context = toContext(fields, form.contextTexts, wrong);
  const [first] = Object.entries(wrong);
  if (first) return `${first[0].slice("/context/".length)} ${first[1]}`;
  return { contextAsJson: true, context: context ? JSON.stringify(context, null, 2) : "" };
}

function intoFields(fields: ContextField[], form: Form): Partial<Form> | string {
  let context: unknown = {};
  try {
    if (form.context.trim() !== "") context = JSON.parse(form.context);
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : ""}`;
  }
  const contextTexts = toTexts(fields, context);
  if (!contextTexts) return "The fields cannot show all of this: it stays as JSON.";
  return { contextAsJson: false, contextTexts };
}

interface ControlProps {
  field: ContextField;
  form: Form;
  errors: Errors;
  onInput: (pointer: string, typed: string) => void;
}

function Control({ field, form, errors, onInput }: ControlProps) {
  const common = {
    label: field.label,
    hint: field.hint || undefined,
    required: field.required,
    error: errorAt(errors, field.pointer),
    value: textAt(field, form.contextTexts),
    onInput: (typed: string) => onInput(field.pointer, typed),
  };
  switch (field.kind) {
    case "text":
      return field.long ? (
        <Textarea {...common} placeholder={field.example} />
      ) : (
        <Field {...common} placeholder={field.example} />
      );
    case "number":
      return (
        <Field
          {...common}
          type="number"
          min={field.min}
          max={field.max}
          step={field.whole ? 1 : "any"}
          placeholder={field.example}
        />
      );
    case "choice": {
      const { onInput: onChange, ...rest } = common;
      const none = { value: "", label: field.required ? "Choose one" : "Not given" };
      return <Select {...rest} onChange={onChange} options={[none, ...field.options]} />;
    }
    case "lines":
      return <Textarea {...common} rows={3} hint={[field.hint, "One a line."].filter(Boolean).join(" ")} />;
    case "json":
      return <Textarea {...common} code rows={3} hint={[field.hint, "JSON."].filter(Boolean).join(" ")} />;
    case "group":
      return (
        <fieldset>
          <legend>
            {field.label}
            {field.required && <span class="field-required"> *</span>}
          </legend>
          {field.hint && <p class="field-hint">{field.hint}</p>}
          {errors[field.pointer] && (
            <p class="field-error" role="alert">
              {errors[field.pointer]}
            </p>
          )}
          <div class="field-group">
            {field.fields.map((inner) => (
              <Control key={inner.pointer} field={inner} form={form} errors={errors} onInput={onInput} />
            ))}
          </div>
        </fieldset>
      );
  }
}
