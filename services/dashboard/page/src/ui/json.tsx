/** JSON to look at: folded below a depth, drawn only when unfolded, with a copy of the whole. */
import { useState } from "preact/hooks";
import { CopyButton } from "./basic";
import { Icon } from "./icons";

const LONG = 400;
const MANY = 100;

export function JsonView({ value, open = 2, label = "JSON" }: { value: unknown; open?: number; label?: string }) {
  return (
    <div class="json" role="group" aria-label={label}>
      <div class="json-copy">
        <CopyButton text={JSON.stringify(value, null, 2) ?? "null"} what={label} />
      </div>
      <Node value={value} depth={0} open={open} />
    </div>
  );
}

function Node({ name, value, depth, open }: { name?: string; value: unknown; depth: number; open: number }) {
  const [unfolded, setUnfolded] = useState(depth < open);
  const [all, setAll] = useState(false);
  const key = name === undefined ? null : <span class="json-key">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div class="json-line">
        {key}
        <Leaf value={value} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value as Record<string, unknown>);
  const size = `${entries.length} ${list ? (entries.length === 1 ? "item" : "items") : entries.length === 1 ? "key" : "keys"}`;
  if (entries.length === 0) {
    return (
      <div class="json-line">
        {key}
        <span class="muted">{list ? "[ ]" : "{ }"}</span>
      </div>
    );
  }
  return (
    <div class="json-node">
      <button type="button" class="json-fold" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
        <Icon name={unfolded ? "down" : "right"} />
        {key}
        <span class="muted">
          {list ? "[" : "{"} {size} {list ? "]" : "}"}
        </span>
      </button>
      {unfolded && (
        <div class="json-inside">
          {entries.slice(0, all ? undefined : MANY).map(([k, v]) => (
            <Node key={k} name={k} value={v} depth={depth + 1} open={open} />
          ))}
          {entries.length > MANY && !all && (
            <button type="button" class="link" onClick={() => setAll(true)}>
              {entries.length - MANY} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string")
    return <span class={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
  const long = value.length > LONG && !whole;
  return (
    <span class="json-string">
      "{long ? value.slice(0, LONG) : value}"
      {long && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          … {value.length - LONG} more characters
        </button>
      )}
    </span>
  );
}
