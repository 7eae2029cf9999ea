/** Small things that this browser keeps for its person. Without storage they last as long as the page. */
import { type Signal, signal } from "@preact/signals";

function remembered(key: string): { value: Signal<string>; set: (value: string) => void } {
  let stored = "";
  try {
    stored = localStorage.getItem(key) ?? "";
  } catch {
    // Storage is refused: nothing is remembered.
  }
  const value = signal(stored);
  return {
    value,
    set: (next) => {
      value.value = next;
      try {
        localStorage.setItem(key, next);
      } catch {
        // As above.
      }
    },
  };
}

/** Whose tasks are submitted from here. */
export const owner = remembered("factorial-owner");
/** Who decides here, for the record of approvals and answers. */
export const operator = remembered("factorial-operator");

export function decidedBy(): string {
  return operator.value.value.trim().slice(0, 128) || "dashboard";
}
