"""Files to which lines are only added: find a line that some commit had and the file no longer has."""

from __future__ import annotations

from mintage.repo.git import Git

__all__ = ["removed_line"]


def removed_line(git: Git, path: str, data: bytes) -> tuple[bytes, str] | None:
    """A line of ``path`` that is not in ``data``, and a commit behind HEAD that had it; None if all are there."""
    now = set(data.splitlines())
    for commit in git.log(path) if git.head() else []:
        gone = set((git.show(commit.id, path) or b"").splitlines()) - now - {b""}
        if gone:
            return sorted(gone)[0], commit.id
    return None
