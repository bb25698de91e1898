"""The experiments of a repository: list them, find one by its name, keep a result, delete old ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mintage.errors import UnknownNameError
from mintage.pipeline.experiment.experiment import PREFIX, Experiment, Found, message_of, read_message
from mintage.repo.nearest import nearest_hint
from mintage.repo.refs import NewCommit, Ref, delete_refs, list_refs, write_commits
from mintage.repo.workspace import Workspace

__all__ = ["delete", "experiments_like", "find", "keep_result", "list_experiments"]

_FEW = 200


def list_experiments(workspace: Workspace, *, limit: int | None = None) -> list[Found]:
    """All experiments, or the newest, newest first; nothing is started for each of them."""
    return [_found(ref) for ref in list_refs(workspace.git, PREFIX, limit=limit)]


def _found(ref: Ref) -> Found:
    """The name is that of the ref, which Git has checked, whatever the message of somebody's commit says."""
    experiment = read_message(ref.body, where=ref.name)
    own = msgspec.structs.replace(experiment, name=ref.name.removeprefix(PREFIX).partition("/")[2])
    return Found(ref=ref.name, commit=ref.commit, at=ref.at, experiment=own)


def experiments_like(workspace: Workspace, base: str, names: Sequence[str]) -> list[Found]:
    """The experiments on ``base`` that have one of the names, be it with a number at its end."""
    below = f"{PREFIX}{base[:12]}"
    few = [f"{below}/{name}{end}" for name in names for end in ("", "-*")]
    return [_found(ref) for ref in list_refs(workspace.git, *(few if len(few) <= _FEW else [below]))]


def find(known: Sequence[Found], name: str) -> Found:
    """The experiment of that name, or ``BASE/NAME``; the newest of several. Raises UnknownNameError."""
    for found in known:
        if name in (found.experiment.name, found.ref.removeprefix(PREFIX), found.ref, found.commit):
            return found
    names = [found.experiment.name for found in known]
    raise UnknownNameError(
        f"there is no experiment {name!r}",
        expected=", ".join(names[:8]) or "none was run",
        hint=nearest_hint(name, names, otherwise="`mintage exp list` shows them"),
    )


def keep_result(workspace: Workspace, planned: Found, result: Experiment, *, tree: str) -> None:
    """Put the result's commit on top of that of the plan, which the record of its run names."""
    write_commits(
        workspace.git, [NewCommit(ref=planned.ref, message=message_of(result), parent=planned.commit, tree=tree)]
    )


def delete(workspace: Workspace, found: Iterable[Found]) -> None:
    """Delete experiments: their refs; data in the store stay."""
    delete_refs(workspace.git, (each.ref for each in found))
