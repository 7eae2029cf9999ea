/** Long lists of rows of one height: only those in view exist. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const AHEAD = 12;

export interface VirtualProps {
  count: number;
  /** In rem, so that it grows with the text. */
  rowRem: number;
  label: string;
  maxRem?: number;
  /** Below so many, all rows exist, and the page scrolls rather than the list. */
  from?: number;
  class?: string;
  row: (index: number) => ComponentChildren;
}

export function Virtual({
  count,
  rowRem,
  label,
  maxRem = 44,
  from = 120,

  class: extra = "",
  row,
}: VirtualProps) {
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 60]);
  const windowed = count > from;
  useEffect(() => {
    const element = box.current;
    if (!element || !windowed) return;
    const measure = (): void => {
      const height = rowRem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const first = Math.max(0, Math.floor(element.scrollTop / height) - AHEAD);
      const last = Math.ceil((element.scrollTop + element.clientHeight) / height) + AHEAD;
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    return () => element.removeEventListener("scroll", measure);
  }, [windowed, rowRem]);
  const [first, last] = windowed ? [range[0], Math.min(count, range[1])] : [0, count];
  const items = [];
  for (let i = first; i < last; i += 1) items.push(row(i));
  return (
    <div
      ref={box}
      class={`virtual ${extra}`}
      role="list"
      aria-label={label}
      tabIndex={windowed ? 0 : undefined}
      style={windowed ? { maxHeight: `${maxRem}rem`, overflowY: "auto" } : undefined}
    >
      {windowed && first > 0 && <div aria-hidden="true" style={{ height: `${first * rowRem}rem` }} />}
      {items}
      {windowed && last < count && <div aria-hidden="true" style={{ height: `${(count - last) * rowRem}rem` }} />}
    </div>
  );
}
