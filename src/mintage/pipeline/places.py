"""Where in mintage.yaml something about a stage stands, by line: for errors, so nothing is read unless there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from mintage.errors import StageCycleError
from mintage.pipeline.graph import Makers
from mintage.repo.project import Stage, stage_place
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["cycles_placed", "input_place", "param_place", "place_in"]


def place_in(root: Path, stage: str, *keys: str | int) -> str:
    """File, line and column of a key of the stage (or of the one that the member stands for)."""
    return stage_place((root / PROJECT_FILE).read_bytes(), stage, *keys, where=PROJECT_FILE)


def input_place(root: Path, name: str, stage: Stage, path: str) -> str:
    """Where the input ``path`` stands under ``in``; the place of ``in`` if it is named there."""
    found = [index for index, given in enumerate(stage.inputs) if given.rstrip("/") == path]
    return place_in(root, name, "in", *found[:1])


def param_place(root: Path, name: str, stage: Stage, key: str) -> str:
    """Where the parameter ``key`` stands under ``params``, or the command that has it in it."""
    if key not in stage.params:
        return place_in(root, name, "sh" if stage.run.startswith("sh -c ") else "run")
    return place_in(root, name, "params", stage.params.index(key))


@contextlib.contextmanager
def cycles_placed(root: Path, stages: Mapping[str, Stage]) -> Iterator[None]:
    """Let the error of stages that need each other name the inputs that say so."""
    try:
        yield
    except StageCycleError as error:
        makers = Makers(stages)
        places = []
        for name, maker in zip(error.cycle, error.cycle[1:], strict=False):
            path = next(path for path in stages[name].inputs if maker in makers.all_of(path.rstrip("/")))
            places.append(input_place(root, name, stages[name], path.rstrip("/")))
        error.where = ", ".join(places)
        raise
