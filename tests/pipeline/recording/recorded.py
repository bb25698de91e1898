"""Record one script in a folder of its own, as the tests of this folder do."""

from __future__ import annotations

import sys
from pathlib import Path

from mintage.pipeline.recording.record import record
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.sandbox import Scratch, stage_environment


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
