"""The whole system as processes of this machine: Redis, the roles, a simulated model, and a Prometheus that scrapes them.

Prometheus gets the rules and the scrape configuration of deploy/, with the addresses of here and shorter intervals.
FACTORIAL_BIN is where the binaries are; `cargo xtask` builds them and says so.
"""

import contextlib
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from .support import ROLES, ROOT, RULES

BINARIES = (ROOT / os.environ.get("FACTORIAL_BIN", "target/debug")).resolve()
KEY = "of-the-tests-and-nobody-else"
# Seconds for anything to come about. Much more than it takes, since other tests may run at the same time.
PATIENCE = 30
# Of gateway: so few that the load finds it full now and then.
MOST_STREAMS = 12
# Worker processes and what they serve. The second one is killed, paused and stopped.
WORKERS = {"worker": ["assistant", "shop", "planner", "researcher"], "worker-2": ["fragile"]}


def eventually(what, check, patience=PATIENCE):
    """The first true answer of `check`, which is asked once at least."""
    until = time.monotonic() + patience
    while not (found := check()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {max(patience, 0):.0f} s: {what}")
        time.sleep(0.05)
    return found


class System(contextlib.ExitStack):
    """Starts everything, and stops it when it is closed."""

    def __init__(self):
        super().__init__()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.place = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="factorial-scraped-")))
        self.processes, self.starts = {}, {}
        admins = [*ROLES, "worker-2"]
        self.ports = dict(zip(["redis", "model", "gateway-public", "dashboard-public", "prometheus", *admins], free_ports()))
        self.gateway, self.dashboard, self.model, self.prometheus = (
            f"http://127.0.0.1:{self.ports[name]}" for name in ("gateway-public", "dashboard-public", "model", "prometheus")
        )
        self.outside = Outside()
        self.callback(self.outside.close)
        self.callback(self.stop)
        redis = shutil.which("redis-server") or program("valkey-server", "the package redis-server or valkey-server")
        self.run("redis", redis, "--port", self.ports["redis"], "--bind", "127.0.0.1", "--save", "", "--dir", self.place)
        self.run("model", binary("factorial-sim"), "--listen", f"127.0.0.1:{self.ports['model']}")
        self.run_prometheus()
        eventually("Redis answers", lambda: is_open(self.ports["redis"]))
        for name in admins:
            self.run_role(name)
        for name in admins:
            self.is_ready(name)
        served = sum(WORKERS.values(), [])
        eventually("agents are announced", lambda: len(self.call("/v1/agents")["data"]) == len(served))

    def run(self, name, *command, env=None):
        self.starts[name] = (command, env)
        with (self.place / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(
                [str(part) for part in command], cwd=self.place, env={"PATH": os.environ["PATH"], **(env or {})},
                stdout=log, stderr=log,
            )

    def run_role(self, name):
        settings = {
            "REDIS_URL": f"redis://127.0.0.1:{self.ports['redis']}/0",
            "FACTORIAL_ADMIN_PORT": self.ports[name],
            "FACTORIAL_HEARTBEAT_INTERVAL": 0.5,
            "FACTORIAL_MISSED_HEARTBEATS_THRESHOLD": 3,
            "FACTORIAL_MAX_RECOVERIES": 1,
        }
        role = name.split("-")[0]
        if role != "reaper":
            settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.outside.url
        if role in ("gateway", "dashboard"):
            settings["FACTORIAL_ADMIN_KEY"] = KEY
        if role == "gateway":
            settings |= {"FACTORIAL_GATEWAY_PORT": self.ports["gateway-public"], "FACTORIAL_MAX_EVENT_STREAMS": MOST_STREAMS}
        elif role == "dashboard":
            settings["FACTORIAL_OBSERVABILITY_PORT"] = self.ports["dashboard-public"]
        elif role == "reaper":
            # It gives up on Redis sooner than the gateway, so that a short pause of Redis fails some of its rounds.
            settings |= {"FACTORIAL_WEBHOOKS_ALLOW_PRIVATE_NETWORKS": "true", "REDIS_TIMEOUT_SECONDS": 0.5,
                         "FACTORIAL_MAINTENANCE_INTERVAL": 1}
        else:
            settings |= {"FACTORIAL_AGENTS": self.agents(name), "FACTORIAL_GRACE_PERIOD_SECONDS": 0.5,
                         "FACTORIAL_SIMULATED_MODEL_URL": f"{self.model}/v1"}
        self.run(name, binary(f"factorial-{role}"), env={key: str(value) for key, value in settings.items()})

    def agents(self, worker):
        place = self.place / worker
        place.mkdir(exist_ok=True)
        for name in WORKERS[worker]:
            (place / f"{name}.yaml").write_text(yaml.safe_dump(agent(name, self.outside.url)))
        return place

    def run_prometheus(self):
        config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
        config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [f"{RULES}/{Path(pattern).name}" for pattern in config["rule_files"]]
        for job in config["scrape_configs"]:
            role = job["job_name"].removeprefix("factorial-")
            job.pop("dns_sd_configs", None)
            ports = [port for name, port in self.ports.items() if name in (role, f"{role}-2")]
            job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
        path = self.place / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        self.run(
            "prometheus", program("prometheus", "the package prometheus"), f"--config.file={path}",
            f"--storage.tsdb.path={self.place / 'samples'}", f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
        )

    def is_ready(self, name):
        def check():
            if self.processes[name].poll() is not None:
                raise AssertionError(f"{name} has ended:\n{self.said(name)}")
            with contextlib.suppress(OSError):
                return self.ask(f"http://127.0.0.1:{self.ports[name]}/readyz")

        eventually(f"{name} is ready", check)

    def said(self, name):
        return (self.place / f"{name}.log").read_text()[-2000:]

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def again(self, name):
        """Starts what has been told to end."""
        self.processes[name].wait(PATIENCE)
        command, env = self.starts[name]
        self.run(name, *command, env=env)
        self.is_ready(name)

    def stop(self):
        for process in reversed(self.processes.values()):
            # One that is paused as well. Nothing of it is needed any more.
            process.kill()
            process.wait(PATIENCE)

    def ask(self, url, body=None, accept="application/json", timeout=PATIENCE):
        """An answer, whole."""
        with self.open(url, body, accept, timeout) as answer:
            return answer.read()

    def open(self, url, body=None, accept="application/json", timeout=PATIENCE):
        """An answer, to be read."""
        headers = {"content-type": "application/json", "accept": accept, "authorization": f"Bearer {KEY}"}
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=timeout)

    def call(self, path, body=None):
        """What the gateway answers."""
        return json.loads(self.ask(self.gateway + path, body))

    def submit(self, agent, query, **more):
        return self.call("/v1/tasks", {"agent": agent, "owner_id": "somebody", "query": query, **more})["id"]

    def status(self, task):
        return self.call(f"/v1/tasks/{task}/status")["status"]

    def until(self, task, *states):
        eventually(f"task {task} is {' or '.join(states)}", lambda: self.status(task) in states)

    def prom(self, path, **parameters):
        """What Prometheus answers; an error if it does not like the question."""
        try:
            answer = self.ask(f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error
        return json.loads(answer)["data"]

    def values(self, expression):
        """What an expression gives now, without what is no number."""
        result = self.prom("query", query=expression)["result"]
        return [sample for sample in result if math.isfinite(float(sample["value"][1]))]


class Outside:
    """What the system reaches: a tool, receivers of webhooks that take, fail and refuse, and a collector of traces."""

    ANSWERS = {"/fails": 500, "/gone": 410}

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.do_GET()

            def do_GET(self):
                body = b"" if "traces" in self.path else b'{"price": 3}'
                self.send_response(Outside.ANSWERS.get(self.path, 200))
                self.send_header("content-type", "application/json" if body else "application/x-protobuf")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Those who ask are killed, which is nothing to report."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def agent(name, outside):
    """A definition; all have prices, so that there are costs."""
    made = {
        "name": name,
        "instructions": "You are tested.",
        "model": {"provider": "openai", "name": "simulated"},
        "prices": {"simulated": {"input": 400, "output": 1600}},
        "limits": {"max_turns": 1000},
        "retry": {"base_seconds": 0.1, "cap_seconds": 0.5},
    }
    tools = {
        "assistant": [{"kind": "function", "name": "calculator"}, {"kind": "function", "name": "current_time"}],
        "fragile": [{"kind": "function", "name": "current_time"}],
        "shop": [{"kind": "http", "name": "get_price", "description": "A price.", "method": "GET", "url": f"{outside}/price",
                  "parameters": {"type": "object", "properties": {}}}],
        "planner": [
            {"kind": "agent", "agent": "researcher", "name": "research", "description": "Researches.", "fan_out": "topics"},
            {"kind": "function", "name": "current_time", "approval": "always"},
        ],
    }
    return made | ({"tools": tools[name]} if name in tools else {})


def binary(name):
    path = BINARIES / name
    if not path.is_file():
        raise AssertionError(f"{path} is missing: cargo build --workspace --bins, or set FACTORIAL_BIN to where the binaries are")
    return path


def program(name, what):
    path = shutil.which(name) or shutil.which(name, path="/usr/bin")
    if path is None:
        raise AssertionError(f"{name} is not on PATH; install {what}")
    return path


def free_ports():
    """Ports that nobody has, no two alike."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(20)]
        return [listener.getsockname()[1] for listener in listeners]


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(5) == b"+PONG"
    return False
