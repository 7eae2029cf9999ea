"""What other people's tools make of the API of a running system: schemathesis, and a client that is generated.

`cargo xtask test` calls it; FACTORIAL_BIN is where the binaries are, SCHEMATHESIS_SECONDS how long schemathesis may take.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BINARIES = Path(os.environ.get("FACTORIAL_BIN", "target/debug"))
TOOLS = Path(sys.executable).parent
SECONDS = os.environ.get("SCHEMATHESIS_SECONDS", "60")
# Everything asks for it, and what has none or another is refused.
KEY = "a-key-of-these-tests-alone"
# What the document promises. What is valid by its schema and refused for what is stored (a cursor of another list) is no mistake.
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "use_after_free",
        "ensure_resource_availability",
        "ignored_auth",
    ]
)


class System:
    """`factorial dev` in a directory of its own: a private Redis, a simulated model."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="factorial-tools-")
        here = Path(self.directory.name)
        ports = [f"--{name}-port=0" for name in ("gateway", "admin", "observability")]
        self.log = open(here / "log", "w+")
        access = ["--auth-enabled", f"--admin-key={KEY}"]
        command = [BINARIES.resolve() / "factorial", "dev", "--redis", "server", "--model", "simulated", *access, *ports]
        self.process = subprocess.Popen(command, cwd=here, stdout=self.log, stderr=subprocess.STDOUT)
        until = time.monotonic() + 60
        addresses = here / ".factorial/dev.json"
        while not addresses.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the system does not start: {self.said()}")
            time.sleep(0.05)
        self.gateway = json.loads(addresses.read_text())["gateway"]

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        self.directory.cleanup()


def document():
    return json.loads(subprocess.check_output([BINARIES.resolve() / "factorial", "openapi"]))


def setUpModule():
    global system
    system = System()
    unittest.addModuleCleanup(system.stop)


class Tools(unittest.TestCase):
    def test_schemathesis_finds_nothing(self):
        described = document()
        # The tool cannot write lines of JSON; the tests of the gateway do.
        del described["paths"]["/v1/batches"]["post"]["requestBody"]["content"]["application/x-ndjson"]
        path = Path(system.directory.name) / "openapi.json"
        path.write_text(json.dumps(described))
        command = [
            *(TOOLS / "schemathesis", "run", path, "--url", system.gateway),
            *("--header", f"Authorization: Bearer {KEY}"),
            *("--phases", "coverage,fuzzing,stateful", "--checks", CHECKS, "--warnings", "off"),
            # A result may be waited for, for a minute.
            *("--max-time", SECONDS, "--request-timeout", "70"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=system.directory.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(done.stdout[done.stdout.rfind("SUMMARY") :], file=sys.stderr)
        self.assertIsNone(system.process.poll(), system.said())

    def test_a_generated_client_runs_a_task(self):
        with tempfile.TemporaryDirectory(prefix="factorial-client-") as place:
            path = Path(place) / "openapi.json"
            path.write_text(json.dumps(document()))
            command = [TOOLS / "openapi-python-client", "generate", "--path", path, "--meta", "none"]
            made = subprocess.run(
                [*command, "--output-path", Path(place) / "factorial_client"], capture_output=True, text=True
            )
            self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
            sys.path.insert(0, place)
            self.addCleanup(sys.path.remove, place)
            client = importlib.import_module("factorial_client").AuthenticatedClient(
                system.gateway, KEY, raise_on_unexpected_status=True
            )
            submit = importlib.import_module("factorial_client.api.tasks.submit_task")
            result = importlib.import_module("factorial_client.api.tasks.get_task_result")
            models = importlib.import_module("factorial_client.models")
            body = models.SubmitTask(agent="assistant", owner_id="me", query="What time is it?")
            task = submit.sync(client=client, body=body)
            ended = result.sync(task.id, client=client, wait=30)
            self.assertEqual(str(ended.status), "completed", ended)
            self.assertTrue(ended.output)
            refused = submit.sync(client=client, body=models.SubmitTask(agent="nobody", owner_id="me", query="x"))
            self.assertEqual((type(refused).__name__, refused.code), ("Problem", "unknown_agent"))


if __name__ == "__main__":
    unittest.main()
