"""Refs of our own in bulk, one Git process for any number of them; branches, HEAD and index stay as they are."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mintage.repo.git import Git

__all__ = ["NewCommit", "Ref", "delete_refs", "list_refs", "write_commits"]

_MANY = 500
_UNKNOWN = "mintage <mintage@localhost>"
_IDENT = re.compile(r"^GIT_COMMITTER_IDENT=(.*>) \d+ [-+]\d{4}$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ref:
    """A ref to a commit: when that was made (seconds since 1970), and its message without the first line."""

    name: str
    commit: str
    at: int
    body: str


@dataclass(frozen=True, kw_only=True)
class NewCommit:
    """A commit to write under ``ref``: of ``tree`` with ``files`` (paths from the repository's top) put into it."""

    ref: str
    message: str
    parent: str
    tree: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def list_refs(git: Git, *patterns: str, limit: int | None = None) -> list[Ref]:
    """The refs that lie below, or are like, one of ``patterns``, newest commit first; at most ``limit``."""
    form = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:body)%00"
    most = () if limit is None else (f"--count={limit}",)
    parts = git.run("for-each-ref", "--sort=-committerdate", *most, f"--format={form}", *patterns).split("\0")
    rows = zip(*(parts[index::4] for index in range(4)), strict=False)
    return [Ref(name=name.lstrip("\n"), commit=commit, at=int(at), body=body) for name, commit, at, body in rows]


def write_commits(git: Git, commits: Sequence[NewCommit], *, now_s: float | None = None) -> list[str]:
    """Write the commits and set their refs, whatever those named before; returns the commits' ids."""
    if not commits:
        return []
    who = f"{_identity(git)} {int(time.time() if now_s is None else now_s)} +0000"
    stream: list[bytes] = []
    for number, commit in enumerate(commits, 1):
        stream.append(f"commit {commit.ref}\nmark :{number}\ncommitter {who}\n".encode())
        stream.append(_data(commit.message.encode()))
        stream.append(f"from {commit.parent}\nM 040000 {commit.tree} \n".encode())
        for path, data in commit.files.items():
            stream += [f"M 100644 inline {path}\n".encode(), _data(data)]
        stream.append(f"\nget-mark :{number}\n".encode())
    ids = git.run("fast-import", "--quiet", "--force", "--date-format=raw", data=b"".join(stream)).split()
    if len(commits) >= _MANY:
        git.run("pack-refs", "--all")  # as Git's own clean-up does: a file for each ref is slow to list
    return ids


def delete_refs(git: Git, names: Iterable[str]) -> None:
    """Delete refs; their commits go when Git next cleans up."""
    data = "".join(f"delete {name}\n" for name in names)
    if data:
        git.run("update-ref", "--stdin", data=data.encode())


def _data(data: bytes) -> bytes:
    return f"data {len(data)}\n".encode() + data + b"\n"


def _identity(git: Git) -> str:
    """Who commits, if the user told Git so: never a guess, which has the machine's name in it."""
    said = git.run("var", "-l")
    is_told = bool(os.environ.get("GIT_COMMITTER_EMAIL")) or bool(re.search(r"^user\.email=.", said, re.MULTILINE))
    match = _IDENT.search(said)
    return match[1] if is_told and match is not None else _UNKNOWN
