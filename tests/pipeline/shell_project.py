"""A project of small commands in a Git repository, run through the pipeline's own function."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from mintage.database.connection import open_database
from mintage.pipeline.executor import Executor
from mintage.pipeline.run import Event, RunOutcome, Selection, run_pipeline
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.tracking.runs import RunStore


class ShellProject:
    """``write`` its stages and files, ``run`` it, ``commit`` what that wrote."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True)
        self.workspace = Workspace(root)
        for words in (("init", "-q"), ("config", "user.email", "t@example.org"), ("config", "user.name", "T")):
            self.git(*words)
        self.workspace.prepare()
        self.connection = open_database(self.workspace.database)
        self.runs = RunStore(self.connection, lambda *_: None)
        self.told: list[Event] = []
        self.store = Store(self.workspace.store_dir)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.workspace.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, stages: str, files: dict[str, str] | None = None, *, more: str = "") -> None:
        named = {"mintage.yaml": f"project: p\n{more}stages:\n{stages}", **(files or {})}
        for name, text in named.items():
            path = self.workspace.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, subject: str = "x") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", subject, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def run(
        self,
        *targets: str,
        jobs: int = 1,
        force: bool = False,
        sandbox: bool | None = None,
        executor: Executor | None = None,
    ) -> RunOutcome:
        self.told.clear()
        return run_pipeline(
            self.workspace,
            runs=lambda: self.runs,
            clock=lambda: "2026-01-01T00:00:00Z",
            actor=lambda: "tester",
            selection=Selection(targets=targets, jobs=jobs),
            force=force,
            sandbox=sandbox,
            executor=executor,
            on_event=self.told.append,
        )

    def read(self, name: str) -> str:
        return (self.workspace.root / name).read_text()

    def ran(self, stage: str) -> dict[str, Any]:
        """What the record of its last run says of a stage."""
        lock = read_lock(self.workspace.root, stage)
        assert lock is not None
        assert lock.run is not None
        return self.store.get_record(lock.run).body["stages"][stage]  # type: ignore[no-any-return]  # a record is JSON


class RemoteProject(ShellProject):
    """One with a remote beside it."""

    def write(self, stages: str, files: dict[str, str] | None = None, *, more: str = "") -> None:
        super().write(stages, files, more=f"remote: ../remote\n{more}")
