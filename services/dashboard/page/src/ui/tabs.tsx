/** Tabs that are kept in the URL, and a row of choices of which one holds. Arrows move, as in any tab list. */
import type { ComponentChildren } from "preact";
import { inView } from "./inview";

export interface Choice<K extends string> {
  key: K;
  label: ComponentChildren;
  count?: number | string | undefined;
}

function move<K extends string>(
  event: KeyboardEvent,
  choices: readonly Choice<K>[],
  value: K,
  choose: (key: K) => void,
): void {
  const i = choices.findIndex((choice) => choice.key === value);
  const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: choices.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = (to + choices.length) % choices.length;
  const choice = choices[next];
  if (!choice) return;
  choose(choice.key);
  const list = event.currentTarget as HTMLElement;
  requestAnimationFrame(() => (list.children[next] as HTMLElement | undefined)?.focus());
}

export function Tabs<K extends string>({
  label,
  choices,
  value,
  onChange,
  panel,
}: {
  label: string;
  choices: readonly Choice<K>[];
  value: K;
  onChange: (key: K) => void;
  panel: string;
}) {
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={(event) => move(event, choices, value, onChange)}>
      {choices.map(({ key, label: name, count }) => (
        <button
          key={key}
          type="button"
          role="tab"
          ref={key === value ? inView : null}
          id={`${panel}-${key}`}
          aria-selected={key === value}
          aria-controls={key === value ? panel : undefined}
          tabIndex={key === value ? 0 : -1}
          onClick={() => onChange(key)}
        >
          {name}
          {count !== undefined && <span class="count">{count}</span>}
        </button>
      ))}
    </div>
  );
}

/** A choice among few, for example of a window of time. */
export function Segments<K extends string>({
  label,
  choices,
  value,
  onChange,
}: {
  label: string;
  choices: readonly Choice<K>[];
  value: K;
  onChange: (key: K) => void;
}) {
  return (
    <div
      class="segments"
      role="radiogroup"
      aria-label={label}
      onKeyDown={(event) => move(event, choices, value, onChange)}
    >
      {choices.map(({ key, label: name }) => (
        <button
          key={key}
          type="button"
          role="radio"
          aria-checked={key === value}
          tabIndex={key === value ? 0 : -1}
          onClick={() => onChange(key)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
