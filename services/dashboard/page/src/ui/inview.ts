/** Scrolls a row of choices sideways so that this one is seen; the page stays where it is. Given as a `ref`. */
export function inView(element: HTMLElement | null): void {
  const row = element?.parentElement;
  if (!element || !row || row.scrollWidth <= row.clientWidth) return;
  row.scrollLeft = element.offsetLeft - row.offsetLeft - (row.clientWidth - element.offsetWidth) / 2;
}
