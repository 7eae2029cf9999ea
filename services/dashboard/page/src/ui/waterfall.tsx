/** The waterfall, drawn: one line a span, its bar at its place in time, more about it when it is opened. */
import { useMemo, useState } from "preact/hooks";
import { clock, cost, duration, offset, short } from "../lib/format";
import { makeScale, type Scale, type Share, shares } from "../lib/timescale";
import { href } from "../lib/url";
import type { Span, SpanKind, SpanState, Waterfall } from "../lib/waterfall";
import { Facts } from "./basic";
import { Icon, type IconName } from "./icons";
import { Virtual } from "./virtual";

const ICONS: Record<SpanKind, IconName> = {
  scheduled: "clock",
  queue: "circle",
  turn: "down",
  model: "model",
  tool: "tool",
  approval: "approvals",
  deferred: "hand",
  child: "branch",
  parked: "pause",
  backoff: "retry",
  mark: "flag",
};

const KIND_NAME: Record<SpanKind, string> = {
  scheduled: "scheduled",
  queue: "queue wait",
  turn: "turn",
  model: "model call",
  tool: "tool call",
  approval: "approval",
  deferred: "deferred call",
  child: "child",
  parked: "parked",
  backoff: "backoff",
  mark: "moment",
};

const STATE_NAME: Record<SpanState, string> = {
  open: "goes on",
  ok: "done",
  failed: "failed",
  cut: "cut off",
  interrupted: "interrupted",
  denied: "denied",
  expired: "expired",
};

const SHARE_NAME: Record<Share["kind"], string> = {
  model: "Model",
  tool: "Tools",
  wait: "Waiting for others",
  queue: "Queue",
  backoff: "Backoff",
};

export function WaterfallView({ waterfall, now, folded }: { waterfall: Waterfall; now: number; folded: boolean }) {
  const [open, setOpen] = useState<string | null>(null);
  const { rows, start } = waterfall;
  const end = waterfall.end ?? Math.max(now, ...rows.map((row) => row.end ?? 0));
  const scale = useMemo(() => makeScale(rows, start, end, end, folded), [rows, start, end, folded]);
  const chosen = rows.find((row) => row.key === open);
  return (
    <div class="waterfall">
      <Shares rows={rows} now={end} />
      <Axis scale={scale} start={start} />
      <Virtual
        count={rows.length}
        rowRem={1.75}
        label="Spans"
        class="waterfall-rows"
        row={(i) => {
          const span = rows[i];
          return (
            span && (
              <Row
                key={span.key}
                span={span}
                scale={scale}
                start={start}
                end={end}
                open={open === span.key}
                onOpen={() => setOpen(open === span.key ? null : span.key)}
              />
            )
          );
        }}
      />
      {chosen && <Details span={chosen} start={start} end={end} onClose={() => setOpen(null)} />}
    </div>
  );
}

function Shares({ rows, now }: { rows: readonly Span[]; now: number }) {
  const parts = shares(rows, now);
  const sum = parts.reduce((n, part) => n + part.ms, 0);
  if (sum === 0) return null;
  return (
    <div class="shares">
      <div class="shares-bar" aria-hidden="true">
        {parts.map((part) => (
          <span key={part.kind} class={`span-${part.kind}`} style={{ flexGrow: part.ms, flexBasis: "3px" }} />
        ))}
      </div>
      <ul>
        {parts.map((part) => (
          <li key={part.kind}>
            <span class={`swatch span-${part.kind}`} />
            {SHARE_NAME[part.kind]} <span class="num">{duration(part.ms)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Axis({ scale, start }: { scale: Scale; start: number }) {
  return (
    <div class="waterfall-axis" aria-hidden="true">
      <div class="waterfall-label">
        <span class="muted">from {clock(start)}</span>
      </div>
      <div class="waterfall-track">
        {legible(scale).map((tick) => (
          <span key={tick.at} class={tick.x > 0.94 ? "tick tick-end" : "tick"} style={{ left: `${tick.x * 100}%` }}>
            {tick.at === start ? "0" : offset(tick.at - start, tick.step)}
          </span>
        ))}
        {scale.segments
          .filter((s) => s.folded)
          .map((s) => (
            <span key={s.from} class="fold-label" style={{ left: `${s.x0 * 100}%`, width: `${(s.x1 - s.x0) * 100}%` }}>
              ⟨{duration(s.to - s.from)}⟩
            </span>
          ))}
      </div>
    </div>
  );
}

/** Ticks whose text is not on that of a fold. */
function legible(scale: Scale): Scale["ticks"] {
  const folds = scale.segments.filter((s) => s.folded);
  return scale.ticks.filter(({ x }) => {
    const [from, to] = x > 0.94 ? [x - 0.07, x] : [x - 0.03, x + 0.04];
    return folds.every((s) => to < s.x0 || from > s.x1);
  });
}

function Row({
  span,
  scale,
  start,
  end,
  open,
  onOpen,
}: {
  span: Span;
  scale: Scale;
  start: number;
  end: number;
  open: boolean;
  onOpen: () => void;
}) {
  const until = span.end ?? end;
  const x0 = scale.x(span.start);
  const x1 = scale.x(until);
  const took = until - span.start;
  const text = span.kind === "mark" ? (span.detail ?? "") : duration(took);
  const said = `, ${KIND_NAME[span.kind]}, ${STATE_NAME[span.state]}${span.detail && span.kind !== "mark" ? `, ${span.detail}` : ""}, begins at ${duration(span.start - start)}, `;
  return (
    <div role="listitem" class={`waterfall-item span-state-${span.state}${open ? " open" : ""}`}>
      <button type="button" class="waterfall-row" aria-expanded={open} onClick={onOpen}>
        <span class={`waterfall-label depth-${span.depth}`}>
          <Icon
            name={
              span.state === "failed" || span.state === "expired" || span.state === "denied"
                ? "warning"
                : ICONS[span.kind]
            }
          />
          <span class="waterfall-name">{span.label}</span>
          <span class="offscreen">{said}</span>
          {span.tokens && (
            <span class="muted num waterfall-tokens">{short(span.tokens.input + span.tokens.output)} tok</span>
          )}
        </span>
        <span class="waterfall-track">
          {scale.segments
            .filter((s) => s.folded)
            .map((s) => (
              <span key={s.from} class="fold" style={{ left: `${s.x0 * 100}%`, width: `${(s.x1 - s.x0) * 100}%` }} />
            ))}
          <span
            class={`bar span-${span.kind}`}
            style={{ left: `${x0 * 100}%`, width: span.kind === "mark" ? "0" : `max(3px, ${(x1 - x0) * 100}%)` }}
          >
            {span.firstToken !== undefined && took > 0 && (
              <span class="bar-first" style={{ width: `${Math.min(100, (span.firstToken / took) * 100)}%` }} />
            )}
          </span>
          <span
            class={x1 > 0.82 ? "bar-text bar-text-left num" : "bar-text num"}
            style={
              x1 > 0.82
                ? { right: `${(1 - x0) * 100}%`, maxWidth: `${x0 * 100}%` }
                : { left: `${x1 * 100}%`, maxWidth: `${(1 - x1) * 100}%` }
            }
          >
            {text}
          </span>
        </span>
      </button>
    </div>
  );
}

function Details({ span, start, end, onClose }: { span: Span; start: number; end: number; onClose: () => void }) {
  return (
    <aside class="waterfall-details" aria-label={`Details of ${span.label}`}>
      <header>
        <Icon name={ICONS[span.kind]} />
        <strong>{span.label}</strong>
        <span class="muted">
          {KIND_NAME[span.kind]}, {STATE_NAME[span.state]}
        </span>
        <button type="button" class="link" onClick={onClose}>
          Close
        </button>
      </header>
      <Facts
        items={[
          ["Detail", span.detail],
          ["Begins", `${clock(span.start)} (+${duration(span.start - start)})`],
          [
            "Took",
            span.kind === "mark"
              ? null
              : `${duration((span.end ?? end) - span.start)}${span.end === null ? " so far" : ""}`,
          ],
          ["First token", span.firstToken === undefined ? null : duration(span.firstToken)],
          [
            "Input tokens",
            span.tokens &&
              `${short(span.tokens.input)}${span.tokens.cached ? ` (${short(span.tokens.cached)} cached)` : ""}`,
          ],
          [
            "Output tokens",
            span.tokens &&
              `${short(span.tokens.output)}${span.tokens.reasoning ? ` (${short(span.tokens.reasoning)} reasoning)` : ""}`,
          ],
          ["Cost", span.cost === undefined ? null : cost(span.cost)],
          ["Turn", span.turn || null],
          ["Attempt", span.attempt || null],
          ["Call", span.callId && <code>{span.callId}</code>],
          ["Task", span.taskId && <a href={href(`/tasks/${span.taskId}`)}>{span.taskId}</a>],
          ["Event", `#${span.seq}`],
        ]}
      />
    </aside>
  );
}
