/**
 * Where the page is: path and query, kept in the address bar. Pages read `route`, and change the query with
 * `setQuery`; nothing that a person would want to send to another lives elsewhere.
 */
import { computed, signal } from "@preact/signals";

export interface Place {
  /** Below the base, beginning with `/`, never ending with one except the root. */
  path: string;
  query: Record<string, string>;
}

export type Changes = Record<string, string | null | undefined>;

export function parsePlace(pathname: string, search: string, base: string): Place {
  let path = pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  path = `/${path.replace(/^\/+|\/+$/g, "")}`;
  const query: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(search)) query[key] = value;
  return { path, query };
}

/** Keys in their order, empty values left out. */
export function formatPlace(place: Place, base: string): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(place.query)) if (value !== "") parts.set(key, value);
  const search = parts.toString();
  const path = place.path === "/" ? "/" : place.path;
  return `${base}${path}${search === "" ? "" : `?${search}`}`;
}

export function changed(query: Record<string, string>, changes: Changes): Record<string, string> {
  const next = new Map(Object.entries(query));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") next.delete(key);
    else next.set(key, value);
  }
  return Object.fromEntries(next);
}

export interface Match {
  name: string;
  params: Record<string, string>;
}

/** The first pattern that fits; `:name` takes one segment. */
export function matchRoute(
  path: string,
  patterns: readonly (readonly [pattern: string, name: string])[],
): Match | null {
  const segments = path.split("/").filter((s) => s !== "");
  for (const [pattern, name] of patterns) {
    const wanted = pattern.split("/").filter((s) => s !== "");
    if (wanted.length !== segments.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((want, i) => {
      const got = segments[i] ?? "";
      if (!want.startsWith(":")) return want === got;
      try {
        params[want.slice(1)] = decodeURIComponent(got);
      } catch {
        return false;
      }
      return true;
    });
    if (fits) return { name, params };
  }
  return null;
}

export const ROOT = "/observability";
const here = (): Place =>
  typeof location === "undefined" ? { path: "/", query: {} } : parsePlace(location.pathname, location.search, ROOT);

export const place = signal<Place>(here());
export const query = computed(() => place.value.query);

/** The address of a path in the page, for links. */
export function href(path: string, q: Changes = {}): string {
  return formatPlace({ path, query: changed({}, q) }, ROOT);
}

export function go(path: string, q: Changes = {}): void {
  history.pushState(null, "", href(path, q));
  place.value = here();
  scrollTo(0, 0);
}

/** Changes the query of the current path. `push` makes a step that Back undoes. */
export function setQuery(changes: Changes, push = false): void {
  const next = formatPlace({ path: place.value.path, query: changed(place.value.query, changes) }, ROOT);
  if (push) history.pushState(null, "", next);
  else history.replaceState(null, "", next);
  place.value = here();
}

export function listenToHistory(): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  // Links inside the page are plain links: middle click, copy and open-in-tab work, and a plain click stays here.
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (link?.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== ROOT && !link.pathname.startsWith(`${ROOT}/`)) return;
    if (link.pathname.startsWith(`${ROOT}/api/`)) return;
    if (link.hash !== "" && link.pathname === location.pathname) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    place.value = here();
    scrollTo(0, 0);
  });
}
