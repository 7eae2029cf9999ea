/** Dialogs: the browser's own, which keeps the focus inside, closes with Escape and gives the focus back. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem } from "../api/client";
import type { Problem } from "../api/types";
import { Button, type ButtonKind, ProblemBox } from "./basic";

let serial = 0;

export function Dialog({
  title,
  onClose,
  children,
  wide,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [id] = useState(() => {
    serial += 1;
    return `dialog-${serial}`;
  });
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) {
      element.showModal();
      // What is to be written comes before the button that closes.
      element.querySelector<HTMLElement>("form :is(input:not([type=checkbox]), textarea, select)")?.focus();
    }
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" icon="cross" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

export interface ConfirmProps {
  title: string;
  action: string;
  kind?: ButtonKind;
  /** Closes when it resolves; what it throws is shown. */
  run: () => Promise<void>;
  onClose: () => void;
  disabled?: boolean;
  wide?: boolean;
  children: ComponentChildren;
}

/** A question with a form: what is to happen, and one button that does it. */
export function Confirm({ title, action, kind = "primary", run, onClose, disabled, wide, children }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await run();
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose} wide={wide ?? false}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
        }}
      >
        {children}
        {problem && <ProblemBox problem={problem} />}
        <footer class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" kind={kind} busy={busy} disabled={disabled ?? false}>
            {action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
