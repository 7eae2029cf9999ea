/** Fields of forms: a label, a control, a hint, and what is wrong with it. */
import type { ComponentChildren, Ref } from "preact";
import { useId } from "preact/hooks";

interface Common {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  /** The label is said, not shown. */
  quiet?: boolean;
  required?: boolean;
  class?: string;
}

interface Wiring {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
  required: boolean | undefined;
}

function Frame({
  label,
  hint,
  error,
  quiet,
  required,
  class: extra,
  control,
}: Common & { control: (wiring: Wiring) => ComponentChildren }) {
  const id = useId();
  const notes = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class={`field${error ? " field-bad" : ""}${extra ? ` ${extra}` : ""}`}>
      <label for={id} class={quiet ? "offscreen" : ""}>
        {label}
        {required && (
          <span class="field-required" aria-hidden="true">
            {" "}
            *
          </span>
        )}
      </label>
      {control({ id, "aria-describedby": notes || undefined, "aria-invalid": error ? true : undefined, required })}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

export interface FieldProps extends Common {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "number" | "datetime-local" | "search";
  placeholder?: string;
  list?: readonly string[];
  min?: number;
  max?: number;
  step?: number | "any";
  autoFocus?: boolean;
}

export function Field(props: FieldProps) {
  const { value, onInput, type = "text", placeholder, list, min, max, step, ...common } = props;
  const listId = useId();
  return (
    <Frame
      {...common}
      control={(wiring) => (
        <>
          <input
            {...wiring}
            type={type}
            value={value}
            placeholder={placeholder}
            min={min}
            max={max}
            step={step}
            list={list ? listId : undefined}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
          {list && (
            <datalist id={listId}>
              {list.map((item) => (
                <option key={item} value={item} />
              ))}
            </datalist>
          )}
        </>
      )}
    />
  );
}

export function Textarea(
  props: Common & {
    value: string;
    onInput: (value: string) => void;
    rows?: number;
    placeholder?: string;
    code?: boolean;
    inputRef?: Ref<HTMLTextAreaElement>;
  },
) {
  const { value, onInput, rows = 3, placeholder, code, inputRef, ...common } = props;
  return (
    <Frame
      {...common}
      control={(wiring) => (
        <textarea
          {...wiring}
          ref={inputRef}
          class={code ? "code" : ""}
          rows={rows}
          value={value}
          placeholder={placeholder}
          spellcheck={!code}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    />
  );
}

export function Select<K extends string>(
  props: Common & { value: K; options: readonly { value: K; label: string }[]; onChange: (value: K) => void },
) {
  const { value, options, onChange, ...common } = props;
  return (
    <Frame
      {...common}
      control={(wiring) => (
        <select {...wiring} value={value} onChange={(event) => onChange(event.currentTarget.value as K)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    />
  );
}

export function Checkbox({
  label,
  hint,
  checked,
  onChange,
}: {
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="field field-check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
