"""The revisions of a DVC project whose data are brought in: all, the tagged ones, or the present one alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mintage.data.dvc.definitions import Read
from mintage.data.dvc.revision import Tracked, own_files, tracked
from mintage.repo.git import Git

__all__ = ["History", "Past", "commits_of", "reader_here", "tracked_here"]

History = Literal["none", "tags", "all"]
_PATTERNS = ("**/*.dvc", "**/dvc.lock", "**/dvc.yaml")


def commits_of(git: Git, history: History) -> list[str]:
    """Commits to read, newest first; HEAD is always among them. With ``all`` those of every branch, remote branch and
    tag that changed what DVC tracks; refs of DVC experiments are not followed."""
    head = git.resolve("HEAD")
    if history == "none":
        return [head]
    if history == "tags":
        names = git.run("for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags").splitlines()
        tagged = [line.split()[-1] for line in names if line.strip()]
        commits = [commit for commit in tagged if git.run("cat-file", "-t", commit) == "commit"]
    else:
        commits = git.commits_with(_PATTERNS, ["HEAD", "--branches", "--tags", "--remotes"])
    return list(dict.fromkeys([head, *commits]))


class Past:
    """Files of commits. Each version of a file that says what DVC tracks is read once, however many commits have it."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._bytes: dict[str, bytes] = {}

    def tracked(self, commit: str) -> Tracked:
        """What DVC tracks at a commit."""
        tree = self.git.tree(commit)
        files = own_files(tree)
        new = [tree[path] for path in files if tree[path] not in self._bytes]
        self._bytes |= self.git.blobs(new) if new else {}

        def read(path: str) -> bytes | None:
            blob = tree.get(path)
            if blob is not None and blob not in self._bytes:
                self._bytes |= self.git.blobs([blob])
            return self._bytes.get(blob or "")

        return tracked(read, files)


def reader_here(root: Path) -> Read:
    """Files of the work tree, by path from the root; a path out of it through a link is not there."""

    def read(path: str) -> bytes | None:
        full = root / path
        inside = full.is_file() and full.resolve().is_relative_to(root.resolve())
        return full.read_bytes() if inside else None

    return read


def tracked_here(git: Git, root: Path) -> Tracked:
    """What DVC tracks in the work tree; its files must be those of HEAD."""
    return tracked(reader_here(root), own_files(git.tree("HEAD")))
