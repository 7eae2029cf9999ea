/**
 * A chart over time, drawn by uPlot, which is loaded when the first chart is. Beside it: a legend that switches series
 * on and off, the values under the pointer, and the same as a table for those who cannot see it.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { short, whole } from "../lib/format";
import { stacked } from "../lib/stack";
import { dark } from "../lib/theme";
import { Button, Skeleton } from "./basic";

export interface Series {
  key: string;
  label: string;
  /** A custom property of the style sheet, `--failed`. */
  color: string;
  values: readonly number[];
  /** Bars stand on one another; lines do not. */
  kind: "bar" | "line";
}

export interface ChartProps {
  label: string;
  /** Seconds since the epoch. */
  starts: readonly number[];
  bucketSeconds: number;
  series: readonly Series[];
  height?: number;
}

type Plot = typeof uPlot;

let loading: Promise<Plot> | null = null;
function load(): Promise<Plot> {
  loading ??= import("uplot").then((module) => module.default);
  return loading;
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function bucketName(start: number, seconds: number): string {
  const date = new Date(start * 1000);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return seconds >= 3600
    ? `${date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })} ${time}`
    : time;
}

/** Days where days are long, hours and minutes elsewhere. */
function tickName(at: number, seconds: number): string {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (midnight || seconds >= 3600) return date.toLocaleDateString([], { weekday: "short", day: "numeric" });
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function Chart(props: ChartProps) {
  const [plot, setPlot] = useState<Plot | null>(null);
  const [failed, setFailed] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [table, setTable] = useState(false);
  const [hover, setHover] = useState<number | null>(null);
  useEffect(() => {
    let gone = false;
    load().then(
      (loaded) => !gone && setPlot(() => loaded),
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, []);
  const shown = props.series.filter((series) => !hidden.has(series.key));
  const summary = props.series.map((s) => `${s.label} ${whole(s.values.reduce((a, b) => a + b, 0))}`).join(", ");
  const toggle = (key: string): void => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };

  return (
    <figure class="chart" aria-label={`${props.label}: ${summary}`}>
      {table || failed ? (
        <ChartTable {...props} />
      ) : plot ? (
        <Canvas {...props} series={shown} plot={plot} onHover={setHover} />
      ) : (
        <div class="chart-wait" style={{ height: `${props.height ?? 220}px` }}>
          <Skeleton lines={3} label="Loading the chart" />
        </div>
      )}
      <figcaption class="chart-legend">
        <span class="chart-time muted num">
          {hover !== null && props.starts[hover] !== undefined
            ? bucketName(props.starts[hover], props.bucketSeconds)
            : "In all"}
        </span>
        {props.series.map((series) => (
          <button
            key={series.key}
            type="button"
            class="chart-key"
            aria-pressed={!hidden.has(series.key)}
            onClick={() => toggle(series.key)}
          >
            <span class={`swatch swatch-${series.kind}`} style={{ background: `var(${series.color})` }} />
            {series.label}
            <span class="num">
              {short(hover === null ? series.values.reduce((a, b) => a + b, 0) : (series.values[hover] ?? 0))}
            </span>
          </button>
        ))}
        <Button kind="quiet" small icon="tasks" label="As a table" pressed={table} onClick={() => setTable(!table)} />
      </figcaption>
    </figure>
  );
}

interface CanvasProps extends ChartProps {
  plot: Plot;
  onHover: (index: number | null) => void;
}

function Canvas({ plot: Plot, label, starts, bucketSeconds, series, height = 220, onHover }: CanvasProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const onDark = dark.value;
  // Grows with the text of the page, as everything else.
  const grown = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const tall = Math.round(height * grown);
  const shape = series.map((s) => `${s.key}:${s.kind}`).join();
  const bars = series.filter((s) => s.kind === "bar");
  const lines = series.filter((s) => s.kind === "line");
  const data = useMemo((): uPlot.AlignedData => {
    // The highest sum is drawn first, and those below it over it.
    const sums = stacked(bars.map((s) => s.values)).reverse();
    return [[...starts], ...sums, ...lines.map((s) => [...s.values])];
  }, [starts, ...series.map((s) => s.values)]);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const muted = color("--muted");
    const axis = {
      stroke: muted,
      grid: { stroke: color("--border"), width: 1 },
      ticks: { show: false },
      font: `${Math.round(12 * grown)}px system-ui, sans-serif`,
    };
    const made = new Plot(
      {
        width: element.clientWidth || 600,
        height: tall,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          // The bar of the last bucket stands to the right of its start.
          x: { time: true, range: (_, min, max) => [min, max + (bars.length > 0 ? bucketSeconds : 0)] },
          y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] },
        },
        axes: [
          {
            ...axis,
            space: 64 * grown,
            size: 28 * grown,
            values: (_, splits) => splits.map((at) => tickName(at, bucketSeconds)),
          },
          {
            ...axis,
            size: 48 * grown,
            space: 32 * grown,
            values: (_, values) => values.map((v) => (Number.isInteger(v) ? short(v) : "")),
          },
        ],
        series: [
          {},
          ...[...bars].reverse().map((s) => ({
            label: s.label,
            fill: color(s.color),
            width: 0,
            points: { show: false },
            paths: Plot.paths.bars?.({ size: [0.82, 60 * grown], align: 1 }),
          })),
          ...lines.map((s) => ({ label: s.label, stroke: color(s.color), width: 2, points: { show: false } })),
        ] as uPlot.Series[],
        hooks: { setCursor: [(u) => onHover(u.cursor.idx ?? null)] },
      },
      data,
      element,
    );
    chart.current = made;
    const leave = (): void => onHover(null);
    element.addEventListener("mouseleave", leave);
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: tall }));
    observer.observe(element);
    return () => {
      element.removeEventListener("mouseleave", leave);
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [Plot, shape, onDark, tall, bucketSeconds]);

  useEffect(() => {
    chart.current?.setData(data);
  }, [data]);

  return (
    <div
      class="chart-canvas"
      ref={holder}
      role="img"
      aria-label={`${label}, drawn; the legend has the sums, Table has all values`}
    />
  );
}

function ChartTable({ label, starts, bucketSeconds, series }: ChartProps) {
  const rows = starts.map((start, i) => ({ start, i })).filter(({ i }) => series.some((s) => (s.values[i] ?? 0) > 0));
  return (
    <section class="chart-table" tabIndex={0} aria-label={`${label}, as a table`}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map((s) => (
              <th key={s.key} scope="col" class="right">
                {s.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map(({ start, i }) => (
            <tr key={start}>
              <th scope="row">{bucketName(start, bucketSeconds)}</th>
              {series.map((s) => (
                <td key={s.key} class="right num">
                  {whole(s.values[i] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
