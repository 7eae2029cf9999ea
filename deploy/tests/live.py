"""Docker Compose for real: `cargo xtask containers` runs it.

Builds the image and brings the whole system up; runs the README's first task and a smoke test; kills each container in
turn while tasks run; has Prometheus scrape all of it and asks for every panel; rolls to another image; and checks that
every task that was accepted ended exactly once.

FACTORIAL_CONTAINER_TOOL    what has `build` and `compose`: docker (the default where it is), or podman
FACTORIAL_CONTAINER_ENGINE  what has `kill`, `save` and `inspect`, if that is something else

Needs nothing but Python. Everything of its own is removed at the end, with --keep nothing is.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from pathlib import Path


ROOT = Path(__file__).resolve().parents[2]
# In full, since podman would call the short form localhost/factorial when it builds, and look elsewhere for it later.
PROJECT, IMAGE, NEXT = "factorial-live", "docker.io/library/factorial:live", "docker.io/library/factorial:live-next"
SERVICES = ["redis", "model", "gateway", "worker", "worker", "reaper", "dashboard"]
# Panels that have data only after something that need not happen here: a price, a webhook, a lack of room, a poisoned task,
# a failed call or round.
QUIET = {
    "Cost an hour", "Cost of the time shown", "Cost an hour by agent and model", "Webhook deliveries", "Poisoned",
    "Refused and failed", "Refused writes", "Failed calls by script", "Failed rounds a minute", "Failed and repeated a minute",
}
# Submissions a second, and how long the last of them may take to their ends.
RATE, PATIENCE = 10, 300
# Of each call of the simulated model. A run has two, so there are always some that are not in their last turn.
LATENCY_MS = 1000


class Failed(Exception):
    """Something is not as it should be; the message says what."""


def say(text):
    print(text, flush=True)


def run(command, env=None, quiet=True):
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, text=True,
                          stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout or ''}")
    return done.stdout or ""


class Containers:
    """Builds images, and drives the project by Compose."""

    def __init__(self):
        self.tool = (os.environ.get("FACTORIAL_CONTAINER_TOOL") or self.found()).split()
        self.engine = (os.environ.get("FACTORIAL_CONTAINER_ENGINE") or " ".join(self.tool)).split()
        self.ports = {name: free_port() for name in ("GATEWAY_PORT", "DASHBOARD_PORT", "PROMETHEUS_PORT")}
        self.env = {"FACTORIAL_IMAGE": IMAGE, "FACTORIAL_SIM_LATENCY_MS": str(LATENCY_MS), **{name: str(port) for name, port in self.ports.items()}}
        self.gateway = f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}"
        self.dashboard = f"http://127.0.0.1:{self.ports['DASHBOARD_PORT']}"

        self.prometheus = f"http://127.0.0.1:{self.ports['PROMETHEUS_PORT']}"

    @staticmethod
    def found():
        for name in ("docker", "podman"):
            if shutil.which(name) and subprocess.run([name, "compose", "version"], capture_output=True).returncode == 0:
                return name
        raise Failed("neither docker nor podman has Compose here; set FACTORIAL_CONTAINER_TOOL to what has `build` and `compose`")

    def build(self, tag, version):
        # OCI's own format has no health checks, so podman is asked for Docker's.
        docker = [] if self.tool == ["docker"] else ["--format", "docker"]
        run([*self.tool, "build", *docker, "-t", tag, "--build-arg", f"VERSION={version}", "."],
            env={"BUILDAH_LAYERS": "true"}, quiet=False)

    def compose(self, *arguments):
        return run([*self.tool, "compose", "-p", PROJECT, "-f", "docker-compose.yml", *arguments], env=self.env)

    def up(self, *options, services=(*sorted(set(SERVICES)), "prometheus")):
        # Of the profile `observability` Prometheus alone: Grafana has nothing that could be asked here.
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "120", *options, *services)

    def ids(self, service):
        # Compose may say other things on standard error.
        return [line for line in self.compose("ps", "--quiet", service).split() if len(line) == 64]

    def ask(self, *arguments):
        return run([*self.engine, *arguments])

    def sizes(self, tag):
        """Bytes in a registry, each layer compressed as it is pushed, and on disk."""
        saved = subprocess.Popen([*self.engine, "save", tag], cwd=ROOT, stdout=subprocess.PIPE)
        packed, packer, plain = 0, zlib.compressobj(6), 0
        while chunk := saved.stdout.read(1 << 20):
            plain += len(chunk)
            packed += len(packer.compress(chunk))
        if saved.wait() != 0:
            raise Failed(f"cannot save {tag}")
        return packed + len(packer.flush()), plain


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(base, path, body=None, key=None, timeout=40):
    """A request; its JSON."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    if key:
        headers["idempotency-key"] = key
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers), timeout=timeout) as answer:
        return json.load(answer)


def patiently(base, path, body=None, key=None, until=None):
    """A request, again while nobody answers or the answer is that it is too early; its JSON."""
    while True:
        try:
            return call(base, path, body, key)
        except urllib.error.HTTPError as error:
            if error.code not in (502, 503) or time.monotonic() > until:
                raise Failed(f"{path}: {error.code} {error.read().decode()}") from error
        except (OSError, ValueError) as error:
            if time.monotonic() > until:
                raise Failed(f"{path}: {error}") from error
        time.sleep(0.2)


class Load:
    """Hands in tasks until it is told to stop. Each submission is repeated with its key until it is accepted.

    One in ten is waited for, and one task of all waits for a person from the beginning to the end.
    """

    def __init__(self, gateway, name):
        self.gateway, self.accepted, self.wrong = gateway, [], []
        # The same key would give the same task.
        self.name = name.replace(" ", "-")
        self.stopped, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(4)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def work(self, number):
        count = 0
        while not self.stopped.wait(len(self.threads) / RATE):
            count += 1
            task = {"agent": "assistant", "owner_id": f"owner-{number}", "query": "What time is it?"}
            try:
                made = patiently(self.gateway, "/v1/tasks", task, f"{self.name}-{number}-{count}", time.monotonic() + PATIENCE)
            except Failed as failed:
                self.wrong.append(str(failed))
                return
            with self.lock:
                self.accepted.append(made["id"])
            if count % 10 == 0:
                patiently(self.gateway, f"/v1/tasks/{made['id']}/result?wait=5", until=time.monotonic() + PATIENCE)

    def ask(self):
        """Hands in a task that has topics researched by children, and then wants a person's yes; when it waits for that."""
        task = {"agent": "planner", "owner_id": "me", "query": "Write about the history of tea"}
        until = time.monotonic() + PATIENCE
        self.asking = patiently(self.gateway, "/v1/tasks", task, self.name, until)["id"]
        while not self.asked(until):
            if time.monotonic() > until:
                raise Failed(f"task {self.asking} asks nobody")
            time.sleep(0.5)

    def asked(self, until):
        open_calls = patiently(self.gateway, "/v1/approvals", until=until)["data"]
        return [call for call in open_calls if call["task_id"] == self.asking]

    def approve(self):
        """The yes, after all that has happened meanwhile."""
        until = time.monotonic() + PATIENCE
        for asked in self.asked(until):
            path = f"/v1/tasks/{asked['task_id']}/tool-calls/{asked['call_id']}/approve"
            patiently(self.gateway, path, {}, until=until)
        self.accepted.append(self.asking)

    def check(self):
        """Waits for the end of all of them; what they went through."""
        if self.wrong:
            raise Failed(self.wrong[0])
        if len(set(self.accepted)) != len(self.accepted):
            raise Failed("one id was given twice")
        until, sums = time.monotonic() + PATIENCE, dict.fromkeys(("attempts", "retries", "recoveries", "hand_backs"), 0)
        for task_id in self.accepted:
            record = self.ended(task_id, until)
            for name in sums:
                sums[name] += record[name]
        return {"accepted": len(self.accepted), **sums}

    def ended(self, task_id, until):
        path = f"/v1/tasks/{task_id}"
        while True:
            result = patiently(self.gateway, f"{path}/result?wait=20", until=until)
            if result["status"] in ("completed", "failed", "cancelled"):
                break
            if time.monotonic() > until:
                raise Failed(f"task {task_id} is still {result['status']}")
        record = patiently(self.gateway, path, until=until)
        events = patiently(self.gateway, f"{path}/events?limit=500", until=until)["data"]
        seqs, types = [event["seq"] for event in events], [event["event_type"] for event in events]
        ends = [name for name in types if name in ("run_completed", "run_failed", "run_cancelled")]
        if record["status"] != "completed" or ends != ["run_completed"] or types[-1] != "run_completed":
            raise Failed(f"task {task_id} is {record['status']}: {types}\n{record.get('error')}")
        if seqs != list(range(1, len(seqs) + 1)):
            raise Failed(f"the log of task {task_id} has gaps: {seqs}")
        return record


def first_task(containers):
    """What the README shows first."""
    task = {"agent": "assistant", "owner_id": "me", "query": "What time is it?"}
    made = call(containers.gateway, "/v1/tasks", task)
    result = call(containers.gateway, f"/v1/tasks/{made['id']}/result?wait=30")
    if result["status"] != "completed" or not result["output"]:
        raise Failed(f"the first task: {result}")
    say(f"first task: {result['output']}")


def smoke(containers):
    """What `helm test` does: a task by the command line, from where the gateway is; and the page."""
    answer = containers.compose("exec", "-T", "gateway", "factorial", "run", "assistant", "What time is it?")
    say("smoke test: " + " | ".join(line for line in answer.splitlines() if line.strip()))
    with urllib.request.urlopen(f"{containers.dashboard}/observability", timeout=10) as page:
        if b"<script" not in page.read():
            raise Failed("the dashboard was built without its page")
    log = containers.compose("logs", "worker")
    if "a simulated model makes up the replies" not in log:
        raise Failed(f"the worker does not say that a simulated model answers:\n{log}")


def watched(containers):
    """Prometheus scrapes every role, evaluates every rule, and has data for every panel."""
    until = time.monotonic() + 60
    while True:
        targets = call(containers.prometheus, "/api/v1/targets?state=active")["data"]["activeTargets"]
        up = sorted(target["labels"]["job"] for target in targets if target["health"] == "up")
        if up == ["factorial-dashboard", "factorial-gateway", "factorial-reaper", "factorial-worker", "factorial-worker", "prometheus"]:
            break
        if time.monotonic() > until:
            raise Failed(f"Prometheus scrapes {up} only")
        time.sleep(1)
    groups = call(containers.prometheus, "/api/v1/rules")["data"]["groups"]
    ill = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
    if ill or not groups:
        raise Failed(f"rules that cannot be evaluated: {ill}")
    empty, count = [], 0
    for path in sorted((ROOT / "helm/factorial/files/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            found = [query(containers, target["expr"]) for target in panel.get("targets", [])]
            count += bool(found)
            if found and not any(found) and panel["title"] not in QUIET:
                empty.append(f"{path.stem}: {panel['title']}")
    if empty:
        raise Failed(f"panels without data: {empty}")
    say(f"Prometheus: {len(up)} targets, {sum(len(g['rules']) for g in groups)} rules, {count} panels, data in all but some of the {len(QUIET)} that need a fault or a price")


def query(containers, expression):
    """What a panel shows now, with everything chosen."""
    for variable, value in [("$__rate_interval", "1m"), ("$__range", "10m"), ("$namespace", ".*"), ("$agent", ".*")]:
        expression = expression.replace(variable, value)
    return call(containers.prometheus, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))["data"]["result"]


def kill_each(containers):
    seen = {}
    for service in SERVICES:
        index = seen[service] = seen.get(service, -1) + 1
        victim = sorted(containers.ids(service))[index]
        started = time.monotonic()
        containers.ask("kill", "--signal", "KILL", victim)
        # A restart policy does not apply to what was killed by hand.
        containers.up("--no-recreate")
        say(f"killed {service}: whole again after {time.monotonic() - started:.1f} s")
        time.sleep(3)
    watched(containers)


def roll(containers):
    containers.env["FACTORIAL_IMAGE"] = NEXT
    before = {service: set(containers.ids(service)) for service in SERVICES}
    ours = sorted(set(SERVICES) - {"redis", "model"})
    started = time.monotonic()
    # Without Redis, which stays as it is: on podman Compose makes every container anew, changed or not. And without the
    # model, which in earnest is not ours: a call that it breaks off would count as a failed attempt, and rightly so.
    containers.up("--no-deps", services=ours)
    say(f"rolled to another image in {time.monotonic() - started:.1f} s")
    for service in ours:
        if before[service] & set(containers.ids(service)):
            raise Failed(f"{service} still runs the image before")


def loaded(containers, what, act):
    with Load(containers.gateway, what) as load:
        load.ask()
        act(containers)
        load.approve()
    sums = load.check()
    text = ", ".join(f"{count} {name.replace('_', '-')}" for name, count in sums.items())
    say(f"{what}: every task ended exactly once ({text})")
    return sums


def main():
    parser = argparse.ArgumentParser(prog="cargo xtask containers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--no-build", action="store_true", help="take the images of the run before")
    options = parser.parse_args()
    containers = Containers()
    started = time.monotonic()
    if not options.no_build:
        containers.build(IMAGE, "live")
        containers.build(NEXT, "live-next")
    packed, plain = containers.sizes(IMAGE)
    say(f"image: {packed / 1e6:.1f} MB compressed, {plain / 1e6:.1f} MB on disk, after {time.monotonic() - started:.0f} s")
    if packed > 60e6:
        raise Failed("the image is larger than 60 MB")
    try:
        started = time.monotonic()
        containers.up()
        say(f"up: whole after {time.monotonic() - started:.1f} s")
        first_task(containers)
        smoke(containers)
        loaded(containers, "kill of each container", kill_each)
        sums = loaded(containers, "rolling change of the image", roll)
        if sums["recoveries"] or sums["retries"] or not sums["hand_backs"]:
            raise Failed("a rollout hands tasks back, and burns no attempt")
    except Failed:
        subprocess.run([*containers.tool, "compose", "-p", PROJECT, "logs", "--tail", "30"], cwd=ROOT, env={**os.environ, **containers.env})
        raise
    finally:
        if options.keep:
            say(f"kept: {containers.gateway} {containers.dashboard}/observability")
        else:
            containers.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
    say("ok")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
