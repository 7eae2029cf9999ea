/** The open calls of a task, above all else: it goes on when they are answered. */
import { useState } from "preact/hooks";
import type { AwaitedCall, Task } from "../api/types";
import { Badge, Button } from "../ui/basic";
import { JsonView } from "../ui/json";
import { RelativeTime } from "../ui/time";
import { AnswerDialog, DenyDialog, EditDialog } from "./answer";
import { type Actions, report } from "./useactions";

export function Asks({ task, calls, actions }: { task: Task; calls: readonly AwaitedCall[]; actions: Actions }) {
  const open = calls.filter((call) => call.status === "open");
  if (open.length === 0) return null;
  return (
    <section class="asks" aria-label="Open calls">
      {open.map((call) => (
        <Ask key={`${call.call_id}:${call.asks}`} task={task} call={call} actions={actions} />
      ))}
    </section>
  );
}

const WHO = { approval: "Needs a yes", operator: "Asks an operator", caller: "Asks the caller" } as const;

function Ask({ task, call, actions }: { task: Task; call: AwaitedCall; actions: Actions }) {
  const [dialog, setDialog] = useState<"edit" | "deny" | "answer" | null>(null);
  const busy = actions.answering(call.call_id);
  const close = (): void => setDialog(null);
  return (
    <article class="ask" aria-label={`${call.tool} of ${task.agent}`}>
      <header>
        <Badge tone="wait" icon="approvals">
          {WHO[call.asks]}
        </Badge>
        <strong class="mono">{call.tool}</strong>
        <span class="muted small">
          {call.asked_at && (
            <>
              asked <RelativeTime at={call.asked_at} />
            </>
          )}
          {call.expires_at && (
            <>
              , given up <RelativeTime at={call.expires_at} />
            </>
          )}
        </span>
      </header>
      <JsonView value={call.arguments} open={2} label="arguments" />
      <div class="ask-actions">
        {call.asks === "approval" ? (
          <>
            <Button
              needs="operator"
              kind="primary"
              icon="check"
              busy={busy}
              onClick={() => report(actions.approve(call.call_id))}
            >
              Approve
            </Button>
            <Button needs="operator" icon="edit" disabled={busy} onClick={() => setDialog("edit")}>
              Edit…
            </Button>
            <Button needs="operator" kind="danger" icon="cross" disabled={busy} onClick={() => setDialog("deny")}>
              Deny…
            </Button>
          </>
        ) : (
          <Button needs="submitter" kind="primary" icon="send" busy={busy} onClick={() => setDialog("answer")}>
            Answer…
          </Button>
        )}
      </div>
      {dialog === "edit" && (
        <EditDialog call={call} run={(args) => actions.approve(call.call_id, args)} onClose={close} />
      )}
      {dialog === "deny" && (
        <DenyDialog call={call} run={(reason) => actions.deny(call.call_id, reason)} onClose={close} />
      )}
      {dialog === "answer" && (
        <AnswerDialog
          call={call}
          answer={(result) => actions.answer(call.call_id, result)}
          fail={(message) => actions.fail(call.call_id, message)}
          onClose={close}
        />
      )}
    </article>
  );
}
