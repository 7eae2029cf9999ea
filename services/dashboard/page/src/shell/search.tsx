/** The search of the page: a task's id opens it; an agent or a page is gone to; anything else filters tasks. */
import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { useTopic } from "../api/store";
import type { Agent, Page } from "../api/types";
import { Icon } from "../ui/icons";
import { type Hit, hits } from "./hits";

export function Search({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const agents = useTopic<Page<Agent>>("agents", open ? {} : null).data?.data ?? [];
  const found = hits(
    text,
    agents.map((agent) => agent.name),
  );
  const shown = open && found.length > 0;
  const at = Math.min(chosen, found.length - 1);
  const run = (hit: Hit | undefined): void => {
    if (!hit) return;
    setText("");
    setOpen(false);
    input.current?.blur();
    hit.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setChosen((at + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setChosen((at - 1 + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[at]);
    else if (event.key === "Escape") {
      setText("");
      setOpen(false);
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  return (
    <div class="search" role="search" ref={box}>
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Search tasks, agents and pages"
        aria-expanded={shown}
        aria-controls="search-hits"
        aria-autocomplete="list"
        aria-activedescendant={shown ? `hit-${at}` : undefined}
        placeholder="Search, or a task's id"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
      />
      <span class="search-key">/</span>
      <div class="search-hits" id="search-hits" role="listbox" aria-label="Search results" hidden={!shown}>
        {found.map((hit, i) => (
          <div
            key={hit.key}
            id={`hit-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            onMouseDown={(event) => {
              event.preventDefault();
              run(hit);
            }}
            onMouseEnter={() => setChosen(i)}
          >
            <Icon name={hit.icon} />
            <span>{hit.text}</span>
            <span class="muted small">{hit.note}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
