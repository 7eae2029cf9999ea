/** Light or dark: as the system says, or as chosen here, which is kept. */
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

const KEY = "factorial-theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto";
  }
}

export const theme = signal<Theme>("auto");
/** What is shown now. */
export const dark = signal(false);

export function startTheme(): void {
  theme.value = stored();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemDark = signal(system.matches);
  system.addEventListener("change", () => {
    systemDark.value = system.matches;
  });
  effect(() => {
    const chosen = theme.value;
    dark.value = chosen === "auto" ? systemDark.value : chosen === "dark";
    document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
  });
}

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    if (next === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Kept for this visit alone.
  }
}
