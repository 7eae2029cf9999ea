/** Short messages at the edge, read out by screen readers. */
import { signal } from "@preact/signals";
import { Button, type Tone } from "./basic";
import { Icon, type IconName } from "./icons";

interface Toast {
  id: number;
  tone: Tone;
  text: string;
  link?: { href: string; text: string };
}

const toasts = signal<Toast[]>([]);
/** Said without being shown. */
export const announcement = signal("");
let serial = 0;

const ICONS: Record<Tone, IconName> = {
  good: "check",
  bad: "warning",
  warn: "warning",
  info: "ring",
  neutral: "circle",
  wait: "clock",
};

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function toast(tone: Tone, text: string, link?: Toast["link"]): void {
  serial += 1;
  const id = serial;
  toasts.value = [...toasts.value.slice(-3), { id, tone, text, ...(link ? { link } : {}) }];
  setTimeout(() => dismiss(id), tone === "bad" ? 12_000 : 5_000);
}

export function Toasts() {
  return (
    <>
      <div class="toasts" role="status" aria-live="polite">
        {toasts.value.map(({ id, tone, text, link }) => (
          <div key={id} class={`toast tone-${tone}`}>
            <Icon name={ICONS[tone]} />
            <span>
              {text} {link && <a href={link.href}>{link.text}</a>}
            </span>
            <Button kind="quiet" small icon="cross" label="Dismiss" onClick={() => dismiss(id)} />
          </div>
        ))}
      </div>
      <div class="offscreen" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}
