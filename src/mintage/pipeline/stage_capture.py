"""The captured tables of one stage: watch its command, and write what it declares under ``captured:``.

A stage that declares none is not watched, but for the first run, which says what there is to declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mintage.errors import CapturedMissingError
from mintage.pipeline.sandbox import Scratch
from mintage.repo.project import ModelEntry, Stage

if TYPE_CHECKING:
    from mintage.pipeline.capture.gather import Table

__all__ = ["captured_of", "keep_declared", "watch_stage", "write_captured"]


def watch_stage(scratch: Scratch, environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` with the watcher, which the hook of a recording starts."""
    from mintage.pipeline.capture.watching import watched

    return watched(scratch.private / "capture", environment, work=scratch.work)


def captured_of(
    scratch: Scratch, stage: str, out: Sequence[str], *, has_tables: bool = False
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """What the watched command of ``stage`` left, by path, and remarks; ``out`` is what it wrote, ``has_tables``
    whether it read or wrote tables that say the training rows."""
    from mintage.pipeline.capture.gather import capture
    from mintage.pipeline.capture.watching import notes_in
    from mintage.pipeline.written_estimators import written_estimators

    estimators = written_estimators(scratch.work, out)
    return capture(notes_in(scratch.private / "capture"), stage=stage, estimators=estimators, has_tables=has_tables)


def write_captured(
    scratch: Scratch, tables: Mapping[str, Table], wanted: Sequence[str], models: Mapping[str, ModelEntry]
) -> None:
    """Write the tables at the paths ``wanted`` to where outputs are kept from."""
    from mintage.pipeline.capture.gather import keep_captured

    targets = {
        model.source: (model.target,) if isinstance(model.target, str) else model.target or ()
        for model in models.values()
    }
    keep_captured(tables, wanted, scratch.work, targets=targets)


def keep_declared(scratch: Scratch, name: str, stage: Stage, models: Mapping[str, ModelEntry]) -> None:
    """Write what the stage ``name`` declares; raises CapturedMissingError where its command did not leave it."""
    tables, remarks = captured_of(scratch, name, stage.out)
    for path in stage.captured:
        if path not in tables:
            raise CapturedMissingError(
                f"stage {name} ended well, but its run did not yield {path}",
                expected="rows that were split and fitted where Mintage sees it",
                found="; ".join(remarks) or ", ".join(tables) or "no fit of an estimator that it saved",
                where=f"mintage.yaml, stage {name}",
                hint="correct the script, or take that path out of `captured:` and out of `data:` of the model file",
            )
    write_captured(scratch, tables, stage.captured, models)
