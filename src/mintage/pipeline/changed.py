"""Which stages are others than at a revision: their key is not that of the lock there.

An input that is not here, because nothing was pulled yet, is taken by the digest that its lock names; so a fresh clone
can be asked at once.
"""

from __future__ import annotations

from mintage.errors import FileMissingError, GitError, UnknownNameError
from mintage.pipeline.facts import Inspector
from mintage.repo.locks import lock_path, parse_lock

__all__ = ["changed"]


def changed(inspector: Inspector, revision: str) -> set[str]:
    """The stages whose command, parameters, inputs, code or environment differ from ``revision``, or that had no lock
    there; raises UnknownNameError for a revision that is not known."""
    git = inspector.workspace.git
    try:
        git.resolve(revision)
    except GitError as error:
        raise UnknownNameError(
            f"there is no revision {revision!r}", hint="fetch it, or name a commit, branch or tag that is here"
        ) from error
    found = set()
    for name in inspector.project.stages:
        data = git.show(revision, lock_path(name))
        then = None if data is None else parse_lock(data, where=f"{revision}:{lock_path(name)}").key
        if then is None or _key(inspector, name) != then:
            found.add(name)
    return found


def _key(inspector: Inspector, name: str) -> str | None:
    """The stage's key now; None if an input is nowhere."""
    for path in inspector.project.stages[name].inputs:
        inspector.fetch(path.rstrip("/"))
    try:
        return inspector.facts(name).key
    except FileMissingError:
        return None
