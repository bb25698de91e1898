"""A small real project and the ways to drive it: the installed command line as a process, Git, HTTP.

480 rows over 24 days, one stage that splits them, one that fits a scikit-learn pipeline on a slow line of Python when
asked to. Two models, ``a`` (released to production) and ``b`` (certified, not released), come from two values of one
parameter.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from mintage.cli.context import Context
from mintage.repo.workspace import Workspace
from mintage.serve.control import stop_gateway

MINTAGE = [sys.executable, "-m", "mintage"]
PATIENCE_S = 60.0

FILES = {
    "mintage.yaml": """\
project: visits
stages:
  split:
    run: python split.py
    in: [data/visits.csv]
    out: [work/train.parquet, work/validation.parquet, work/holdout.parquet]
  train:
    run: python train.py
    in: [work/train.parquet]
    params: [strength]
    out: [work/model.joblib]
    metrics: [work/metrics.json]
    seed: 3
    threads: 1
models:
  buys: {from: work/model.joblib}
environments:
  production: {}
""",
    "params.yaml": "strength: 1.0   # of the penalty, inverse\n",
    "models/buys.yaml": """\
model: buys
task: binary
target: bought
purpose: Tell who will buy.
owner: shop@example.org
group_key: day
time: at
id: visit
data: {train: work/train.parquet, validation: work/validation.parquet, holdout: work/holdout.parquet}
inputs:
  pages: {type: float, range: [0, 100], nullable: false}
  minutes: {type: float, nullable: false}
""",
    "policies/buys.yaml": """\
model: buys
owner: risk@example.org
statistics: {seed: 1, draws: 400}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.60}
  - {id: parity, check: Z3}
  - {id: p50, check: T1, quantile: 0.5, max_ms: 1000, calls: 50}
""",
    "split.py": """\
import datetime
import polars as pl

rows = pl.read_csv("data/visits.csv").with_columns(at=pl.col("day").str.to_datetime())
days = rows["day"].unique(maintain_order=True).to_list()
for name, part in (("train", days[:10]), ("validation", days[10:15]), ("holdout", days[15:])):
    rows.filter(pl.col("day").is_in(part)).write_parquet(f"work/{name}.parquet")
""",
    "train.py": """\
import json
import joblib
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
import mintage

rows = pl.read_parquet("work/train.parquet")
columns = ColumnTransformer([("scale", StandardScaler(), ["pages", "minutes"])])
model = Pipeline([("columns", columns), ("line", LogisticRegression(C=mintage.params()["strength"]))])
model.fit(rows.select("pages", "minutes"), rows["bought"].to_numpy())
joblib.dump(model, "work/model.joblib")
json.dump({"rows": rows.height}, open("work/metrics.json", "w"))
""",
}
DAYS = [f"2026-01-{day:02}" for day in range(1, 25)]


def visits() -> Iterator[dict[str, Any]]:
    """Rows without a random generator: a low-discrepancy sequence, whose sum decides, one in five against it."""
    for number in range(480):
        pages, minutes = round(number * 0.618034 % 1 * 100, 3), round(number * 0.754878 % 1 * 10, 3)
        bought = int(pages / 10 + minutes > 10) ^ int(number % 5 == 0)
        day = DAYS[number // 20]
        yield {"visit": f"v{number}", "day": day, "pages": pages, "minutes": minutes, "bought": bought}


def environment(home: Path, **changes: str | None) -> dict[str, str]:
    """The variables of a fresh machine: no Git configuration of the user's, but an identity."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "MINTAGE"))}
    made = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
    return {key: value for key, value in (kept | made | identity | changes).items() if value is not None}


_IDENTITY = {"NAME": "Tess", "EMAIL": "tess@example.org"}


class Answer:
    """What a command did: exit code, stdout, stderr."""

    def __init__(self, words: tuple[str, ...], code: int, out: str, err: str) -> None:
        self.words, self.code, self.out, self.err = words, code, out, err
        assert "Traceback" not in out + err, f"{words}: {out}{err}"

    @property
    def json(self) -> Any:
        """Stdout as the one JSON value that it must be."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"{' '.join(self.words)} -> {self.code}\n{self.out}{self.err}"


class SmallProject:
    """One copy of the project; ``run`` is the installed command line as a process of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        self.environment = environment(home)

    def run(self, *words: str, expect: int | None = 0, cwd: Path | None = None, **changes: str | None) -> Answer:
        """Run one command and check its exit code."""
        done = subprocess.run(
            [*MINTAGE, *words],
            cwd=cwd or self.root,
            env=environment(self.home, **changes),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S * 2,
        )
        answer = Answer(words, done.returncode, done.stdout, done.stderr)
        assert expect is None or answer.code == expect, answer
        return answer

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [*MINTAGE, *words],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def commit(self, subject: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", subject)
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text, text
        self.write(name, text.replace(old, new))

    def lock(self, name: str) -> dict[str, Any]:
        """A lock by its name."""
        for path in (self.root / "mintage.lock").glob("*.json"):
            value: dict[str, Any] = json.loads(path.read_text())
            if value["name"] == name:
                return value
        raise AssertionError(f"no lock {name}")

    def blob(self, digest: str) -> Path:
        """A blob of the store, by its id."""
        value = digest.removeprefix("b3:")
        return self.root / ".mintage/store/b3" / value[:2] / value[2:]

    def record(self, digest: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.blob(digest).read_bytes())
        return value

    def manifest(self) -> dict[str, Any]:
        value: dict[str, Any] = yaml.safe_load(self.read("releases/production/buys.yaml"))
        return value

    def write_manifest(self, value: dict[str, Any]) -> None:
        self.write("releases/production/buys.yaml", yaml.safe_dump(value, sort_keys=False))

    def audit(self) -> list[dict[str, Any]]:
        """The entries of the audit log, oldest first."""
        with contextlib.closing(Context(Workspace(self.root))) as context:
            return [msgspec.to_builtins(event) for _, event in context.audit_log.events()]

    @property
    def production(self) -> Path:
        return self.root / ".mintage/environments/production"

    def gateway_pid(self) -> int:
        """The process id of the gateway, as its lock has it."""
        return int((self.production / "gateway.lock").read_text())

    def infer(self, url: str, *, request_id: str, pages: float = 10.0) -> dict[str, Any]:
        """One prediction over HTTP."""
        inputs = [
            {"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
            for name, value in (("pages", pages), ("minutes", 3.0))
        ]
        body = {"id": request_id, "parameters": {"event_time": "2026-02-01T10:00:00"}, "inputs": inputs}
        request = urllib.request.Request(f"{url}/v2/models/buys/infer", data=json.dumps(body).encode())
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            value: dict[str, Any] = json.loads(answer.read())
            return value

    def copy_to(self, folder: Path) -> SmallProject:
        shutil.copytree(self.root, folder, symlinks=True)
        return SmallProject(folder, self.home)

    def stop_gateway(self) -> None:
        """End this copy's gateway, whatever state the test left the project in."""
        if self.production.is_dir():
            stop_gateway(self.production)


def make_project(root: Path, home: Path) -> SmallProject:
    """The project as a person makes it: files, init, data, one commit; nothing ran yet."""
    root.mkdir(parents=True)
    made = SmallProject(root, home)
    for name, text in FILES.items():
        made.write(name, text)
    rows = list(visits())
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    made.write("data/visits.csv", "\n".join(lines) + "\n")
    made.run("init")
    made.run("add", "data/visits.csv")
    made.commit("a small project")
    return made


def build_models(project: SmallProject) -> None:
    """Release ``a`` to production, then build and certify ``b``; all committed, nothing serves."""
    assert project.run("run", "--json").json["actions"] == dict.fromkeys(("split", "train", "model:buys"), "run")
    assert project.run("certify", "buys", "--json").json["verdict"] == "PASS"
    project.commit("model a")
    project.run("release", "buys", "--to", "production", "--why", "the first")
    project.replace("params.yaml", "strength: 1.0", "strength: 0.05")
    assert project.run("run", "--json").json["actions"] == {"split": "keep", "train": "run", "model:buys": "run"}
    assert project.run("certify", "buys", "--json").json["verdict"] == "PASS"
    project.commit("model b")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A started process that does not outlive the block."""
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(condition: Any, what: str) -> None:
    """Poll until the condition holds; a test that waits for ever says what for."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


def flip(path: Path, *, at: int | None = None) -> None:
    """Flip one bit of a file, read-only or not."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(data))
