/** What the server says of itself, and the title of the document. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "./api/client";
import type { Config } from "./api/types";

export const config = signal<Config>({ name: "Factorial", version: "", docs_url: null });

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
