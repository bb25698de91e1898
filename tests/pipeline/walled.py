"""A project whose one stage runs in the sandbox: what it read, what it was kept from, and what is said of that."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import UndeclaredReadError
from mintage.pipeline.run import RunOutcome
from mintage.pipeline.walls.close import way

NEEDS_WALLS = pytest.mark.skipif(way() == "none", reason="this kernel has no Landlock (Linux 6.2)")


class Walled(ShellProject):
    """``data/in.csv`` is declared, ``data/extra.csv`` is not; ``outside`` lies beside the project."""

    def __init__(self, folder: Path, name: str = "a project") -> None:
        super().__init__(folder / name)
        self.root = self.workspace.root
        self.outside = folder / "outside.csv"
        self.outside.write_text("a,b\n1,2\n")
        for known in ("in", "extra"):
            path = self.root / f"data/{known}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("a,b\n1,2\n3,4\n")

    def make(self, script: str, *, keys: str = "", files: dict[str, str] | None = None) -> None:
        """A stage ``s`` that runs ``script``; ``keys`` are lines beside its ``in`` and ``out``."""
        self.write(
            f"  s:\n    run: python s.py\n    in: [data/in.csv]\n    out: [o.txt]\n{keys}",
            {"s.py": f"{script}\nopen('data/in.csv').read()\nopen('o.txt', 'w').write('made')\n", **(files or {})},
        )
        self.commit()

    def walled(self, script: str, *, keys: str = "", files: dict[str, str] | None = None) -> RunOutcome:
        self.make(script, keys=keys, files=files)
        return self.run(sandbox=True)

    def denied(self, script: str, *, keys: str = "", files: dict[str, str] | None = None) -> UndeclaredReadError:
        """The error of a stage that the walls stopped, and that goes through without them."""
        self.make(script, keys=keys, files=files)
        with pytest.raises(UndeclaredReadError) as caught:
            self.run(sandbox=True)
        assert not (self.root / "o.txt").exists()
        self.run(sandbox=False)
        assert self.read("o.txt") == "made"
        return caught.value

    def database(self, path: str) -> Path:
        """A SQLite database in the project."""
        with sqlite3.connect(self.root / path) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS seven")
        connection.close()
        return self.root / path
