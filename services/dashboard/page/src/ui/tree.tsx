/** The tree of a task: who spawned whom, how each is, and when it ran beside the others. Arrows walk and fold it. */
import { useRef, useState } from "preact/hooks";
import type { TreeNode } from "../api/types";
import { cost, duration, ms, short, shortId } from "../lib/format";
import { href } from "../lib/url";
import { Icon } from "./icons";
import { StatusPill } from "./status";

interface Line {
  node: TreeNode;
  level: number;
  parent: string | null;
}

function lines(node: TreeNode, folded: ReadonlySet<string>, level = 1, parent: string | null = null): Line[] {
  const out: Line[] = [{ node, level, parent }];
  if (folded.has(node.id)) return out;
  for (const child of node.children ?? []) out.push(...lines(child, folded, level + 1, node.id));
  return out;
}

function ends(node: TreeNode, now: number): number {
  const own = ms(node.finished_at) ?? now;
  return Math.max(own, ...(node.children ?? []).map((child) => ends(child, now)));
}

export function Tree({ root, current, now }: { root: TreeNode; current: string; now: number }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState(root.id);
  const list = useRef<HTMLDivElement>(null);
  const shown = lines(root, folded);
  const from = ms(root.created_at) ?? 0;
  const span = Math.max(1, ends(root, now) - from);
  const fold = (id: string, on: boolean): void => {
    const next = new Set(folded);
    if (on) next.add(id);
    else next.delete(id);
    setFolded(next);
  };
  const focus = (id: string | undefined | null): void => {
    if (!id) return;
    setFocused(id);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const i = shown.findIndex((line) => line.node.id === focused);
    const line = shown[i];
    if (!line) return;
    const children = (line.node.children ?? []).length > 0;
    if (event.key === "ArrowDown") focus(shown[i + 1]?.node.id);
    else if (event.key === "ArrowUp") focus(shown[i - 1]?.node.id);
    else if (event.key === "ArrowRight" && children && folded.has(focused)) fold(focused, false);
    else if (event.key === "ArrowRight" && children) focus(shown[i + 1]?.node.id);
    else if (event.key === "ArrowLeft" && children && !folded.has(focused)) fold(focused, true);
    else if (event.key === "ArrowLeft") focus(line.parent);
    else if (event.key === "Enter")
      list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"] a`)?.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="tree" role="tree" aria-label="Task and its descendants" ref={list} onKeyDown={onKeyDown}>
      {shown.map(({ node, level }) => {
        const children = (node.children ?? []).length;
        const start = ms(node.created_at) ?? from;
        const end = ms(node.finished_at) ?? now;
        return (
          <div
            key={node.id}
            role="treeitem"
            data-id={node.id}
            aria-level={level}
            aria-expanded={children > 0 ? !folded.has(node.id) : undefined}
            aria-current={node.id === current ? "page" : undefined}
            tabIndex={node.id === focused ? 0 : -1}
            class={node.id === current ? "tree-line current" : "tree-line"}
            onFocus={() => setFocused(node.id)}
          >
            <span class="tree-name" style={{ paddingLeft: `${(level - 1) * 1.25}rem` }}>
              {children > 0 ? (
                <button
                  type="button"
                  class="tree-fold"
                  tabIndex={-1}
                  aria-label={folded.has(node.id) ? "Unfold" : "Fold"}
                  onClick={() => fold(node.id, !folded.has(node.id))}
                >
                  <Icon name={folded.has(node.id) ? "right" : "down"} />
                </button>
              ) : (
                <span class="tree-leaf" />
              )}
              <a href={href(`/tasks/${node.id}`)} tabIndex={-1} title={node.id}>
                {node.agent} <span class="mono muted">{shortId(node.id)}</span>
              </a>
            </span>
            <span>
              <StatusPill status={node.status} />
              {node.failure_kind && <span class="bad-text"> {node.failure_kind}</span>}
            </span>
            <span class="tree-bar" aria-hidden="true">
              <span
                class={`status-${node.status}`}
                style={{
                  left: `${((start - from) / span) * 100}%`,
                  width: `max(3px, ${((end - start) / span) * 100}%)`,
                }}
              />
            </span>
            <span class="num right">{duration(end - start)}</span>
            <span class="num right muted">
              {short(node.usage.input_tokens + node.usage.output_tokens)} tok
              {node.cost_usd_micros > 0 && ` · ${cost(node.cost_usd_micros)}`}
            </span>
          </div>
        );
      })}
    </div>
  );
}
