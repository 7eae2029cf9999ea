"""The workflows that run the checks and make releases, and what they call."""

import os
import re
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

from . import support
from .support import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = {
    "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin",
}


def workflow(name):
    return yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())


def steps(path):
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        yield from job.get("steps", [])


def scripts(path):
    return "\n".join(step["run"] for step in steps(path) if "run" in step)


def version():
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


class Workflows(unittest.TestCase):
    def test_they_are_valid(self):
        self.assertEqual([path.stem for path in WORKFLOWS], ["ci", "release"])
        support.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)

    def test_they_give_nothing_away(self):
        support.run("zizmor", "--offline", "--quiet", "--min-severity", "medium", *WORKFLOWS)

    def test_scripts_are_shell(self):
        for path in WORKFLOWS:
            for step in steps(path):
                if "run" in step:
                    with self.subTest(path.stem, step=step.get("name")):
                        support.run("bash", "-n", stdin=step["run"])

    def test_actions_are_pinned_by_commit_and_named_by_version(self):
        for path in WORKFLOWS:
            for use in re.findall(r"uses: (.+)", path.read_text()):
                with self.subTest(use):
                    self.assertRegex(use, r"^\./|^actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

    def test_what_they_install_is_pinned(self):
        for path in WORKFLOWS:
            for line in re.findall(r"cargo install (.+)", scripts(path)):
                for word in line.split():
                    self.assertTrue(word == "--locked" or re.fullmatch(r"cargo-[a-z]+@\d+\.\d+\.\d+", word), word)

    def test_rights_are_the_least(self):
        writes = {
            "programs": {"id-token", "attestations"}, "image": {"packages"}, "publish": {"contents", "packages"},
        }
        self.assertEqual(workflow("ci")["permissions"], {"contents": "read"})
        release = workflow("release")
        self.assertEqual(release["permissions"], {})
        for name, job in release["jobs"].items():
            given = {right for right, kind in job["permissions"].items() if kind == "write"}
            self.assertEqual(given, writes.get(name, set()), name)

    def test_the_only_secret_is_the_token(self):
        for path in WORKFLOWS:
            self.assertLessEqual(set(re.findall(r"secrets\.(\w+)", path.read_text())), {"GITHUB_TOKEN"})

    def test_nothing_is_released_untested(self):
        jobs = workflow("release")["jobs"]
        self.assertEqual(jobs["test"]["uses"], "./.github/workflows/ci.yml")
        for name in set(jobs) - {"test"}:
            self.assertIn(jobs[name]["needs"], ["test", ["programs", "image"]], name)


class WhatTheyCall(unittest.TestCase):
    def test_tasks_exist(self):
        known = set(re.findall(r'^        Some\("(\w+)"\)', (ROOT / "xtask/src/main.rs").read_text(), re.M))
        self.assertIn("lint", known)
        for path in [*WORKFLOWS, ROOT / ".ci/run"]:
            for task in re.findall(r"cargo xtask (\w+)", path.read_text()):
                self.assertIn(task, known, path.name)

    def test_files_exist_and_run(self):
        called = {use for path in WORKFLOWS for use in re.findall(r"(?<![\w/.])\.ci/\w+", path.read_text())}
        self.assertEqual(called, {".ci/run", ".ci/pack"})
        for path in called:
            self.assertTrue(os.access(ROOT / path, os.X_OK), path)
            support.run("bash", "-n", path)
        self.assertTrue((ROOT / "helm/factorial/Chart.yaml").is_file())

    def test_packages_exist_and_programs_are_those_of_the_image(self):
        script = scripts(ROOT / ".github/workflows/release.yml")
        dockerfile = (ROOT / "Dockerfile").read_text()
        built = set(re.findall(r"-p ([\w-]+)", script))
        self.assertEqual(built, set(re.findall(r"-p ([\w-]+)", dockerfile)))
        manifests = [*ROOT.glob("crates/*/Cargo.toml"), *ROOT.glob("services/*/Cargo.toml")]
        known = {tomllib.loads(path.read_text())["package"]["name"] for path in manifests}
        self.assertLessEqual(built, known)
        self.assertEqual(support.linked((ROOT / ".ci/pack").read_text()), support.linked(dockerfile))

    def test_versions_agree(self):
        chart = yaml.safe_load((ROOT / "helm/factorial/Chart.yaml").read_text())
        dockerfile = (ROOT / "Dockerfile").read_text()
        self.assertEqual({chart["version"], chart["appVersion"], re.search(r"ARG VERSION=(\S+)", dockerfile)[1]}, {version()})
        rust = re.search(r"^FROM rust:(\S+)-bookworm", dockerfile, re.M)[1]
        self.assertEqual(workflow("ci")["jobs"]["run"]["container"], f"rust:{rust}-bookworm")
        self.assertIn(f"rustup toolchain install {rust} ", scripts(ROOT / ".github/workflows/release.yml"))
        node = re.search(r"^FROM node:(\S+)-bookworm", dockerfile, re.M)[1]
        self.assertIn(f"/v{node}/node-v{node}-linux-x64.tar.xz", scripts(ROOT / ".github/workflows/ci.yml"))

    def test_targets_are_those_that_the_page_names(self):
        include = workflow("release")["jobs"]["programs"]["strategy"]["matrix"]["include"]
        self.assertEqual({entry["target"] for entry in include}, TARGETS)
        platforms = {entry["platform"] for entry in workflow("release")["jobs"]["image"]["strategy"]["matrix"]["include"]}
        page = (ROOT / "CONTRIBUTING.md").read_text()
        for name in TARGETS | platforms:
            self.assertIn(f"`{name}`", page)

    def test_the_chart_takes_the_released_image(self):
        script = scripts(ROOT / ".github/workflows/release.yml")
        command = next(line for line in script.splitlines() if line.startswith("sed "))
        with tempfile.TemporaryDirectory() as place:
            values = Path(place) / "helm/factorial/values.yaml"
            values.parent.mkdir(parents=True)
            values.write_text((ROOT / "helm/factorial/values.yaml").read_text())
            support.run("bash", "-c", f"cd {place} && {command}", env={"IMAGE": "ghcr.io/Some/Name"})
            before = yaml.safe_load((ROOT / "helm/factorial/values.yaml").read_text())
            after = yaml.safe_load(values.read_text())
        self.assertEqual(after["image"].pop("repository"), "ghcr.io/some/name")
        del before["image"]["repository"]
        self.assertEqual(after, before)


class Pack(unittest.TestCase):
    """The archive of a release, made of stand-ins for the programs and for cargo."""

    def test_it_packs_programs_bill_and_checksum(self):
        with tempfile.TemporaryDirectory() as place:
            place = Path(place)
            release = place / "target/some-target/release"
            release.mkdir(parents=True)
            for name in ["factorial", *(f"factorial-{role}" for role in [*support.ROLES, "sim"])]:
                (release / name).write_text(name)
            cargo = place / "bin/cargo"
            cargo.parent.mkdir()
            cargo.write_text('#!/bin/sh\nwhile [ "$1" != --override-filename ]; do shift; done\necho "{}" >"crates/factorial-cli/$2.json"\n')
            cargo.chmod(0o755)
            env = {"CARGO_TARGET_DIR": str(place / "target"), "PATH": f"{cargo.parent}:{os.environ['PATH']}"}
            support.run(".ci/pack", f"v{version()}", "some-target", place / "out", env=env)
            name = f"factorial-{version()}-some-target"
            made = sorted(path.name for path in (place / "out").iterdir())
            self.assertEqual(made, [f"{name}.cdx.json", f"{name}.tar.gz", f"{name}.tar.gz.sha256"])
            support.run("bash", "-c", f"cd {place / 'out'} && sha256sum --check {name}.tar.gz.sha256")
            held = support.run("tar", "-tzf", place / "out" / f"{name}.tar.gz").split()
            for path in ["factorial", "factorial-worker", "LICENSE-MIT", "README.md", "examples/agents/assistant.yaml"]:
                self.assertIn(f"{name}/{path}", held)

    def test_another_version_is_refused(self):
        with self.assertRaisesRegex(AssertionError, r"the version to release is 9\.9\.9, that of Cargo\.toml is"):
            support.run(".ci/pack", "v9.9.9", "some-target", "/nowhere")
