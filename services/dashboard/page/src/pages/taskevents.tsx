/** The log of a task, entry by entry, as it is kept. */
import { useMemo, useState } from "preact/hooks";
import type { TaskEvent } from "../api/types";
import { CHUNK, eventLabel, eventSummary, eventTone } from "../lib/events";
import { clock, duration, ms, whole } from "../lib/format";
import type { TaskFeed } from "../lib/taskfeed";
import { useTyped } from "../lib/typed";
import { query, setQuery } from "../lib/url";
import { EmptyState } from "../ui/basic";
import { Field } from "../ui/field";
import { Icon } from "../ui/icons";
import { JsonView } from "../ui/json";
import { Virtual } from "../ui/virtual";

function fits(event: TaskEvent, wanted: string): boolean {
  return (
    event.event_type.includes(wanted) ||
    eventLabel(event.event_type).includes(wanted) ||
    JSON.stringify(event.data).toLowerCase().includes(wanted)
  );
}

export function EventLog({ feed }: { feed: TaskFeed }) {
  const [open, setOpen] = useState<number | null>(null);
  const [typed, setTyped] = useTyped("event");
  const wanted = (query.value["event"] ?? "").toLowerCase();
  const chunks = query.value["text"] === "1";
  const shown = useMemo(
    () =>
      feed.events.filter((event) => (chunks || event.event_type !== CHUNK) && (wanted === "" || fits(event, wanted))),
    [feed.events, wanted, chunks],
  );
  const folded = useMemo(() => feed.events.filter((event) => event.event_type === CHUNK).length, [feed.events]);
  const first = ms(feed.events[0]?.at) ?? 0;
  const chosen = feed.events.find((event) => event.seq === open);
  return (
    <>
      <div class="panel-tools">
        <Field quiet label="Filter events" type="search" placeholder="Type or text" value={typed} onInput={setTyped} />
        {folded > 0 && (
          <label class="inline-check">
            <input
              type="checkbox"
              checked={chunks}
              onChange={(event) => setQuery({ text: event.currentTarget.checked ? "1" : null })}
            />
            Text of replies ({whole(folded)})
          </label>
        )}
        <span class="muted small num">{whole(shown.length)} shown</span>
      </div>
      {shown.length === 0 ? (
        <EmptyState icon="filter" title="No event matches" />
      ) : (
        <Virtual
          count={shown.length}
          rowRem={1.75}
          label="Events"
          class="events"
          row={(i) => {
            const event = shown[i];
            return (
              event && (
                <Line
                  key={event.seq}
                  event={event}
                  first={first}
                  open={open === event.seq}
                  onOpen={() => setOpen(open === event.seq ? null : event.seq)}
                />
              )
            );
          }}
        />
      )}
      {chosen && (
        <aside class="event-details" aria-label={`Event ${chosen.seq}`}>
          <JsonView value={chosen} open={3} label="event" />
        </aside>
      )}
    </>
  );
}

function Line({ event, first, open, onOpen }: { event: TaskEvent; first: number; open: boolean; onOpen: () => void }) {
  const at = ms(event.at) ?? 0;
  return (
    <div role="listitem" class={open ? "event open" : "event"}>
      <button type="button" aria-expanded={open} onClick={onOpen}>
        <span class="num muted event-seq">{event.seq}</span>
        <span class="num event-at" title={event.at}>
          {clock(at)} <span class="muted">+{duration(at - first)}</span>
        </span>
        <span class={`event-type tone-${eventTone(event.event_type)}`} title={event.event_type}>
          <span class="event-dot" />
          {eventLabel(event.event_type)}
        </span>
        <span class="muted event-turn num">
          {event.turn > 0 && `turn ${event.turn}`}
          {event.attempt > 1 && ` · attempt ${event.attempt}`}
        </span>
        <span class="muted event-data">{eventSummary(event)}</span>
        <Icon name={open ? "down" : "right"} />
      </button>
    </div>
  );
}
