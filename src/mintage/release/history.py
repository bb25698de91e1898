"""The history of releases, read from Git: who replaced whom, when, why, and by which commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mintage.errors import MintageError
from mintage.release.manifest import RELEASE_FOLDER, RELEASE_TRAILER, Manifest, manifest_path, parse_release
from mintage.repo.git import Commit, Git

__all__ = ["Release", "history", "manifests_at"]


@dataclass(frozen=True, kw_only=True)
class Release:
    """One change of a manifest: what stood after it, and before; ``kind`` says what it did."""

    commit: Commit
    kind: str
    before: Manifest | None
    after: Manifest | None


def manifests_at(git: Git, revision: str, *, environment: str | None = None) -> list[Manifest]:
    """All manifests of a revision (of one environment), sorted by path."""
    folder = f"{RELEASE_FOLDER}/{environment}" if environment else RELEASE_FOLDER
    found = []
    for path in sorted(git.list_files(revision, folder)):
        if path.endswith(".yaml"):
            data = git.show(revision, path)
            if data is not None:
                found.append(parse_release(data, where=path))
    return found


def history(git: Git, environment: str, model: str) -> list[Release]:
    """Changes of one manifest, newest first."""
    path = manifest_path(environment, model)
    commits = git.log(path)
    states = [_manifest(git, commit.id, path) for commit in commits] + [None]
    return [
        Release(
            commit=commit,
            kind=_kind(states[index + 1 :], states[index], commit),
            before=states[index + 1],
            after=states[index],
        )
        for index, commit in enumerate(commits)
    ]


def _manifest(git: Git, revision: str, path: str) -> Manifest | None:
    data = git.show(revision, path)
    if data is None:
        return None
    try:
        return parse_release(data, where=path)
    except MintageError:
        return None


def _kind(earlier: Sequence[Manifest | None], after: Manifest | None, commit: Commit) -> str:
    """What a change did, given what stood before it, newest first. A rollback brings back exactly what stood once, and
    was not written by a release: subjects tell nothing, Git words a revert of a revert in its own ways."""
    before = earlier[0]
    if after is not None and RELEASE_TRAILER not in commit.trailers and after in earlier[1:]:
        return "rollback"
    if after is None:
        return "withdrawn"
    if before is None:
        return "first"
    if after.champion.root != before.champion.root:
        promoted = before.challenger is not None and before.challenger.root == after.champion.root
        return "promoted" if promoted else "replaced"
    if after.challenger is not None and (before.challenger is None or before.challenger.root != after.challenger.root):
        return "canary"
    if after.challenger is None and before.challenger is not None:
        return "canary ended"
    return "changed"
