/** What is done to many tasks at once: chosen rows, or all that match, with a question before and progress during it. */
import { useRef, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import type { BulkRequest, Problem, TaskFilter } from "../api/types";
import { plural, whole } from "../lib/format";
import { Button, ProblemBox, Progress } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { toast } from "../ui/toast";

type Action = BulkRequest["action"];

interface Props {
  selected: ReadonlySet<string>;
  everything: boolean;
  filter: TaskFilter;
  total: number | null;
  onEverything: () => void;
  onClear: () => void;
}

export function BulkBar(props: Props) {
  const { selected, everything, total } = props;
  const [action, setAction] = useState<Action | null>(null);
  if (selected.size === 0) return null;
  const many = everything
    ? total === null
      ? "All that match"
      : `All ${whole(total)} that match`
    : plural(selected.size, "task");
  return (
    <section class="bulkbar" aria-label="Selected tasks">
      <strong class="num">{many} selected</strong>
      {!everything && (
        <button type="button" class="link" onClick={props.onEverything}>
          Select {total === null ? "all" : `all ${whole(total)}`} that match this filter
        </button>
      )}
      <span class="bulkbar-space" />
      <Button needs="operator" icon="retry" onClick={() => setAction("retry")}>
        Retry…
      </Button>
      <Button needs="operator" kind="danger" icon="cross" onClick={() => setAction("cancel")}>
        Cancel…
      </Button>
      <Button kind="quiet" onClick={props.onClear}>
        Clear
      </Button>
      {action && <BulkDialog {...props} action={action} many={many} onClose={() => setAction(null)} />}
    </section>
  );
}

/** The server takes so many ids in one request. */
const MOST_IDS = 1_000;

type Phase = "ask" | "run" | "stopped" | "done";

function BulkDialog({
  action,
  many,
  selected,
  everything,
  filter,
  total,
  onClose,
  onClear,
}: Props & { action: Action; many: string; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [phase, setPhase] = useState<Phase>("ask");
  const [sum, setSum] = useState({ done: 0, refused: 0 });
  const [problem, setProblem] = useState<Problem | null>(null);
  const stop = useRef(false);
  const cursor = useRef<string | undefined>(undefined);
  const from = useRef(0);
  const wanted = everything ? total : selected.size;
  const verb = action === "cancel" ? "cancelled" : "retried";

  const run = async (): Promise<void> => {
    setPhase("run");
    setProblem(null);
    stop.current = false;
    try {
      for (;;) {
        const answer = await api.bulk({
          action,
          filter: everything ? filter : null,
          ids: everything ? null : [...selected].slice(from.current, from.current + MOST_IDS),
          ...(action === "cancel" && reason ? { reason } : {}),
          ...(cursor.current ? { cursor: cursor.current } : {}),
        });
        setSum((before) => ({ done: before.done + answer.done, refused: before.refused + answer.refused }));
        cursor.current = answer.next_cursor ?? undefined;
        if (!cursor.current) from.current += MOST_IDS;
        if (!cursor.current && (everything || from.current >= selected.size)) break;
        if (stop.current) {
          setPhase("stopped");
          return;
        }
      }
      setPhase("done");
    } catch (error) {
      setProblem(asProblem(error));
      setPhase("stopped");
    }
  };
  const close = (): void => {
    stop.current = true;
    if (phase === "done") {
      toast("good", `${plural(sum.done, "task")} ${verb}`);
      onClear();
    }
    onClose();
  };
  const handled = sum.done + sum.refused;

  return (
    <Dialog title={action === "cancel" ? "Cancel tasks" : "Retry tasks"} onClose={close}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {phase === "ask" ? (
          <>
            <p>
              <strong>{many}</strong> will be {verb}.{" "}
              {action === "cancel"
                ? "Their descendants are cancelled too. Tasks that have ended are left as they are."
                : "Failed and cancelled tasks go on from their last commit; others are left as they are."}
            </p>
            {everything && <FilterWords filter={filter} />}
            {action === "cancel" && (
              <Field label="Reason" hint="Kept with each task; may be empty." value={reason} onInput={setReason} />
            )}
          </>
        ) : (
          <div class="stack" aria-live="polite">
            <Progress
              value={phase === "done" ? 1 : wanted ? handled / wanted : null}
              label="Tasks handled"
              tone={phase === "done" ? "good" : "info"}
            />
            <p class="num">
              {whole(sum.done)} {verb}
              {sum.refused > 0 && `, ${whole(sum.refused)} left as they are`}
              {wanted !== null && phase !== "done" && ` of about ${whole(wanted)}`}
              {phase === "stopped" && !problem && " – stopped"}
            </p>
          </div>
        )}
        {problem && <ProblemBox problem={problem} />}
        <footer class="dialog-foot">
          {phase === "run" ? (
            <Button
              onClick={() => {
                stop.current = true;
              }}
            >
              Stop
            </Button>
          ) : (
            <Button onClick={close}>Close</Button>
          )}
          {(phase === "ask" || phase === "stopped") && (
            <Button type="submit" kind={action === "cancel" ? "danger" : "primary"}>
              {phase === "stopped" ? "Go on" : action === "cancel" ? "Cancel tasks" : "Retry tasks"}
            </Button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}

function FilterWords({ filter }: { filter: TaskFilter }) {
  const words = Object.entries(filter);
  return words.length === 0 ? (
    <p class="warn-text">No filter is set: this is every task there is.</p>
  ) : (
    <ul class="filter-words">
      {words.map(([key, value]) => (
        <li key={key}>
          {key.replaceAll("_", " ")}: <strong>{String(value).replaceAll(",", ", ")}</strong>
        </li>
      ))}
    </ul>
  );
}
