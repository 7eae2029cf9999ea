/** The small parts: buttons, badges, cards, and the states of a view that has nothing to show. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/types";
import { may, type Role } from "../config";
import { Icon, type IconName } from "./icons";

export type ButtonKind = "plain" | "primary" | "danger" | "quiet";

export interface ButtonProps {
  kind?: ButtonKind;
  icon?: IconName;
  /** Only the icon is shown, and this is said. */
  label?: string;
  small?: boolean;
  busy?: boolean;
  disabled?: boolean;
  /** Not shown to those who may not do it. */
  needs?: Role;
  type?: "button" | "submit";
  title?: string;
  pressed?: boolean;
  expanded?: boolean;
  hasPopup?: "menu" | "dialog" | "listbox";
  class?: string;
  onClick?: (event: MouseEvent) => void;
  children?: ComponentChildren;
}

export function Button(props: ButtonProps) {
  const { kind = "plain", icon, label, small, busy, disabled, type = "button", title, class: extra } = props;
  if (props.needs && !may(props.needs)) return null;
  const classes = ["button", `button-${kind}`, small && "button-small", label && "button-icon", extra];
  return (
    <button
      type={type}
      class={classes.filter(Boolean).join(" ")}
      disabled={disabled || busy}
      aria-busy={busy ? "true" : undefined}
      aria-label={label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-haspopup={props.hasPopup}
      title={title ?? label}
      onClick={props.onClick}
    >
      {busy ? <Icon name="ring" spin /> : icon && <Icon name={icon} />}
      {props.children !== undefined && <span>{props.children}</span>}
    </button>
  );
}

export type Tone = "neutral" | "good" | "bad" | "warn" | "info" | "wait";

export function Badge({
  tone = "neutral",
  icon,
  title,
  children,
}: {
  tone?: Tone;
  icon?: IconName;
  title?: string;
  children: ComponentChildren;
}) {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

export interface CardProps {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  class?: string;
  flush?: boolean;
  level?: 2 | 3;
  children: ComponentChildren;
}

export function Card({ title, aside, class: extra, flush, level = 2, children }: CardProps) {
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <section class={`card${flush ? " card-flush" : ""}${extra ? ` ${extra}` : ""}`}>
      {(title || aside) && (
        <header class="card-head">
          {title && <Heading>{title}</Heading>}
          {aside && <div class="card-aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function Kbd({ children }: { children: ComponentChildren }) {
  return <kbd>{children}</kbd>;
}

/** `page`: it is all that the page has, and its title is that of the page. */
export function EmptyState({
  icon = "circle",
  title,
  page,
  children,
  action,
}: {
  icon?: IconName;
  title: string;
  page?: boolean;
  children?: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      {page ? <h1>{title}</h1> : <p class="empty-title">{title}</p>}
      {children && <p class="empty-text">{children}</p>}
      {action && <div class="empty-action">{action}</div>}
    </div>
  );
}

/** Lines that stand for what is loading. Said once, not line by line. */
export function Skeleton({ lines = 4, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} style={{ width: `${92 - ((i * 23) % 50)}%` }} />
      ))}
    </div>
  );
}

export function ProblemBox({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div>
        <p class="problem-title">{problem.title}</p>
        {problem.detail && problem.detail !== problem.title && <p>{problem.detail}</p>}
        {(problem.errors ?? []).map((error) => (
          <p key={error.field}>
            <code>{error.field}</code> {error.message}
          </p>
        ))}
        <p class="muted small">
          {problem.code}
          {problem.status > 0 && ` · HTTP ${problem.status}`}
          {problem.request_id && ` · request ${problem.request_id}`}
        </p>
      </div>
      {again && (
        <Button small icon="retry" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without TLS have no clipboard; the old way still works there.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without TLS
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  const onClick = async (event: MouseEvent): Promise<void> => {
    event.stopPropagation();
    setCopied(await copyText(text));
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <Button
      kind="quiet"
      small
      icon={copied ? "check" : "copy"}
      label={copied ? `Copied ${what}` : `Copy ${what}`}
      onClick={(event) => void onClick(event)}
    />
  );
}

/** 0 to 1; null: under way, without a measure. */
export function Progress({ value, label, tone }: { value: number | null; label: string; tone?: Tone }) {
  const percent = value === null ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 10;
  return (
    <div
      class={`progress${tone ? ` tone-${tone}` : ""}${value === null ? " progress-open" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={percent === undefined ? undefined : { transform: `scaleX(${percent / 100})` }} />
    </div>
  );
}

/** More about a thing, for pointer and keyboard. */
export function Tooltip({ text, children }: { text: ComponentChildren; children: ComponentChildren }) {
  return (
    <span class="tip" tabIndex={0}>
      {children}
      <span class="tip-text" role="tooltip">
        {text}
      </span>
    </span>
  );
}

/** Term and value pairs. */
export function Facts({ items, class: extra }: { items: [string, ComponentChildren][]; class?: string }) {
  return (
    <dl class={`facts${extra ? ` ${extra}` : ""}`}>
      {items
        .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
