/** A line without axes, beside a number that says what it is. */
export function Sparkline({ values, label, max }: { values: readonly number[]; label: string; max?: number }) {
  const top = Math.max(max ?? 0, ...values, 1e-9);
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${(23 - (v / top) * 22).toFixed(1)}`);
  return (
    <svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.length > 1 && (
        <>
          <polygon points={`0,24 ${points.join(" ")} 100,24`} />
          <polyline points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}
