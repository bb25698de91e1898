"""One stage behind walls: what is open to it, what its process calls first, and the variables that it sees."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.pipeline.facts import StageFacts
from mintage.pipeline.offline import way as offline_way
from mintage.pipeline.outside_reads import place_of
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.walls.close import walled, way
from mintage.pipeline.walls.opened import opened, redirected
from mintage.pipeline.walls.private import TEMPORARY, hiding
from mintage.pipeline.walls.root import rooted
from mintage.repo.workspace import Workspace

__all__ = ["Within", "enclosed"]


@dataclass(frozen=True)
class Within:
    """What the child of a stage calls ``before`` it becomes the command, its ``variables``, and, behind ``walls``, all
    that it can read."""

    before: Callable[[], None] | None
    variables: Mapping[str, str]
    walls: tuple[str, ...] = ()


@contextlib.contextmanager
def enclosed(
    workspace: Workspace,
    facts: StageFacts,
    without: Within,
    *,
    scratch: Scratch,
    command: Sequence[str],
    links: Mapping[str, Path],
    log: Path | None,
) -> Iterator[Within]:
    """``without`` walls, with them; as it is where this machine has none. The log is made, if it is not there yet."""
    if way() == "none":
        yield without
        return
    variables = _variables(facts, without.variables, workspace=workspace, scratch=scratch)
    if log is not None:  # /dev/stdout and /dev/stderr lead to it
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    allowed = opened(
        scratch,
        root=workspace.root,
        state=workspace.state,
        environment=facts.environment,
        variables=variables,
        command=command,
        links=links.values(),
        reads=[place_of(path, home=Path.home()) for path in facts.stage.reads],
        log=log,
    )
    is_inside = not facts.stage.network and offline_way() == "namespace"
    if way() == "namespace":
        move = rooted(allowed, folder=scratch.private / "root", work=scratch.work, is_inside=is_inside)
        yield Within(move, variables, (*allowed.all, TEMPORARY))
        return
    root, folder = workspace.root.resolve(), scratch.private / "tmp"
    hide = hiding(allowed.all, root=root, folder=folder, work=scratch.work, is_inside=is_inside)
    with walled(allowed, hide) as before:
        yield Within(before, variables, (*allowed.all, *(() if hide is None else (TEMPORARY,))))


def _variables(
    facts: StageFacts, variables: Mapping[str, str], *, workspace: Workspace, scratch: Scratch
) -> dict[str, str]:
    """With the declared code first on the import path where the project's own would be, and a Git that does not look
    for the repository around the scratch folder."""
    paths = redirected(facts.environment, root=workspace.root, work=scratch.work)
    joined = os.pathsep.join([*paths, *filter(None, [variables.get("PYTHONPATH")])])
    return {
        **variables,
        "GIT_CEILING_DIRECTORIES": str(scratch.base),
        **({"PYTHONPATH": joined} if joined else {}),
    }
