"""What is imported when: a quick start is guarded by the names of modules, not by a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"dulwich", "numpy", "onnx", "onnxruntime", "polars", "pyarrow", "rich", "scipy", "sklearn", "sqlalchemy"}
OPTIONAL = {
    "httptools",
    "jinja2",
    "joblib",
    "polars",
    "ray",
    "sklearn",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
    "vl_convert",
}
NEVER_IN_SERVING = {"jinja2", "joblib", "pandas", "polars", "ray", "scipy", "sklearn", "sqlalchemy", "vl_convert"}
NOT_FOR_NOTHING = {
    "asyncio",
    "concurrent",
    "difflib",
    "hashlib",
    "json",
    "shutil",
    "subprocess",
    "tempfile",
    "threading",
    "yaml",
}
"""What a command that changes nothing has no use for, each some milliseconds of its start."""
MARK = "modules-loaded: "

# Runs the command as the installed program does, then tells which top packages it has loaded.
PROBE = f"""
import sys
from mintage.cli.main import main
code = main(sys.argv[1:])
loaded = sorted({{name.partition(".")[0] for name in sys.modules}})
import json
sys.stdout.flush()
sys.stderr.write({MARK!r} + json.dumps(loaded) + "\\n")
raise SystemExit(code)
"""


def mintage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command in ``folder`` with nothing of this process's own surroundings but what Git and Python need."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MINTAGE_"))}
    identity = {
        f"GIT_{role}_{what}": f"{role.lower()}@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=folder,
        env={**environment, **identity, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def modules_of(done: subprocess.CompletedProcess[str]) -> set[str]:
    line = next(line for line in done.stderr.splitlines() if line.startswith(MARK))
    return set(json.loads(line.removeprefix(MARK)))


def modules_after(statement: str) -> set[str]:
    """Top packages loaded in a new interpreter after ``statement``."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one stage that has run."""
    folder = tmp_path_factory.mktemp("quick")
    mintage(folder, "init")
    (folder / "count.py").write_text("open('n.txt', 'w').write(str(len(open('words.txt').read().split())))\n")
    (folder / "words.txt").write_text("one two three\n")
    (folder / "mintage.yaml").write_text(
        "project: quick\nstages:\n  count: {run: python count.py, in: [words.txt], out: [n.txt]}\n"
    )
    mintage(folder, "run")
    assert (folder / "n.txt").read_text() == "3"
    return folder


def test_importing_mintage_loads_no_optional_and_no_heavy_library() -> None:
    assert modules_after("import mintage") & (HEAVY | OPTIONAL) == set()


def test_importing_the_gateway_loads_no_training_or_table_library() -> None:
    assert modules_after("import mintage.serve.__main__") & NEVER_IN_SERVING == set()


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["help", "--all"]], ids=" ".join)
def test_asking_about_mintage_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    loaded = modules_of(mintage(tmp_path, *words))
    assert loaded & (HEAVY | OPTIONAL | {"sqlite3", "yaml", "cryptography"}) == set()


def test_status_loads_nothing_heavy(project: Path) -> None:
    assert modules_of(mintage(project, "status")) & (HEAVY | OPTIONAL) == set()


def test_run_with_nothing_to_do_loads_nothing_heavy(project: Path) -> None:
    before = (project / "n.txt").stat().st_mtime_ns
    assert modules_of(mintage(project, "run")) & (HEAVY | OPTIONAL) == set()
    assert (project / "n.txt").stat().st_mtime_ns == before


@pytest.mark.parametrize("words", [["run"], ["status"]], ids=" ".join)
def test_a_command_that_changes_nothing_parses_no_yaml_and_starts_no_process(project: Path, words: list[str]) -> None:
    mintage(project, *words)
    assert modules_of(mintage(project, *words)) & NOT_FOR_NOTHING == set()


def test_run_with_nothing_to_do_loads_nothing_heavy_when_a_file_may_be_a_model(tmp_path: Path) -> None:
    mintage(tmp_path, "init")
    (tmp_path / "save.py").write_text("import pickle\npickle.dump([1], open('list.pkl', 'wb'))\n")
    (tmp_path / "mintage.yaml").write_text("project: p\nstages:\n  save: {run: python save.py, out: [list.pkl]}\n")
    mintage(tmp_path, "run")
    assert modules_of(mintage(tmp_path, "run")) & (HEAVY | OPTIONAL) == set()


@pytest.mark.slow
def test_run_with_nothing_to_do_loads_nothing_heavy_when_the_project_has_a_model(tmp_path: Path) -> None:
    mintage(tmp_path, "init", "--template", "flights")
    mintage(tmp_path, "add", "data/flights.parquet", "data/weather.parquet")
    mintage(tmp_path, "run")
    mintage(tmp_path, "run")
    assert modules_of(mintage(tmp_path, "run")) & (HEAVY | OPTIONAL | {"yaml"}) == set()
    assert modules_of(mintage(tmp_path, "status")) & (HEAVY | OPTIONAL | {"yaml"}) == set()
