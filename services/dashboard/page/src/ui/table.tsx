/**
 * The table: sortable heads, rows that arrows walk and Enter opens, selection, and cards on a phone. Roles are written
 * out because cards take the table's display away, and with it what screen readers know.
 */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { whole } from "../lib/format";
import { go, query, ROOT, setQuery } from "../lib/url";
import { Icon } from "./icons";

export interface Column<T> {
  key: string;
  head: string;
  cell: (row: T) => ComponentChildren;
  /** What it is sorted by; nothing goes last. */
  sort?: (row: T) => number | string | null | undefined;
  align?: "right";
  /** Left out of cards. */
  wideOnly?: boolean;
  /** Shown first, and alone on its line, in cards. */
  title?: boolean;
  class?: string;
}

export interface Sorting {
  key: string;
  down: boolean;
}

export interface TableProps<T> {
  caption: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  id: (row: T) => string;
  /** Where a row leads. */
  link?: (row: T) => string;
  sorting?: Sorting | null;
  onSort?: (sorting: Sorting) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (ids: ReadonlySet<string>) => void;
  rowClass?: (row: T) => string;
  empty?: ComponentChildren;
  onFocusRow?: (row: T) => void;
  /** So many are drawn until all are asked for: what lives is drawn again and again. */
  limit?: number;
}

/** Sorting kept in the URL under `param`: `name` or `-name`. */
export function useSorting(param: string, standard: Sorting): [Sorting, (s: Sorting) => void] {
  const raw = query.value[param];
  const sorting = raw ? { key: raw.replace(/^-/, ""), down: raw.startsWith("-") } : standard;
  const set = (next: Sorting): void => {
    const same = next.key === standard.key && next.down === standard.down;
    setQuery({ [param]: same ? null : `${next.down ? "-" : ""}${next.key}` });
  };
  return [sorting, set];
}

export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], sorting: Sorting): T[] {
  const by = columns.find((column) => column.key === sorting.key)?.sort;
  if (!by) return [...rows];
  const sign = sorting.down ? -1 : 1;
  return [...rows].sort((x, y) => {
    const a = by(x) ?? null;
    const b = by(y) ?? null;
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return (typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b)) * sign;
  });
}

const INTERACTIVE = "a, button, input, select, textarea, summary, label, [tabindex]:not(tr)";

export function Table<T>(props: TableProps<T>) {
  const { columns, id, link, selected, onSelect } = props;
  const [all, setAll] = useState(false);
  const limit = all ? Number.POSITIVE_INFINITY : (props.limit ?? 100);
  const rows = props.rows.length > limit ? props.rows.slice(0, limit) : props.rows;
  const hidden = props.rows.length - rows.length;
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const focusable = rows.some((row) => id(row) === current) ? current : rows[0] ? id(rows[0]) : null;
  const every = rows.length > 0 && selected !== undefined && rows.every((row) => selected.has(id(row)));
  const some = selected !== undefined && rows.some((row) => selected.has(id(row)));

  const toggle = (row: string): void => {
    if (!selected || !onSelect) return;
    const next = new Set(selected);
    if (!next.delete(row)) next.add(row);
    onSelect(next);
  };
  const move = (to: number): void => {
    const row = body.current?.rows[Math.max(0, Math.min(rows.length - 1, to))];
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };
  const open = (row: T): void => {
    const target = link?.(row);
    if (!target) return;
    const url = new URL(target, location.origin);
    go(url.pathname.slice(ROOT.length), Object.fromEntries(url.searchParams));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = (event.target as HTMLElement).closest("tr");
    if (!row || event.target !== row || event.metaKey || event.ctrlKey || event.altKey) return;
    const i = row.sectionRowIndex;
    const item = rows[i];
    const steps: Record<string, number> = {
      ArrowDown: i + 1,
      j: i + 1,
      ArrowUp: i - 1,
      k: i - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: i + 10,
      PageUp: i - 10,
    };
    const step = steps[event.key];
    if (step !== undefined) move(step);
    else if (event.key === "Enter" && item !== undefined) open(item);
    else if ((event.key === " " || event.key === "x") && item !== undefined && selected) toggle(id(item));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const sortable = columns.filter((column) => column.sort && props.onSort);

  return (
    <div class="table-wrap">
      {sortable.length > 0 && props.sorting && (
        <label class="table-sort">
          Sort by
          <select
            value={`${props.sorting.down ? "-" : ""}${props.sorting.key}`}
            onChange={(event) => {
              const value = event.currentTarget.value;
              props.onSort?.({ key: value.replace(/^-/, ""), down: value.startsWith("-") });
            }}
          >
            {sortable.flatMap((column) => [
              <option key={column.key} value={column.key}>{`${column.head} ↑`}</option>,
              <option key={`-${column.key}`} value={`-${column.key}`}>{`${column.head} ↓`}</option>,
            ])}
          </select>
        </label>
      )}
      <table role="table" class={link ? "table table-links" : "table"} aria-label={props.caption}>
        <thead role="rowgroup">
          <tr role="row">
            {selected && (
              <th role="columnheader" scope="col" class="table-check">
                <input
                  type="checkbox"
                  aria-label="Select all rows shown"
                  checked={every}
                  ref={(box) => {
                    if (box) box.indeterminate = some && !every;
                  }}
                  onChange={() => onSelect?.(new Set(every ? [] : rows.map(id)))}
                />
              </th>
            )}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sorting={props.sorting ?? null} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" ref={body} onKeyDown={onKeyDown}>
          {rows.map((row) => {
            const key = id(row);
            return (
              <tr
                key={key}
                role="row"
                tabIndex={key === focusable ? 0 : -1}
                class={`${props.rowClass?.(row) ?? ""}${selected?.has(key) ? " selected" : ""}`}
                aria-selected={selected ? selected.has(key) : undefined}
                onFocus={() => {
                  setCurrent(key);
                  props.onFocusRow?.(row);
                }}
                onClick={(event) => {
                  const inner = (event.target as Element).closest(INTERACTIVE);
                  if (inner || getSelection()?.toString()) return;
                  if (event.metaKey || event.ctrlKey) window.open(link?.(row), "_blank", "noopener");
                  else open(row);
                }}
              >
                {selected && (
                  <td role="cell" class="table-check">
                    <input
                      type="checkbox"
                      aria-label={`Select ${key}`}
                      checked={selected.has(key)}
                      onChange={() => toggle(key)}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td
                    key={column.key}
                    role="cell"
                    data-label={column.head}
                    class={[
                      column.align === "right" && "right",
                      column.wideOnly && "wide-only",
                      column.title && "cell-title",
                      column.class,
                    ]
                      .filter(Boolean)
                      .join(" ")}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {hidden > 0 && (
        <p class="table-more">
          <button type="button" class="link" onClick={() => setAll(true)}>
            Show {whole(hidden)} more
          </button>
        </p>
      )}
      {rows.length === 0 && props.empty}
    </div>
  );
}

function HeadCell<T>({
  column,
  sorting,
  onSort,
}: {
  column: Column<T>;
  sorting: Sorting | null;
  onSort: ((s: Sorting) => void) | undefined;
}) {
  const active = sorting?.key === column.key;
  const direction = active ? (sorting.down ? "descending" : "ascending") : undefined;
  return (
    <th
      role="columnheader"
      scope="col"
      class={[column.align === "right" && "right", column.class].filter(Boolean).join(" ")}
      aria-sort={direction}
    >
      {column.sort && onSort ? (
        <button
          type="button"
          class="sort"
          onClick={() => onSort({ key: column.key, down: active ? !sorting.down : column.align === "right" })}
        >
          {column.head}
          <Icon name={active && !sorting.down ? "up" : "down"} class={active ? "" : "icon-faint"} />
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}
