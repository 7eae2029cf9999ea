/** What a text in the search may mean. */
import { go } from "../lib/url";
import type { IconName } from "../ui/icons";
import { PLACES } from "./keys";

export interface Hit {
  key: string;
  icon: IconName;
  text: string;
  note: string;
  run: () => void;
}

const TASK_ID = /^\d+-[0-9a-z]{20,32}$/;

export function hits(text: string, agents: readonly string[]): Hit[] {
  const q = text.trim();
  if (q === "") return [];
  const low = q.toLowerCase();
  const out: Hit[] = [];
  if (TASK_ID.test(low)) {
    out.push({ key: "task", icon: "tasks", text: low, note: "Open this task", run: () => go(`/tasks/${low}`) });
    out.push({ key: "batch", icon: "batches", text: low, note: "Open this batch", run: () => go(`/batches/${low}`) });
  } else
    out.push({
      key: "q",
      icon: "search",
      text: q,
      note: "Tasks with this in id or metadata",
      run: () => go("/tasks", { q }),
    });
  for (const name of agents.filter((name) => name.includes(low)).slice(0, 5)) {
    out.push({
      key: `agent:${name}`,
      icon: "agents",
      text: name,
      note: "Agent",
      run: () => go(`/agents/${encodeURIComponent(name)}`),
    });
  }
  for (const { path, name } of Object.values(PLACES)) {
    if (name.toLowerCase().startsWith(low))
      out.push({ key: path, icon: "right", text: name, note: "Page", run: () => go(path) });
  }
  return out;
}
