"""Rules, alerts, dashboards: they are valid, they read metrics that exist, and each alert fires and has a page."""

import json
import re
import tempfile
import unittest
from pathlib import Path

import yaml

from . import support
from .support import DASHBOARDS, ROOT, RULES

RUNBOOKS = ROOT / "docs/runbooks"


class Rules(unittest.TestCase):
    def test_promtool_accepts_rules_and_configuration(self):
        support.run("promtool", "check", "rules", *sorted(RULES.glob("*.yml")))
        support.run("promtool", "check", "config", "deploy/prometheus/prometheus.yml")

    def test_alerts_fire_when_they_should(self):
        support.run("promtool", "test", "rules", "deploy/prometheus/tests/alerts.yml")

    def test_each_alert_has_a_test_in_which_it_fires(self):
        tests = yaml.safe_load((ROOT / "deploy/prometheus/tests/alerts.yml").read_text())["tests"]
        fired = {
            re.search(r'alertname="(\w+)"', case["expr"]).group(1)
            for test in tests for case in test["promql_expr_test"]
            if case["expr"].startswith("ALERTS") and case["exp_samples"]
        }
        self.assertEqual(fired, {alert["alert"] for alert in support.alerts()})

    def test_each_alert_has_texts_a_severity_and_a_page(self):
        for alert in support.alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ["critical", "warning"])
                self.assertEqual(set(alert["annotations"]), {"summary", "description", "runbook_url"})
                self.assertEqual(alert["annotations"]["runbook_url"], f"docs/runbooks/{alert['alert']}.md")
                page = (RUNBOOKS / f"{alert['alert']}.md").read_text()
                self.assertTrue(all(part in page for part in ["**Effect.**", "## Look", "## Do"]))

    def test_each_page_belongs_to_an_alert_and_is_listed(self):
        pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
        self.assertEqual(pages, {alert["alert"] for alert in support.alerts()})
        index = (RUNBOOKS / "README.md").read_text()
        self.assertEqual([page for page in pages if f"({page}.md)" not in index], [])


class Metrics(unittest.TestCase):
    def test_expressions_read_what_exists(self):
        table = set(re.findall(r"^\| `(factorial_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.M))
        self.assertGreater(len(table), 20)
        expressions = [("recording", r["record"], r["expr"]) for g in support.rule_groups("recording") for r in g["rules"]]
        expressions += [("alerts", a["alert"], a["expr"]) for a in support.alerts()]
        expressions += list(support.panels())
        objects = support.render("keda")
        expressions += [
            ("keda", str(i), t["metadata"]["query"])
            for i, t in enumerate(objects.get("ScaledObject", "worker")["spec"]["triggers"])
        ]
        for place, name, expression in expressions:
            with self.subTest(f"{place}: {name}"):
                self.assertLessEqual(support.metrics_in(expression), table)
                rules = set(re.findall(r"(?<![\w:])\w*:factorial_\w+:\w+|(?<![\w:])factorial:\w+:\w+", expression))
                self.assertLessEqual(rules, support.recorded())
                self.assertTrue(rules or "factorial_" in expression or "up{" in expression)


class Dashboards(unittest.TestCase):
    def test_each_is_whole(self):
        self.assertEqual([path.stem for path in DASHBOARDS], ["agents-and-cost", "overview", "redis-and-reaper", "workers"])
        boards = [json.loads(path.read_text()) for path in DASHBOARDS]
        self.assertEqual(len({board["uid"] for board in boards}), len(boards))
        for board in boards:
            with self.subTest(board["title"]):
                self.assertEqual(board["templating"]["list"][0]["type"], "datasource")
                ids = [panel["id"] for panel in board["panels"]]
                self.assertEqual(len(set(ids)), len(ids))
                cells = [
                    (x, y)
                    for place in (panel["gridPos"] for panel in board["panels"])
                    for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])
                ]
                self.assertEqual(len(set(cells)), len(cells), "panels overlap")
                self.assertTrue(all(x < 24 for x, _ in cells))

    def test_promtool_parses_each_panel(self):
        rules = [{"record": f"panel:{i}", "expr": support.plain(e)} for i, (_, _, e) in enumerate(support.panels())]
        self.assertGreater(len(rules), 40)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "panels.yml"
            path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
            support.run("promtool", "check", "rules", path)


class Compose(unittest.TestCase):
    def test_each_job_is_a_role_of_compose(self):
        jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        found = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs if "dns_sd_configs" in job}
        self.assertEqual(set(found), {f"factorial-{role}" for role in support.ROLES})
        for job, discovery in found.items():
            self.assertEqual(discovery["names"], [job.removeprefix("factorial-")])
            self.assertIn(discovery["names"][0], services)
            self.assertEqual(discovery["port"], 8001)
