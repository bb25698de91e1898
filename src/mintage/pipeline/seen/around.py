"""The code that lies around a stage: files of at most 1 MiB that Git tracks or would track.

They are listed when first asked for; in a run that is just after its snapshot was made, which has them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from mintage.errors import GitError
from mintage.repo.project import Project, Stage
from mintage.repo.workspace import Workspace

__all__ = ["Around"]

_LARGE = 1 << 20


class Around:
    """The code files of one project, and of those that its stages use; each is listed once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[Path, list[str]] = {}

    def of_stage(self, root: Path, project: Project, stage: Stage) -> list[str]:
        """What ``stage`` of the ``project`` in ``root`` may use without naming it: not its inputs, which are there, and
        not what a stage writes, which is to be named."""
        from mintage.pipeline.seen.sources import apart_from, sources_among

        if root not in self._known:
            written = [path for each in project.stages.values() for path in each.outputs]
            found = apart_from(sources_among(self._files(root)), written)
            self._known[root] = [path for path in found if _is_small_file(root / path)]
        return apart_from(self._known[root], stage.inputs)

    def _files(self, root: Path) -> list[str]:
        """Where there is no Git (the files of another repository, or of a worker), all files."""
        if root == self._workspace.root:
            try:
                return self._workspace.git.not_ignored()
            except GitError:
                pass
        return list(_below(root))


def _is_small_file(path: Path) -> bool:
    """Git's index may have what the work tree has not, and links and submodules."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size <= _LARGE


def _below(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(root).as_posix()
