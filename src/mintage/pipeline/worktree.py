"""A work tree beside the user's: run another commit or branch without moving theirs.

It shares the store, the database and the cache with the main work tree; versioned data come from the store. The folder
goes when the block ends; what was committed on a branch stays.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator

from mintage.repo.workspace import Workspace

__all__ = ["worktree"]


@contextlib.contextmanager
def worktree(
    workspace: Workspace, *, revision: str, branch: str | None = None, name: str | None = None
) -> Iterator[Workspace]:
    """A workspace at ``revision``, on a new ``branch`` or detached; its folder has the ``name`` if one is given, and
    what a killed command left under that name goes first."""
    workspace.prepare()
    git = workspace.git
    prefix = git.run("rev-parse", "--show-prefix")
    folder = workspace.state / "worktrees" / (name or secrets.token_hex(6))
    folder.parent.mkdir(parents=True, exist_ok=True)
    where = ["-b", branch] if branch else ["--detach"]
    if name is not None:
        shutil.rmtree(folder, ignore_errors=True)
    git.run("worktree", "prune")
    git.run("worktree", "add", "-q", *where, str(folder), revision)
    try:
        yield Workspace(folder / prefix, state=workspace.state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        git.run("worktree", "prune")
