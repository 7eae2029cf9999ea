/** Keys that work everywhere. Views have their own on top; none works while something is being typed. */
import { signal } from "@preact/signals";
import { go } from "../lib/url";

export const helpOpen = signal(false);

export const PLACES: Record<string, { path: string; name: string }> = {
  o: { path: "/", name: "Overview" },
  t: { path: "/tasks", name: "Tasks" },
  a: { path: "/approvals", name: "Approvals" },
  b: { path: "/batches", name: "Batches" },
  g: { path: "/agents", name: "Agents" },
  w: { path: "/workers", name: "Workers" },
  s: { path: "/system", name: "System" },
  n: { path: "/tasks/new", name: "New task" },
};

const PREFIX_MS = 1_200;
let prefixAt = 0;

export function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest?.("input, textarea, select, [contenteditable], dialog[open], [role=menu]");
}

/** `g` was pressed a moment ago: the next key names a page, whatever else it does in a view. */
export function prefixed(): boolean {
  return Date.now() - prefixAt < PREFIX_MS;
}

export function listenToKeys(focusSearch: () => void): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || typing(event)) return;
    if (prefixed()) {
      prefixAt = 0;
      const target = PLACES[event.key];
      if (target) {
        event.preventDefault();
        go(target.path);
      }
      return;
    }
    if (event.key === "g") prefixAt = Date.now();
    else if (event.key === "/") focusSearch();
    else if (event.key === "?") helpOpen.value = true;
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKeyDown);
  return () => document.removeEventListener("keydown", onKeyDown);
}
