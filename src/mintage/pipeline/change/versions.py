"""The versions to search: commits of a line of history, or the versions that the history of one data path has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mintage.errors import RefusedError, UnknownNameError
from mintage.pipeline.change.side import find_commit
from mintage.repo.git import Git
from mintage.repo.locks import Item, lock_path, parse_lock
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["Version", "commits_between", "versions_of"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A commit; or what a data path held since that commit: an item of the store, or the id of a blob of Git."""

    commit: str
    content: Item | str | None = None


def commits_between(git: Git, good: str | None, bad: str) -> list[Version]:
    """The commits from ``good`` to ``bad`` by first parents, oldest first; without ``good`` from the first that has a
    project file. Raises RefusedError if the one does not come after the other."""
    last = find_commit(git, bad)
    history = git.run("rev-list", "--first-parent", "--reverse", last).split()
    if good is None:
        first = git.run("rev-list", "--reverse", "--first-parent", last, "--", f"./{PROJECT_FILE}").split()[:1]
        start = history.index(first[0]) if first and first[0] in history else 0
    else:
        start = _start(history, find_commit(git, good), good, bad)
    return [Version(commit=commit) for commit in history[start:]]


def versions_of(git: Git, path: str, good: str | None, bad: str) -> list[Version]:
    """The versions of the data ``path`` from ``good`` to ``bad``, oldest first, each once in a row.

    Raises UnknownNameError if the history has none.
    """
    last = find_commit(git, bad)
    lock = lock_path(path)
    history = git.run("rev-list", "--first-parent", "--reverse", last).split()
    changed = set(git.run("rev-list", "--first-parent", last, "--", f"./{lock}", f"./{path}").split())
    start = 0 if good is None else _start(history, find_commit(git, good), good, bad)
    # What the path held at the first commit was put there by an earlier one.
    commits = [commit for index, commit in enumerate(history[start:]) if commit in changed or index == 0]
    found: list[Version] = []
    for commit, content in zip(commits, _contents(git, commits, lock, path), strict=True):
        if content is not None and (not found or found[-1].content != content):
            found.append(Version(commit=commit, content=content))
    if not found:
        raise UnknownNameError(
            f"the history of {bad} has no version of {path}",
            expected="a file or folder that was added with `mintage add`, or a file that Git tracks",
            where=lock,
            hint="give the path as the project has it; a file in a versioned folder is searched by the folder",
        )
    return found


def _start(history: Sequence[str], commit: str, good: str, bad: str) -> int:
    if commit not in history:
        raise RefusedError(
            f"{bad} does not come after {good}",
            expected="two commits of one line of history (by first parents)",
            found=f"{commit[:12]} is not among the {len(history)} commits that lead to {bad}",
            hint="name the good one first; `git merge-base` finds where two branches parted",
        )
    return history.index(commit)


def _contents(git: Git, commits: Sequence[str], lock: str, path: str) -> list[Item | str | None]:
    """What each commit says that ``path`` holds; one process of Git looks up all of them."""
    prefix = git.prefix()
    names = [f"{commit}:{prefix}{name}" for commit in commits for name in (lock, path)]
    listed = git.run("cat-file", "--batch-check", data="".join(f"{name}\n" for name in names).encode())
    ids = [line.split()[0] if line.split()[1:2] == ["blob"] else None for line in listed.split("\n")]
    locks = git.blobs(list({each for each in ids[::2] if each is not None}))
    found: list[Item | str | None] = []
    for locked, tracked in zip(ids[::2], ids[1::2], strict=True):
        items = [] if locked is None else [i for i in parse_lock(locks[locked], where=lock).outputs if i.path == path]
        found.append(items[0] if items else tracked)
    return found
