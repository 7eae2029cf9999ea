/** What the server says of itself, and the title of the document. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "./api/client";
import type { Config } from "./api/types";

export const config = signal<Config>({ name: "Factorial", version: "", docs_url: null, caller: null });

export type Role = NonNullable<Config["caller"]>["role"];

const ROLES: Role[] = ["viewer", "submitter", "operator", "admin"];

/** Whether whoever looks may do what needs this role. The server refuses it in any case. */
export function may(role: Role): boolean {
  const caller = config.value.caller;
  return !caller || ROLES.indexOf(caller.role) >= ROLES.indexOf(role);
}

/** Whether whoever looks sees the tasks of all owners. */
export function seesAll(): boolean {
  return !config.value.caller?.owner_ids;
}

const RETRY_MS = 3_000;

export function loadConfig(): void {
  api.config().then(
    (loaded) => {
      config.value = loaded;
    },
    () => setTimeout(loadConfig, RETRY_MS),
  );
}

export function useTitle(title: string): void {
  const full = `${title} · ${config.value.name}`;
  useEffect(() => {
    document.title = full;
  }, [full]);
}
