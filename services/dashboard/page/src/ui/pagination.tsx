/** Steps through a list by cursor: there is no total and no page number to jump to, only newer and older. */
import type { ComponentChildren } from "preact";
import { Button } from "./basic";

export function Pagination({
  page,
  newer,
  older,
  first,
  children,
}: {
  page: number;
  newer: (() => void) | null;
  older: (() => void) | null;
  first: (() => void) | null;
  children?: ComponentChildren;
}) {
  return (
    <nav class="pagination" aria-label="Pages">
      <div class="pagination-note">{children}</div>
      {first && page > 1 && (
        <Button small onClick={first}>
          First page
        </Button>
      )}
      <Button small icon="left" disabled={newer === null} onClick={() => newer?.()}>
        Newer
      </Button>
      <span class="num pagination-page">Page {page}</span>
      <Button small disabled={older === null} onClick={() => older?.()}>
        Older
      </Button>
    </nav>
  );
}
