"""Dockerfile and docker-compose.yml."""

import re
import unittest

import yaml

from . import support
from .support import ROOT

PROFILES = [[], ["observability"], ["cluster"], ["observability", "cluster"]]


def config(profiles, env=None):
    arguments = [part for profile in profiles for part in ("--profile", profile)]
    return yaml.safe_load(support.compose("-f", "docker-compose.yml", *arguments, "config", env=env))


def seconds(duration):
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([hms])", duration))


def is_pinned(image):
    return re.fullmatch(r"[^:@]+:v?\d+\.\d+\.\d+\S*", image) is not None


class Dockerfile(unittest.TestCase):
    text = (ROOT / "Dockerfile").read_text()

    def test_hadolint_finds_nothing(self):
        support.run("hadolint", "Dockerfile")

    def test_bases_are_pinned(self):
        bases = re.findall(r"^FROM (\S+)", self.text, re.M)
        self.assertEqual(bases[-1], "scratch")
        for base in bases[:-1]:
            self.assertTrue(is_pinned(base), base)

    def test_it_runs_as_nobody_and_tells_its_health(self):
        self.assertRegex(self.text, r"(?m)^USER [1-9]\d*:[1-9]\d*$")
        self.assertIn('CMD ["factorial", "healthcheck"', self.text)
        for label in ["title", "description", "licenses", "version", "revision"]:
            self.assertIn(f"org.opencontainers.image.{label}=", self.text)

    def test_it_holds_every_service(self):
        linked = support.linked(self.text)
        self.assertLessEqual({service.name for service in (ROOT / "services").iterdir()}, linked)

    def test_the_context_is_named_file_by_file(self):
        lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(lines[0], "*")
        self.assertIn("**/target", lines)


class Compose(unittest.TestCase):
    def test_every_combination_of_profiles_is_valid(self):
        for profiles in PROFILES:
            with self.subTest(profiles):
                self.assertGreaterEqual(len(config(profiles)["services"]), 6)

    def test_every_service_is_hardened_pinned_and_local(self):
        for name, service in config(PROFILES[-1])["services"].items():
            with self.subTest(name):
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertEqual(service["restart"], "no" if name == "redis-cluster" else "unless-stopped")
                self.assertTrue(service["image"] == "factorial:local" or is_pinned(service["image"]), service["image"])
                for port in service.get("ports", []):
                    self.assertEqual(port["host_ip"], "127.0.0.1")

    def test_services_wait_for_redis_and_tell_their_health(self):
        services = config([])["services"]
        for role in support.ROLES:
            with self.subTest(role):
                self.assertEqual(services[role]["depends_on"]["redis"]["condition"], "service_healthy")
                self.assertEqual(services[role]["healthcheck"]["test"][1:3], ["factorial", "healthcheck"])
        self.assertEqual(services["worker"]["deploy"]["replicas"], 2)

    def test_redis_keeps_what_was_accepted(self):
        services = config(["cluster"])["services"]
        for name in ["redis", "redis-1", "redis-2", "redis-3"]:
            command = " ".join(services[name]["command"])
            for part in ["--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction", "--dir /data"]:
                self.assertIn(part, command)
            self.assertEqual([v["target"] for v in services[name]["volumes"]], ["/data"])

    def test_nobody_is_killed_while_draining(self):
        services = config([])["services"]
        grace = int(services["worker"]["environment"]["FACTORIAL_GRACE_PERIOD_SECONDS"])
        # 10 s are the worker's bound of handing back, and the gateway's default of open requests.
        self.assertGreater(seconds(services["worker"]["stop_grace_period"]), grace + 10)
        self.assertGreater(seconds(services["gateway"]["stop_grace_period"]), 10)

    def test_it_works_without_a_key_and_takes_one(self):
        worker = config([])["services"]["worker"]["environment"]
        self.assertEqual(worker["FACTORIAL_SIMULATED_MODEL_URL"], "http://model:8091/v1")
        self.assertEqual(worker["OPENAI_API_KEY"], "")
        given = config([], env={"OPENAI_API_KEY": "sk-1"})["services"]
        self.assertEqual([n for n, s in given.items() if "sk-1" in str(s)], ["worker"])

    def test_keys_are_switched_on_by_variables(self):
        env = {"FACTORIAL_AUTH_ENABLED": "true", "FACTORIAL_INSECURE_NO_AUTH": "false", "FACTORIAL_ADMIN_KEY": "k" * 24}
        services = config([], env=env)["services"]
        for role in ["gateway", "dashboard"]:
            self.assertLessEqual(env.items(), services[role]["environment"].items())
        self.assertNotIn("k" * 24, str([services[role] for role in ["worker", "reaper", "model"]]))

    def test_the_cluster_is_reached_by_its_url(self):
        url = "redis-cluster://redis-1:6379,redis-2:6379,redis-3:6379"
        services = config(["cluster"], env={"FACTORIAL_REDIS_URL": url})["services"]
        for role in support.ROLES:
            self.assertEqual(services[role]["environment"]["REDIS_URL"], url)
            self.assertEqual(services[role]["depends_on"]["redis-cluster"]["condition"], "service_completed_successfully")
