/** Times that go on: ages and durations, with the exact moment behind them. */
import { now } from "../lib/clock";
import { duration, moment, ms, relative } from "../lib/format";

export function RelativeTime({ at }: { at: string | number | null | undefined }) {
  const time = typeof at === "number" ? at : ms(at);
  if (time === null) return <span class="muted">–</span>;
  const { local, utc } = moment(time);
  return (
    <time dateTime={utc} title={`${local}\n${utc}`}>
      {relative(time, now.value)}
    </time>
  );
}

/** From `from` to `to`, or to now while it goes on. */
export function Duration({
  from,
  to,
}: {
  from: string | number | null | undefined;
  to?: string | number | null | undefined;
}) {
  const start = typeof from === "number" ? from : ms(from);
  if (start === null) return <span class="muted">–</span>;
  const end = to === null || to === undefined ? now.value : typeof to === "number" ? to : (ms(to) ?? now.value);
  return <span class="num">{duration(end - start)}</span>;
}
