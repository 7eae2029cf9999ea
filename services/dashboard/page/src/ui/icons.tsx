/** Icons, drawn on 16 × 16 with the colour of the text beside them. They say nothing that text does not say. */
const PATHS = {
  overview: "M2 13V8m4 5V3m4 10V6m4 7v-3",
  tasks: "M2 4h1.5M2 8h1.5M2 12h1.5M6 4h8M6 8h8M6 12h8",
  approvals: "M8 1.8 13 4v4c0 3-2.1 5-5 6.2C5.1 13 3 11 3 8V4zM5.7 7.8l1.7 1.7 3-3.3",
  batches: "M2 5.2 8 2l6 3.2L8 8.4zM2 8.4l6 3.2 6-3.2M2 11l6 3.2L14 11",
  workers: "M3 3h10v4H3zM3 9h10v4H3zM5.5 5h.01M5.5 11h.01",
  agents: "M8 1.5v2M3.5 4.5h9v8h-9zM6.2 7.5v1M9.8 7.5v1M6 10.5h4M1.5 7.5v2.5M14.5 7.5v2.5",
  system:
    "M8 2.5c3.3 0 5.5.9 5.5 2s-2.2 2-5.5 2-5.5-.9-5.5-2 2.2-2 5.5-2zM2.5 4.5v7c0 1.1 2.2 2 5.5 2s5.5-.9 5.5-2v-7M2.5 8c0 1.1 2.2 2 5.5 2s5.5-.9 5.5-2",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12",
  help: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.2 6.2A1.8 1.8 0 1 1 8.7 7.9c-.5.2-.7.5-.7 1.1M8 11.3h.01",
  check: "M3 8.5 6.3 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  minus: "M3.5 8h9",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.7V8l2.3 1.5",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  hand: "M5 2.5v11M11 2.5v11",
  branch: "M4.5 2v8M4.5 5.5h4a2.5 2.5 0 0 0 2.5-2.5M4.5 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM11 1.5v1.5",
  ring: "M8 2.5a5.5 5.5 0 1 0 5.5 5.5",
  circle: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  right: "M6 4l4 4-4 4",
  left: "M10 4 6 8l4 4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  warning: "M8 2.2 14.5 13.5h-13zM8 6.5v3.5M8 11.8h.01",
  model: "M8 1.5 9.7 6.3 14.5 8 9.7 9.7 8 14.5 6.3 9.7 1.5 8l4.8-1.7z",
  tool: "M10.5 2.2a3.5 3.5 0 0 0-4.3 4.6L2 11l3 3 4.2-4.2a3.5 3.5 0 0 0 4.6-4.3L11.5 7.8 9 7 8.2 4.5z",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M4.5 3v10l8-5z",
  send: "M2 8 14 2.5 10 14 7.5 9z",
  steer: "M8 14V5M4 8.5 8 4.5l4 4M3 2h10",
  flag: "M4 14V2.5h8l-2 3 2 3H4",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  link: "M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.2 1.2a3 3 0 0 1-4.5-4.5L4.5 7",
  edit: "M3 13l.7-3L11 2.7l2.3 2.3L6 12.3z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, spin, class: extra }: { name: IconName; spin?: boolean; class?: string }) {
  return (
    <svg class={`icon${spin ? " icon-spin" : ""}${extra ? ` ${extra}` : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M4 20V4h13M4 12h10" />
      <circle cx="19" cy="12" r="2.6" />
      <circle cx="19" cy="20" r="1.6" />
    </svg>
  );
}
