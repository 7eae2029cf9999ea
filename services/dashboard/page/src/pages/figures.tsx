/** Figures of an overview or of an agent: how long things take, and what models use. */
import type { ModelUse, Percentiles } from "../api/types";
import { cost, duration, short, whole } from "../lib/format";
import { EmptyState } from "../ui/basic";

/** Length on a scale that shows milliseconds and hours together. */
function length(ms: number | null | undefined, top: number): string {
  if (!ms || ms <= 0) return "0";
  return `${Math.max(2, (Math.log10(1 + ms) / Math.log10(1 + top)) * 100)}%`;
}

export function Latency({ queueWait, runTime }: { queueWait: Percentiles; runTime: Percentiles }) {
  if (queueWait.count + runTime.count === 0) return <EmptyState icon="clock" title="Nothing has run in this window" />;
  const top = Math.max(1, queueWait.p99_ms ?? 0, runTime.p99_ms ?? 0);
  return (
    <div class="latency">
      {(
        [
          ["Queue wait", queueWait, "until a worker claims it"],
          ["Run time", runTime, "from first claim to end"],
        ] as const
      ).map(([name, p, what]) => (
        <table class="plain" key={name}>
          <caption>
            {name}{" "}
            <span class="muted small">
              {what}, {whole(p.count)}
            </span>
          </caption>
          <tbody>
            {(
              [
                ["p50", p.p50_ms],
                ["p95", p.p95_ms],
                ["p99", p.p99_ms],
              ] as const
            ).map(([q, ms]) => (
              <tr key={q}>
                <th scope="row">{q}</th>
                <td class="latency-bar">
                  <span class={`latency-${q}`} style={{ width: length(ms, top) }} />
                </td>
                <td class="right num">{duration(ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </div>
  );
}

export function Models({ models }: { models: readonly ModelUse[] }) {
  if (models.length === 0) return <EmptyState icon="model" title="No model was called in this window" />;
  const all = models.reduce((n, m) => n + m.input_tokens + m.output_tokens, 0);
  const priced = models.filter((m) => m.cost_usd_micros !== null);
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Tokens and cost by model">
      <table class="plain models">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col" class="right">
              Input
            </th>
            <th scope="col" class="right">
              Output
            </th>
            <th scope="col" class="right">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((m) => (
            <tr key={m.model}>
              <th scope="row">
                <span class="models-name">{m.model}</span>
                <span class="models-share" aria-hidden="true">
                  <span style={{ width: `${((m.input_tokens + m.output_tokens) / Math.max(1, all)) * 100}%` }} />
                </span>
              </th>
              <td class="right num">{short(m.input_tokens)}</td>
              <td class="right num">{short(m.output_tokens)}</td>
              <td class="right num">
                {m.cost_usd_micros === null ? <span class="muted">no price</span> : cost(m.cost_usd_micros)}
              </td>
            </tr>
          ))}
        </tbody>
        {models.length > 1 && (
          <tfoot>
            <tr>
              <th scope="row">All</th>
              <td class="right num">{short(models.reduce((n, m) => n + m.input_tokens, 0))}</td>
              <td class="right num">{short(models.reduce((n, m) => n + m.output_tokens, 0))}</td>
              <td class="right num">
                {priced.length === 0 ? "–" : cost(priced.reduce((n, m) => n + (m.cost_usd_micros ?? 0), 0))}
              </td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
