/** What is around every view: navigation, search, the state of the connection. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useTopic } from "../api/store";
import type { AskedCall, Page } from "../api/types";
import { logOut } from "../api/client";
import { config, may, seesAll } from "../config";
import { setTheme, type Theme, theme } from "../lib/theme";
import { href, place } from "../lib/url";
import { Button } from "../ui/basic";
import { Icon, type IconName, Logo } from "../ui/icons";
import { Toasts } from "../ui/toast";
import { ConnectionBanner, ConnectionMark } from "./connection";
import { Help } from "./help";
import { helpOpen, listenToKeys } from "./keys";
import { Search } from "./search";

const NAV: { path: string; name: string; icon: IconName; phone?: boolean }[] = [
  { path: "/", name: "Overview", icon: "overview", phone: true },
  { path: "/tasks", name: "Tasks", icon: "tasks", phone: true },
  { path: "/approvals", name: "Approvals", icon: "approvals", phone: true },
  { path: "/batches", name: "Batches", icon: "batches", phone: true },
  { path: "/agents", name: "Agents", icon: "agents" },
  { path: "/workers", name: "Workers", icon: "workers" },
  { path: "/system", name: "System", icon: "system" },
];

/** What is about all owners. */
const OF_ALL = ["/", "/workers", "/system"];

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const THEME_ICON: Record<Theme, IconName> = { auto: "auto", light: "sun", dark: "moon" };

export function Shell({ children }: { children: ComponentChildren }) {
  const search = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const [more, setMore] = useState(false);
  const { path } = place.value;
  const approvals = useTopic<Page<AskedCall>>("approvals", {});
  const waiting = approvals.data?.data.length ?? 0;
  const badge = waiting === 0 ? null : `${waiting}${approvals.data?.next_cursor ? "+" : ""}`;

  useEffect(() => listenToKeys(() => search.current?.focus()), []);
  const before = useRef(path);
  useEffect(() => {
    setMore(false);
    // A screen reader hears the new page; the first one it reads anyway.
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);

  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={href("/")} aria-label={`${config.value.name}, overview`}>
          <Logo />
          <span class="brand-name">{config.value.name}</span>
        </a>
        <Search input={search} />
        <div class="top-tools">
          <ConnectionMark />
          <Button
            kind="quiet"
            icon={THEME_ICON[theme.value]}
            label={`Theme: ${theme.value === "auto" ? "as the system" : theme.value}`}
            onClick={() => setTheme(NEXT[theme.value])}
          />
          <Button
            kind="quiet"
            icon="help"
            label="Keys"
            class="top-help"
            onClick={() => {
              helpOpen.value = true;
            }}
          />
          {config.value.caller && (
            <Button
              kind="quiet"
              icon="right"
              label={`Log out (${config.value.caller.name})`}
              onClick={() => void logOut()}
            />
          )}
          {may("submitter") && (
            <a class="button button-primary top-new" href={href("/tasks/new")} aria-label="New task">
              <Icon name="plus" />
              <span>New task</span>
            </a>
          )}
        </div>
      </header>
      <nav class={more ? "nav nav-open" : "nav"} aria-label="Main">
        <ul>
          {NAV.filter((item) => seesAll() || !OF_ALL.includes(item.path)).map((item) => {
            const here = item.path === "/" ? path === "/" : path === item.path || path.startsWith(`${item.path}/`);
            return (
              <li key={item.path} class={item.phone ? "" : "nav-more"}>
                <a href={href(item.path)} aria-current={here ? "page" : undefined} title={item.name}>
                  <Icon name={item.icon} />
                  <span class="nav-name">{item.name}</span>
                  {item.path === "/approvals" && badge && (
                    <span class="nav-badge">
                      {badge}
                      <span class="offscreen"> waiting</span>
                    </span>
                  )}
                </a>
              </li>
            );
          })}
          <li class="nav-toggle">
            <button type="button" aria-expanded={more} onClick={() => setMore(!more)}>
              <Icon name="more" />
              <span class="nav-name">More</span>
            </button>
          </li>
        </ul>
        <p class="nav-foot muted small">
          {config.value.docs_url && (
            <a href={config.value.docs_url} target="_blank" rel="noreferrer noopener">
              API documentation
            </a>
          )}
          {config.value.version && <span>Version {config.value.version}</span>}
        </p>
      </nav>
      <div class="content">
        <ConnectionBanner />
        <main id="main" ref={main} tabIndex={-1}>
          {children}
        </main>
      </div>
      <Help />
      <Toasts />
    </div>
  );
}
