/** How the page is fed: a mark at the top, and a banner when what is shown may be old. */
import { useEffect, useRef } from "preact/hooks";
import { live } from "../api/store";
import { now } from "../lib/clock";
import { age } from "../lib/format";
import { Button } from "../ui/basic";
import { Icon } from "../ui/icons";
import { announcement } from "../ui/toast";

const NAME = { connecting: "Connecting", live: "Live", polling: "Polling", lost: "Offline" } as const;

export function ConnectionMark() {
  const { kind } = live.link.value;
  return (
    <span class={`connection connection-${kind}`} title={kind === "live" ? "Updates come as they happen" : undefined}>
      <span class="connection-dot" />
      {NAME[kind]}
    </span>
  );
}

export function ConnectionBanner() {
  const link = live.link.value;
  const before = useRef(link.kind);
  useEffect(() => {
    if (before.current === link.kind) return;
    if (link.kind === "lost" && before.current !== "connecting")
      announcement.value = "Connection lost. What is shown may be old.";
    if (link.kind === "polling") announcement.value = "No live connection. The page asks every 2 seconds.";
    if (link.kind === "live" && before.current !== "connecting") announcement.value = "Connected again.";
    before.current = link.kind;
  }, [link.kind]);
  if (link.kind === "live" || link.kind === "connecting") return null;
  // The clock of the page makes the countdown go on; the time itself is this machine's, as `retryAt` is.
  const left = now.value > 0 ? Math.max(0, Math.ceil((link.retryAt - Date.now()) / 1000)) : 0;
  return (
    <div class={`banner banner-${link.kind}`}>
      <Icon name="warning" />
      <p>
        {link.kind === "lost" ? (
          <>
            <strong>Not connected</strong>: {link.reason}. What you see is {age(Date.now() - link.since)} old.
          </>
        ) : (
          <>
            <strong>No live connection.</strong> The page asks every 2 s instead.
          </>
        )}{" "}
        <span class="num">{left > 0 ? `Next try in ${left} s.` : "Trying…"}</span>
      </p>
      <Button small onClick={() => live.retryNow()}>
        Try now
      </Button>
    </div>
  );
}
