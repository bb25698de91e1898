"""Record one script, or run a small project, in a folder of its own, as the tests of this folder do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mintage.database.connection import open_database
from mintage.pipeline.recording.record import record
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.run import Event, RunOutcome, run_pipeline
from mintage.pipeline.sandbox import Scratch, stage_environment
from mintage.repo.workspace import Workspace
from mintage.tracking.runs import RunStore


class Desk:
    """A project's folder beside its scratch folder; ``keep`` is what was made, by path, after a recording."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a project"
        self.root.mkdir()
        self.log = folder / "stage.log"
        self.kept: dict[str, bytes] = {}

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def record(self, script: str, *, command: list[str] | None = None, **variables: str) -> Recording:
        """What recording ``script`` as s.py (or ``command``) says."""
        self.write("s.py", script)
        self.log.unlink(missing_ok=True)
        with Scratch(self.root / ".mintage" / "tmp") as scratch:
            environment = stage_environment(scratch, seed=None, threads=1, declared=())
            found = record(
                command or ["python", "s.py"],
                root=self.root,
                scratch=scratch,
                environment=environment | variables,
                log=self.log,
                python=sys.executable,
                libraries=(sys.prefix, sys.base_prefix),
            )
            self.kept = {path: (scratch.work / path).read_bytes() for path in found.writes}
        return found

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the project with its bytes and time of change, Mintage's folder left out."""
        paths = [path for path in self.root.rglob("*") if path.is_file() and ".mintage" not in path.parts]
        return {str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


class Project:
    """A folder with a Git repository, run in this process."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        for name, text in files.items():
            self.write(name, text)
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        self.workspace = Workspace(root)
        self.workspace.prepare()
        self.connection = open_database(self.workspace.database)
        self.runs = RunStore(self.connection, lambda *_: None)
        self.notes: list[str] = []

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def run(self, **options: object) -> RunOutcome:
        self.notes = []
        return run_pipeline(
            self.workspace,
            runs=lambda: self.runs,
            clock=lambda: "2026-01-01T00:00:00Z",
            actor=lambda: "tester",
            on_event=self._note,
            **options,
        )

    def _note(self, event: Event) -> None:
        if event.what == "note":
            self.notes.append(event.detail)

    def tree(self) -> dict[str, bytes]:
        hidden = {".git", ".mintage"}
        files = [path for path in self.root.rglob("*") if path.is_file() and not hidden & set(path.parts)]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in files}


def single(script: str, stage: str = "run: python s.py", **files: str) -> dict[str, str]:
    return {"mintage.yaml": f"project: p\nstages:\n  s:\n    {stage}\n", "s.py": script, **files}
