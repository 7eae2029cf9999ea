"""A load that provokes whatever is measured: every end of a task, every kind of wait, and things that go wrong."""

import contextlib
import itertools
import signal
import socket
import threading
import time
import urllib.error

from .system import KEY, MOST_STREAMS, eventually

# Submissions: agent, query, and how long the result is waited for.
MIXED = [
    ("assistant", "calculator and current_time, please", 5),
    ("shop", "What does it cost?", 5),
    ("assistant", 'behave [[sim:behaviour={"fault":{"status":{"status":400}}}]]', 0),
    ("assistant", '[[sim:noop]][[sim:behaviour={"fault":{"status":{"status":500}},"fail_first":1}]]', 0),
    ("planner", 'research [[sim:args={"research":{"topics":["tea","milk"]}}]]', 0),
    ("planner", "current_time", 0),
    ("assistant", "[[sim:noop]][[sim:token_delay_ms=20]]", 5),
]
PAUSE = 0.6
# What is answered now and then: the task has ended meanwhile; the gateway is full, or Redis is paused.
MEANT = (409, 503)


class Load:
    """Goes on in threads until it is left."""

    def __init__(self, system):
        self.system = system
        self.stopped, self.wrong = threading.Event(), []
        works = [self.submit, self.submit, self.watch, self.steer, self.cancel, self.approve, self.ask, self.crowd]
        self.threads = [threading.Thread(target=self.repeat, args=(work, n), daemon=True) for n, work in enumerate(works)]

    def __enter__(self):
        self.unread = unread(self.system.ports["gateway-public"])
        for path in ("ok", "fails", "gone"):
            hook = {"owner_id": "somebody", "url": f"{self.system.outside.url}/{path}"}
            self.system.call("/v1/webhooks", hook)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        self.unread.close()

    def repeat(self, work, first):
        for count in itertools.count(first):
            try:
                work(count)
            except urllib.error.HTTPError as error:
                if error.code not in MEANT:
                    self.wrong.append(f"{error.url}: {error.code} {error.read().decode()}")
            except (OSError, AssertionError) as error:
                self.wrong.append(f"{work.__name__}: {error!r}")
            if self.stopped.wait(PAUSE):
                return

    def submit(self, count):
        agent, query, wait = MIXED[count % len(MIXED)]
        task = self.system.submit(agent, query, delay_seconds=0.3 if count % 5 == 0 else 0)
        if wait:
            self.system.call(f"/v1/tasks/{task}/result?wait={wait}")

    def watch(self, _):
        task = self.system.submit("assistant", "calculator [[sim:token_delay_ms=10]]", stream=True)
        self.system.ask(f"{self.system.gateway}/v1/tasks/{task}/events", accept="text/event-stream")

    def steer(self, count):
        task = self.long()
        message = {"messages": [{"role": "user", "content": "[[sim:noop]]Enough."}], "mode": "interrupt"}
        self.system.call(f"/v1/tasks/{task}/steer", message)
        self.system.call(f"/v1/tasks/{task}/result?wait=5")

    def cancel(self, _):
        task = self.long()
        self.system.call(f"/v1/tasks/{task}/cancel", {"reason": "no more need"})
        self.system.call(f"/v1/tasks/{task}/retry", {})
        self.system.call(f"/v1/tasks/{task}/cancel", {})

    def long(self):
        """A task in a model call that takes its time."""
        task = self.system.submit("assistant", "[[sim:noop]][[sim:latency_ms=20000]]")
        self.system.until(task, "processing")
        return task

    def approve(self, _):
        batch = {"owner_id": "somebody", "agent": "assistant", "tasks": [{"query": "[[sim:noop]]"}] * 3}
        self.system.call("/v1/batches", batch)
        for call in self.system.call("/v1/approvals")["data"][:-1]:
            self.system.call(f"/v1/tasks/{call['task_id']}/tool-calls/{call['call_id']}/approve", {})

    def ask(self, _):
        for url in (self.system.dashboard, f"{self.system.dashboard}/observability/login"):
            self.system.ask(url)
        with contextlib.suppress(urllib.error.HTTPError):
            self.system.call("/v1/tasks/nothing")

    def crowd(self, _):
        """As many streams as there may be, and one more; for a moment, since others want some too."""
        with contextlib.ExitStack() as streams:
            for _ in range(MOST_STREAMS + 1):
                events = self.system.open(f"{self.system.gateway}/v1/events?owner_id=nobody", accept="text/event-stream")
                streams.enter_context(events)


def unread(port):
    """A connection whose client asks for more than fits into buffers, and reads nothing of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    request = f"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {KEY}\r\n\r\n"
    client.sendall(request.encode() * 100)
    return client


def faults(system):
    """What takes down or stops the second worker, and Redis for a moment."""
    poisoned(system)
    handed_back(system)
    # The last of those with the worker: what it has counted is gone when it ends.
    fenced(system)
    # Longer than anybody but workers waits for an answer.
    pause_redis(system, 1.5)


def pause_redis(system, seconds, meanwhile=lambda: None):
    system.signal("redis", signal.SIGSTOP)
    meanwhile()
    time.sleep(seconds)
    system.signal("redis", signal.SIGCONT)


def fenced(system):
    """A worker that sleeps for longer than its leases goes on, and is refused what it writes."""
    busy = {"query": "current_time [[sim:turns=900]][[sim:latency_ms=50]]"}
    batch = {"owner_id": "somebody", "agent": "fragile", "tasks": [busy] * 20}
    made = system.call("/v1/batches", batch)["id"]
    listed = f"/v1/tasks?batch_id={made}"
    eventually("tasks run", lambda: all(t["status"] == "processing" and t["turns"] for t in system.call(listed)["data"]))
    system.signal("worker-2", signal.SIGSTOP)
    eventually("leases expire", lambda: recoveries(system, listed) >= len(batch["tasks"]))
    # Its heartbeat would tell it before it writes much. Without an answer of Redis it gives up sooner than what is written.
    pause_redis(system, 0.6, lambda: system.signal("worker-2", signal.SIGCONT))
    eventually("writes are refused", lambda: system.values("factorial_worker_fenced_writes_total > 0"))
    system.call(f"/v1/batches/{made}/cancel", {})


def recoveries(system, listed):
    return sum(task["recoveries"] for task in system.call(listed)["data"])


def poisoned(system):
    """A task that loses its worker once too often."""
    task = system.submit("fragile", "[[sim:noop]][[sim:latency_ms=60000]]")
    for after in ("queued", "failed"):
        system.until(task, "processing")
        system.signal("worker-2", signal.SIGKILL)
        system.until(task, after)
        system.again("worker-2")


def handed_back(system):
    """A worker that is told to end gives its task back, and another start of it goes on with it."""
    task = system.submit("fragile", "[[sim:noop]][[sim:latency_ms=60000]]")
    system.until(task, "processing")
    system.signal("worker-2", signal.SIGTERM)
    system.again("worker-2")
    system.until(task, "processing")
    system.call(f"/v1/tasks/{task}/cancel", {})
