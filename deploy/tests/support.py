"""What the tests share: running programs, rendering the chart, and finding metrics in expressions.

Programs are taken from PATH, where `cargo xtask test` puts those that it had to install at the end.
"""

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/factorial"
RULES = CHART / "files/prometheus"
DASHBOARDS = sorted((CHART / "files/dashboards").glob("*.json"))
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
ROLES = ["gateway", "worker", "reaper", "dashboard"]


def run(*command, env=None, stdin=None):
    """Runs it in the root of the repository; its output, or an error with all that it said."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, input=stdin, capture_output=True, text=True,
        env={**os.environ, **(env or {})},
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def compose(*arguments, env=None):
    """Compose, as a plug-in of docker or on its own."""
    alone = shutil.which("docker-compose")
    return run(*([alone] if alone else ["docker", "compose"]), *arguments, env=env)


def linked(text):
    """The services by whose names a script links the one program."""
    return set(re.search(r"for \w+ in ([\w ]+); do ln -s factorial ", text)[1].split())


class Objects(list):
    """Rendered objects."""

    def of(self, kind):
        return [o for o in self if o["kind"] == kind]

    def get(self, kind, name):
        found = [o for o in self.of(kind) if o["metadata"]["name"] == f"x-factorial-{name}"]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    def has(self, kind, name):
        return any(o["metadata"]["name"] == f"x-factorial-{name}" for o in self.of(kind))

    def pods(self):
        """Name and template of everything that makes pods."""
        return [(o["metadata"]["name"], o["spec"]["template"]) for o in self if "template" in o.get("spec", {})]

    def pod(self, role):
        return self.get("Deployment", role)["spec"]["template"]

    def env(self, role):
        return {v["name"]: v.get("value", v.get("valueFrom")) for v in self.pod(role)["spec"]["containers"][0]["env"]}


def render(values=None, *arguments, chart=CHART):
    """The chart with a file of ci/ and more arguments, as release x in the namespace apps."""
    return Objects(_render(values and str(values), arguments, str(chart)))


@functools.lru_cache(maxsize=None)
def _rendered(values, arguments, chart):
    files = ["-f", CHART / "ci" / f"{values}-values.yaml"] if values else []
    return run("helm", "template", "x", chart, "-n", "apps", *files, *arguments)


def _render(values, arguments, chart):
    return [o for o in yaml.safe_load_all(_rendered(values, arguments, chart)) if o]


def rule_groups(name):
    return yaml.safe_load((RULES / f"{name}.yml").read_text())["groups"]


def recorded():
    return {rule["record"] for group in rule_groups("recording") for rule in group["rules"]}


def alerts():
    return [rule for group in rule_groups("alerts") for rule in group["rules"]]


def targets():
    """Dashboard, title and query of each panel; some have several."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield path.name, panel["title"], target


def panels():
    """The same with the expression of the query."""
    return ((name, title, target["expr"]) for name, title, target in targets())


def plain(expression, rate="5m", span="1h"):
    """A panel's expression as Grafana sends it, for everything."""
    for variable, value in [("$__rate_interval", rate), ("$__range", span), ("$namespace", ".*"), ("$agent", ".*")]:
        expression = expression.replace(variable, value)
    return expression


def metrics_in(expression):
    """Names of metrics of ours that an expression reads, those of histograms without their suffix."""
    text = re.sub(r'"[^"]*"', '""', expression)
    names = set(re.findall(r"(?<![\w:])factorial_\w+(?![\w:])", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
