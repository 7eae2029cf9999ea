"""A real Prometheus under a real load: it has every metric of the table and data for every panel."""

import contextlib
import json
import re
import time
import unittest

from . import support
from .load import Load, faults
from .support import DASHBOARDS, ROLES, ROOT
from .system import PATIENCE, System, eventually

# Sections of docs/metrics.md and the jobs that have what they list.
SECTIONS = {
    "All services": ROLES,
    "Gateway and dashboard": ["gateway", "dashboard"],
    "Worker": ["worker"],
    "Reaper": ["reaper"],
}
# What Prometheus adds.
ADDED = {"__name__", "job", "instance", "le"}


def setUpModule():
    global system, load
    system = System()
    unittest.addModuleCleanup(system.close)
    # It goes on while the tests ask, so that nothing they ask for is over.
    load = Load(system).__enter__()
    unittest.addModuleCleanup(load.__exit__)
    faults(system)


def table():
    """Of each metric in docs/metrics.md its section, type and labels."""
    found, section = {}, None
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif row := re.match(r"\| `(factorial_\w+)` \| (\w+) \| ([^|]*)\|", line):
            found[row[1]] = (section, row[2], set(re.findall(r"`(\w+)`", row[3])))
    return found


def scraped():
    """Of each metric that is scraped its series, those of a histogram together; types; those with a help text."""
    types, found = system.prom("metadata"), {}
    for series in system.prom("series", **{"match[]": '{__name__=~"factorial_.+"}'}):
        name = series["__name__"]
        whole = re.sub(r"_(bucket|sum|count)$", "", name)
        found.setdefault(whole if whole in types else name, []).append(series)
    known = found.keys() & types.keys()
    helped = {name for name in known if all(one["help"] for one in types[name])}
    return found, {name: types[name][0]["type"] for name in known}, helped


class Scraped(unittest.TestCase):
    maxDiff = None

    def tearDown(self):
        self.assertEqual(load.wrong, [], "the load is not what it is meant to be")

    def test_every_role_is_up(self):
        def up():
            return {(s["metric"]["job"], s["value"][1]) for s in system.values('up{job=~"factorial-.*"}')}

        eventually("all are up", lambda: up() == {(f"factorial-{role}", "1") for role in ROLES})
        self.assertEqual(len(system.values("up")), len(ROLES) + 2, "with the second worker and Prometheus itself")

    def test_every_metric_is_as_its_table_says(self):
        expected = table()
        self.assertGreater(len(expected), 50)
        wanted = expected.keys()
        with contextlib.suppress(AssertionError):
            # A client that does not read is given up after half a minute.
            eventually("all metrics", lambda: wanted <= scraped()[0].keys(), 45)
        found, types, helped = scraped()
        with self.subTest("all are there"):
            self.assertEqual(wanted - found.keys(), set())
        with self.subTest("nothing else is"):
            self.assertEqual(found.keys() - wanted, set())
        for name in found.keys() & expected.keys():
            with self.subTest(name):
                section, kind, labels = expected[name]
                self.assertEqual(types.get(name), kind)
                self.assertIn(name, helped, "it has a help text")
                for one in found[name]:
                    self.assertEqual(one.keys() - ADDED, labels)
                    self.assertIn(one["job"].removeprefix("factorial-"), SECTIONS[section])

    def test_every_rule_is_evaluated(self):
        groups = system.prom("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        until = time.monotonic() + PATIENCE
        self.assertEqual({rule["name"] for rule in rules}, support.recorded() | {alert["alert"] for alert in support.alerts()})
        for rule in rules:
            with self.subTest(rule["name"]):
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))
                if rule["type"] == "recording":
                    eventually("a sample", lambda name=rule["name"]: system.values(name), until - time.monotonic())


class Panels(unittest.TestCase):
    def test_every_panel_has_data(self):
        until = time.monotonic() + PATIENCE
        for dashboard, title, target in support.targets():
            expression = support.plain(target["expr"], "30s", "5m")
            with self.subTest(f"{dashboard}: {title}", expression=expression):
                found = eventually("data", lambda asked=expression: system.values(asked), until - time.monotonic())
                # Grafana shows a label that is not there as it is written.
                for label in re.findall(r"{{(\w+)}}", target.get("legendFormat", "")):
                    self.assertTrue(all(label in sample["metric"] for sample in found), f"no label {label}")

    def test_every_variable_has_values(self):
        for path in DASHBOARDS:
            for variable in json.loads(path.read_text())["templating"]["list"]:
                with self.subTest(f"{path.name}: {variable['name']}"):
                    if variable["type"] == "datasource":
                        continue
                    self.assertEqual(variable["allValue"], ".*")
                    metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
                    self.assertTrue(system.values(support.plain(metric)))
                    found = system.prom(f"label/{label}/values", **{"match[]": support.plain(metric)})
                    # Prometheus has namespaces in Kubernetes only.
                    self.assertEqual(bool(found), label != "namespace")


if __name__ == "__main__":
    unittest.main()
