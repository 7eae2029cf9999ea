/** Bars that stand on one another: each series is drawn to the sum of itself and those below it. */
export function stacked(series: readonly (readonly number[])[]): number[][] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, i) => {
      sums[i] = (sums[i] ?? 0) + value;
      return sums[i] ?? 0;
    }),
  );
}
