/** What several pages share: the head of a page, and the states around live data. */
import type { ComponentChildren } from "preact";
import type { State } from "../api/store";
import { ProblemBox, Skeleton } from "../ui/basic";

export function PageHead({
  title,
  note,
  children,
}: {
  title: ComponentChildren;
  note?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {note && <p class="page-note">{note}</p>}
      </div>
      {children && <div class="page-tools">{children}</div>}
    </header>
  );
}

/** Loading, refused, or there; old data stays, and is marked. */
export function Loaded<T>({
  state,
  again,
  lines,
  children,
}: {
  state: State<T>;
  again?: () => void;
  lines?: number;
  children: (data: T) => ComponentChildren;
}) {
  if (state.data === undefined) {
    if (state.problem) return <ProblemBox problem={state.problem} {...(again ? { again } : {})} />;
    return <Skeleton lines={lines ?? 8} />;
  }
  return (
    <div class={state.stale ? "stale" : undefined}>
      {state.problem && <ProblemBox problem={state.problem} {...(again ? { again } : {})} />}
      {children(state.data)}
    </div>
  );
}
