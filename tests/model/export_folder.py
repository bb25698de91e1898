"""An export written to a folder, and programs run there as its README says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mintage.model.export.base import Exporter
from mintage.model.package import Package
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.node_packages import find_package
from mintage.model.runtimes.ort_node import RUNTIME as ORT_NODE
from mintage.model.runtimes.ort_web import RUNTIME as ORT_WEB


def write_export(exporter: Exporter, package: Package, folder: Path) -> Path:
    """The export's files, in ``folder``."""
    for name, data in exporter.files(package).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program run in ``folder``."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def need(*runtimes: Any) -> None:
    """Skip where a runtime is missing."""
    for runtime in runtimes or (ORT_NODE, ORT_WEB):
        found = runtime.find()
        if isinstance(found, Missing):
            pytest.skip(f"{runtime.name}: {found.what}; {found.hint}")


def install(folder: Path, *names: str) -> None:
    """What `npm install` would do, from the packages that are here; what they depend on is found beside them."""
    (folder / "node_modules").mkdir()
    for name in names:
        package = find_package(name)
        assert package is not None
        (folder / "node_modules" / name).symlink_to(package.folder)


def node(folder: Path, script: str) -> Any:
    """What a module prints as JSON."""
    program = shutil.which("node")
    assert program is not None
    done = run(folder, program, "--input-type=module", "--eval", script)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
