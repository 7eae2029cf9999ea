"""The chart: what it renders is valid, and keeps its promises. docs/deployment.md makes them."""

import base64
import json
import tempfile
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

from . import support
from .support import CHART, DASHBOARDS, ROLES, ROOT, VALUES, render

NAMES = [path.name.removesuffix("-values.yaml") for path in VALUES]
# The oldest that the chart takes, the newest that is known, and one between.
KUBERNETES = ["1.30", "1.33", "1.37"]
# Of operators; their shape is tested below.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}


class Valid(unittest.TestCase):
    def test_helm_lint(self):
        support.run("helm", "lint", "--strict", CHART)
        for path in VALUES:
            support.run("helm", "lint", "--strict", CHART, "-f", path)

    def test_kubernetes_knows_every_field(self):
        for name in NAMES:
            for item in render(name):
                if item["kind"] in FOREIGN:
                    continue
                for version in KUBERNETES:
                    with self.subTest(f"{name}: {item['kind']} {item['metadata']['name']} in {version}"):
                        kubernetes_validate.validate(item, version, strict=True)

    def test_the_usual_mixtures_are_there(self):
        wanted = {"default", "external-redis", "cluster-tls", "keda", "hpa", "minimal", "full-observability"}
        self.assertLessEqual(wanted, set(NAMES))

    def test_a_package_renders_the_same(self):
        with tempfile.TemporaryDirectory() as directory:
            support.run("helm", "package", CHART, "-d", directory)
            package = next(Path(directory).glob("*.tgz"))
            self.assertEqual(render("full-observability", chart=package).of("ConfigMap"), render("full-observability").of("ConfigMap"))


class Refused(unittest.TestCase):
    CASES = [
        ("a typing error", ["worker.replica=3"], "replica"),
        ("a number of the wrong kind", ["gateway.replicas=-1"], "minimum: got -1"),
        ("an address that is no Redis", ["redis.url=http://redis"], "'http://redis' does not match pattern"),
        ("no Redis at all", ["redis.internal.enabled=false"], "redis.existingSecret.name"),
        ("two autoscalers", ["worker.autoscaling.keda.enabled=true", "worker.autoscaling.hpa.enabled=true"], "keda or hpa"),
        ("an Ingress for every host", ["gateway.ingress.enabled=true"], "gateway.ingress.host"),
        ("agents twice", ["existingAgentsConfigMap=a", "smokeTest.agent=b", "agents.a\\.yaml=c"], "existingAgentsConfigMap"),
        ("nobody to test", ["existingAgentsConfigMap=a"], "smokeTest.agent"),
    ]

    def test_with_a_message(self):
        for what, settings, message in self.CASES:
            with self.subTest(what):
                with self.assertRaises(AssertionError) as refused:
                    render(None, *(part for setting in settings for part in ("--set", setting)))
                self.assertIn(message, str(refused.exception))


class Roles(unittest.TestCase):
    def test_each_is_a_deployment_that_scales_alone(self):
        usual = {role: render("default").get("Deployment", role)["spec"] for role in ROLES}
        for changed in ROLES:
            given = render("default", "--set", f"{changed}.replicas=7")
            for role in ROLES:
                expected = {**usual[role], "replicas": 7} if role == changed else usual[role]
                self.assertEqual(given.get("Deployment", role)["spec"], expected)
                self.assertEqual(expected["template"]["spec"]["containers"][0]["command"], [f"factorial-{role}"])

    def test_probes_ask_the_admin_port(self):
        for role in ROLES:
            container = render("default").pod(role)["spec"]["containers"][0]
            for probe, path in [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]:
                self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "admin"})
            self.assertIn({"name": "admin", "containerPort": 8001}, container["ports"])

    def test_every_pod_is_restricted(self):
        for name in NAMES:
            for owner, pod in render(name).pods():
                with self.subTest(f"{name}: {owner}"):
                    spec = pod["spec"]
                    self.assertFalse(spec["automountServiceAccountToken"])
                    self.assertTrue(spec["securityContext"]["runAsNonRoot"])
                    self.assertGreater(spec["securityContext"]["runAsUser"], 0)
                    self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    for container in spec["containers"]:
                        self.assertEqual(
                            container["securityContext"],
                            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                        )
                        self.assertIn("memory", container["resources"]["limits"])
                        self.assertEqual(set(container["resources"]["requests"]), {"cpu", "memory"})
                        self.assertRegex(container["image"], r":\d+\.\d+\.\d+$")

    def test_selectors_find_their_pods_and_no_others(self):
        for name in NAMES:
            objects = render(name)
            labels = {owner: pod["metadata"]["labels"] for owner, pod in objects.pods()}
            for item in objects:
                if item["kind"] not in ["Deployment", "StatefulSet", "PodDisruptionBudget", "Service", "NetworkPolicy"]:
                    continue
                spec, owner = item["spec"], item["metadata"]["name"]
                selector = spec.get("podSelector", spec.get("selector"))
                selector = selector.get("matchLabels", selector)
                found = {pod for pod in labels if selector.items() <= labels[pod].items()}
                with self.subTest(f"{name}: {item['kind']} {owner}"):
                    self.assertEqual(found, set(labels) if owner.endswith("-metrics") else {owner})

    def test_pods_are_spread_and_disruptions_bounded(self):
        objects = render("default")
        for role in ROLES:
            self.assertEqual(objects.get("PodDisruptionBudget", role)["spec"]["maxUnavailable"], 1)
            keys = [c["topologyKey"] for c in objects.pod(role)["spec"]["topologySpreadConstraints"]]
            self.assertEqual(keys, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"])


class Rollout(unittest.TestCase):
    # Values, grace of the worker, time until it is killed: the turn timeout, 10 s to hand back, 5 s.
    WORKER = [
        ("default", [], "120", 135),
        ("default", ["config.worker.turn_timeout=30"], "30", 45),
        ("default", ["config.worker.turn_timeout=0.5"], "1", 16),
        ("external-redis", [], "600", 615),
        ("external-redis", ["agents.slow\\.yaml=worker: { turn_timeout_seconds: 900 }"], "900", 915),
        ("default", ["config.worker.turn_timeout=86400"], "3600", 3615),
        ("default", ["config.worker.grace_period_seconds=7", "config.worker.turn_timeout=300"], "7", 22),
    ]

    def test_open_turns_may_end(self):
        for values, settings, grace, killed in self.WORKER:
            with self.subTest(f"{values} {settings}"):
                objects = render(values, *(part for s in settings for part in ("--set", s)))
                self.assertEqual(objects.env("worker")["FACTORIAL_GRACE_PERIOD_SECONDS"], grace)
                self.assertEqual(objects.pod("worker")["spec"]["terminationGracePeriodSeconds"], killed)

    def test_load_balancers_forget_a_pod_before_it_ends(self):
        for values, killed in [("default", 5 + 10 + 5), ("external-redis", 5 + 30 + 5)]:
            spec = render(values).pod("gateway")["spec"]
            self.assertEqual(spec["containers"][0]["lifecycle"], {"preStop": {"sleep": {"seconds": 5}}})
            self.assertEqual(spec["terminationGracePeriodSeconds"], killed)
        strategy = render("default").get("Deployment", "gateway")["spec"]["strategy"]["rollingUpdate"]
        self.assertEqual(strategy, {"maxSurge": 1, "maxUnavailable": 0})

    def test_a_change_rolls_those_it_concerns(self):
        cases = [
            (["agents.a\\.yaml=name: a"], {"worker"}),
            (["providers.env.OPENAI_API_KEY=other", "simulatedModel.enabled=true"], {"worker"}),
            (["config.log_level=debug"], set(ROLES)),
            (["redis.url=redis://elsewhere"], set(ROLES)),
            (["worker.podAnnotations.a=b"], {"worker"}),
            (["image.pullSecrets[0].name=registry"], set(ROLES)),
        ]
        usual = {role: render("default").pod(role) for role in ROLES}
        for settings, rolled in cases:
            with self.subTest(settings):
                changed = render("default", *(part for s in settings for part in ("--set", s)))
                self.assertEqual({role for role in ROLES if changed.pod(role) != usual[role]}, rolled)


class Redis(unittest.TestCase):
    def test_the_internal_one_keeps_what_was_accepted(self):
        objects = render("default")
        server = objects.get("StatefulSet", "redis")["spec"]
        args = " ".join(server["template"]["spec"]["containers"][0]["args"])
        for part in ["--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction", "--requirepass"]:
            self.assertIn(part, args)
        self.assertEqual(server["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"], "8Gi")
        for role in ROLES:
            self.assertEqual(objects.env(role)["REDIS_URL"], "redis://x-factorial-redis:6379/0")
            self.assertEqual(objects.env(role)["REDIS_PASSWORD"], {"secretKeyRef": {"name": "x-factorial-redis", "key": "password"}})

    def test_an_external_one_takes_its_place(self):
        for values, secret, key in [("external-redis", "my-redis", "url"), ("cluster-tls", "x-factorial-redis", "url"), ("sentinel", "x-factorial-redis", "url")]:
            objects = render(values)
            self.assertEqual(objects.of("StatefulSet"), [])
            for role in ROLES:
                self.assertEqual(objects.env(role)["REDIS_URL"], {"secretKeyRef": {"name": secret, "key": key}})
        env = render("external-redis").env("reaper")
        self.assertEqual(env["REDIS_USERNAME"]["secretKeyRef"]["key"], "user")
        self.assertEqual(env["REDIS_PASSWORD"]["secretKeyRef"]["key"], "password")

    def test_certificates_are_mounted_where_variables_say(self):
        objects = render("cluster-tls")
        for role in ROLES:
            env, spec = objects.env(role), objects.pod(role)["spec"]
            mounts = {m["name"]: m["mountPath"] for m in spec["containers"][0]["volumeMounts"]}
            self.assertEqual(env["REDIS_TLS_CA"], f"{mounts['redis-ca']}/ca.crt")
            self.assertEqual(env["REDIS_TLS_CERT"], f"{mounts['redis-client']}/tls.crt")
            self.assertEqual(env["REDIS_TLS_KEY"], f"{mounts['redis-client']}/tls.key")
            self.assertIn({"name": "redis-ca", "secret": {"secretName": "redis-ca"}}, spec["volumes"])


class Security(unittest.TestCase):
    def test_keys_are_asked_for_unless_that_is_switched_off(self):
        objects = render("default")
        key = base64.b64decode(objects.get("Secret", "admin")["data"]["admin-key"])
        self.assertGreaterEqual(len(key), 24)
        self.assertEqual(objects.get("Secret", "admin")["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        for role in ["gateway", "dashboard"]:
            self.assertEqual(objects.env(role)["FACTORIAL_ADMIN_KEY"], {"secretKeyRef": {"name": "x-factorial-admin", "key": "admin-key"}})
            self.assertNotIn("FACTORIAL_INSECURE_NO_AUTH", objects.env(role))
        off = render("minimal")
        self.assertFalse(off.has("Secret", "admin"))
        self.assertEqual(off.env("gateway")["FACTORIAL_INSECURE_NO_AUTH"], "true")
        self.assertEqual(render("external-redis").env("gateway")["FACTORIAL_ADMIN_KEY"], {"secretKeyRef": {"name": "my-admin-key", "key": "key"}})

    def test_secrets_are_in_secrets_only(self):
        for values, secret in [("sentinel", "p4ss"), ("cluster-tls", "not-a-key")]:
            self.assertEqual({item["kind"] for item in render(values) if secret in json.dumps(item)}, {"Secret"})

    def test_admin_ports_are_behind_no_service_of_users(self):
        objects = render("full-observability")
        for service in objects.of("Service"):
            ports = [port["targetPort"] for port in service["spec"]["ports"]]
            self.assertEqual("admin" in ports, service["metadata"]["name"] == "x-factorial-metrics")
        self.assertEqual(objects.get("Service", "metrics")["spec"]["clusterIP"], "None")

    def test_nothing_is_open_to_the_outside_by_default(self):
        objects = render("default")
        self.assertEqual(objects.of("Ingress"), [])
        self.assertEqual({s["spec"].get("type", "ClusterIP") for s in objects.of("Service")}, {"ClusterIP"})

    def test_policies_let_through_what_is_needed(self):
        policies = {p["metadata"]["name"].removeprefix("x-factorial-"): p["spec"] for p in render("default").of("NetworkPolicy")}
        self.assertEqual(set(policies), {*ROLES, "redis", "model"})
        for role in ["worker", "reaper"]:
            self.assertEqual([i["ports"] for i in policies[role]["ingress"]], [[{"port": "admin"}]])
        self.assertEqual(policies["redis"]["egress"], [])
        outside = [e for e in policies["worker"]["egress"] if "ipBlock" in str(e)]
        self.assertEqual(outside[0]["to"][0]["ipBlock"]["except"], ["169.254.0.0/16"])
        self.assertNotIn("ipBlock", str(policies["gateway"]["egress"]))
        cluster = {p["metadata"]["name"]: p["spec"] for p in render("cluster-tls").of("NetworkPolicy")}
        ports = [p["port"] for p in cluster["x-factorial-reaper"]["egress"][1]["ports"]]
        self.assertLessEqual({7000, 7001}, set(ports))
        self.assertIn("ingress-nginx", str(cluster["x-factorial-gateway"]["ingress"][0]["from"]))


class Scaling(unittest.TestCase):
    def test_keda_decides_how_many_workers(self):
        objects = render("keda")
        self.assertNotIn("replicas", objects.get("Deployment", "worker")["spec"])
        scaled = objects.get("ScaledObject", "worker")["spec"]
        self.assertEqual(scaled["scaleTargetRef"], {"name": "x-factorial-worker"})
        self.assertEqual((scaled["minReplicaCount"], scaled["maxReplicaCount"]), (0, 50))
        self.assertEqual([t["metricType"] for t in scaled["triggers"]], ["AverageValue", "Value"])
        self.assertTrue(all(t["authenticationRef"] == {"name": "prometheus"} for t in scaled["triggers"]))

    def test_its_queries_tell_how_many_are_needed(self):
        load, oldest = [t["metadata"]["query"] for t in render("keda").get("ScaledObject", "worker")["spec"]["triggers"]]
        tasks = 'factorial_tasks{namespace="%s", agent="%s", state="%s", instance="%s"}'
        cases = [
            # From nothing: 30 tasks at 2 × 10 slots of the configuration.
            ([(tasks % ("apps", "a", "queued", "r1"), 30), (tasks % ("apps", "a", "queued", "r2"), 30)], load, 1.5),
            # The fullest agent counts, by the slots that its workers have.
            ([(tasks % ("apps", "a", "queued", "r1"), 5), (tasks % ("apps", "a", "processing", "r1"), 15),
              (tasks % ("apps", "b", "processing", "r1"), 10), ('factorial_worker_slots{namespace="apps", agent="a", instance="w1"}', 5),
              ('factorial_worker_slots{namespace="apps", agent="a", instance="w2"}', 5)], load, 4),
            # Of this namespace only, and nothing of what waits or has ended.
            ([(tasks % ("other", "a", "queued", "r1"), 500), (tasks % ("apps", "a", "pending_tool_results", "r1"), 500),
              (tasks % ("apps", "a", "queued", "r1"), 0)], load, 0),
            ([('factorial_oldest_queued_age_seconds{namespace="apps", agent="a"}', 60)], oldest, 60),
            ([], oldest, 0),
        ]
        tests = [
            {"interval": "1m", "input_series": [{"series": s, "values": f"{v}x5"} for s, v in series],
             "promql_expr_test": [{"expr": query, "eval_time": "3m", "exp_samples": [{"labels": "{}", "value": value}]}]}
            for series, query, value in cases
        ]
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "keda.yml"
            path.write_text(yaml.safe_dump({"tests": tests}))
            support.run("promtool", "test", "rules", path)

    def test_autoscalers_without_keda(self):
        objects = render("hpa")
        for role, kind in [("gateway", "Resource"), ("worker", "External")]:
            self.assertNotIn("replicas", objects.get("Deployment", role)["spec"])
            scaler = objects.get("HorizontalPodAutoscaler", role)["spec"]
            self.assertEqual(scaler["scaleTargetRef"]["name"], f"x-factorial-{role}")
            self.assertEqual([m["type"] for m in scaler["metrics"]], [kind])
        self.assertEqual(render("default").of("HorizontalPodAutoscaler"), [])


class Agents(unittest.TestCase):
    def test_the_example_is_that_of_the_repository(self):
        example = (ROOT / "examples/agents/assistant.yaml").read_text()
        self.assertEqual(render("default").get("ConfigMap", "agents")["data"], {"assistant.yaml": example})

    def test_those_that_are_given_take_its_place(self):
        self.assertEqual(set(render("external-redis").get("ConfigMap", "agents")["data"]), {"support.yaml"})

    def test_a_model_answers_without_a_key(self):
        objects = render("default")
        self.assertEqual(objects.env("worker")["FACTORIAL_SIMULATED_MODEL_URL"], "http://x-factorial-model:8091/v1")
        self.assertTrue(objects.has("Deployment", "model"))
        for values in ["external-redis", "cluster-tls"]:
            self.assertFalse(render(values).has("Deployment", "model"))
            self.assertNotIn("FACTORIAL_SIMULATED_MODEL_URL", render(values).env("worker"))

    def test_settings_reach_every_role_as_a_file(self):
        data = render("cluster-tls").get("ConfigMap", "config")["data"]["factorial.yaml"]
        self.assertEqual(yaml.safe_load(data), {"partitions": 16})
        for role in ROLES:
            self.assertEqual(render("cluster-tls").env(role)["FACTORIAL_CONFIG"], "/etc/factorial/factorial.yaml")


class Observability(unittest.TestCase):
    def test_rules_and_dashboards_are_those_of_deploy(self):
        objects = render("full-observability")
        groups = objects.of("PrometheusRule")[0]["spec"]["groups"]
        base = "https://git.example.com/factorial/blob/main/"
        text = json.dumps(groups).replace(base, "")
        expected = support.rule_groups("recording") + support.rule_groups("alerts")
        self.assertEqual(json.loads(text), expected)
        self.assertIn(f"{base}docs/runbooks/", json.dumps(groups))
        for path in DASHBOARDS:
            shown = objects.get("ConfigMap", f"dashboard-{path.stem}")
            self.assertEqual(shown["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertEqual(json.loads(shown["data"][path.name]), json.loads(path.read_text()))
        for link, place in [("deploy/prometheus/rules", "prometheus"), ("deploy/grafana/dashboards", "dashboards")]:
            self.assertEqual((ROOT / link).resolve(), CHART / "files" / place)

    def test_jobs_are_named_as_in_compose(self):
        monitor = render("full-observability").of("ServiceMonitor")[0]["spec"]
        service = render("full-observability").get("Service", "metrics")
        self.assertLessEqual(monitor["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())
        endpoint = monitor["endpoints"][0]
        self.assertEqual((endpoint["port"], endpoint["path"]), ("admin", "/metrics"))
        self.assertEqual(endpoint["relabelings"][0]["targetLabel"], "job")
        self.assertEqual(endpoint["relabelings"][0]["replacement"], "factorial-$1")


class Newcomer(unittest.TestCase):
    def test_helm_test_hands_in_a_task(self):
        for values, agent in [("default", "assistant"), ("external-redis", "support")]:
            job = render(values).get("Job", "smoke-test")
            self.assertEqual(job["metadata"]["annotations"]["helm.sh/hook"], "test")
            container = job["spec"]["template"]["spec"]["containers"][0]
            self.assertEqual(container["command"][:3], ["factorial", "run", agent])
            self.assertEqual([v["name"] for v in container["env"]], ["FACTORIAL_URL", "FACTORIAL_API_KEY"])

    def test_notes_say_what_to_do_next(self):
        def notes(values):
            command = ["helm", "install", "x", CHART, "-n", "apps", "--dry-run=client", "-f", CHART / "ci" / f"{values}-values.yaml"]
            return support.run(*command, env={"KUBECONFIG": "/dev/null"}).split("NOTES:")[1]

        text = notes("default")
        for part in ["helm test x -n apps", "FACTORIAL_API_KEY=$(kubectl", "port-forward", "simulated model", "single server for trials"]:
            self.assertIn(part, text)
        text = notes("external-redis")
        self.assertIn("FACTORIAL_URL=https://factorial.example.com", text)
        for part in ["simulated model", "single server", "example agent"]:
            self.assertNotIn(part, text)
        self.assertIn("WARNING: authentication is off", notes("minimal"))
