"""Run a stage or pipeline of another repository: its code, its paths, this project's inputs; its outputs come to the
paths here.

It runs in the same sandbox as a stage of one's own. Its code files are compared with the commit first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from mintage.errors import DigestMismatchError
from mintage.pipeline.executor import Executor
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.sandbox import Finished
from mintage.pipeline.stage_run import StageOutcome, check_room, keep_inputs
from mintage.pipeline.use_pipeline import run_members
from mintage.pipeline.uses.bring import bring
from mintage.pipeline.uses.used import Used, renamed
from mintage.repo.foreign import Foreign
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["execute_used"]


def execute_used(
    workspace: Workspace,
    facts: StageFacts,
    used: Used,
    *,
    log: Path,
    known: Callable[[Path], str | None],
    stop: Callable[[], bool],
    executor: Executor,
) -> StageOutcome:
    """Run what ``facts`` uses, or bring its files; raises as ``execute_stage`` does."""
    store = Store(workspace.store_dir)
    _check_code(workspace, facts, used)
    check_room(store, facts, copied=facts.inputs)
    keep_inputs(store, workspace.root, facts.inputs)
    bring(workspace, used, home=Path.home())
    if not used.use.runs:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"{used.use.repo} at {used.pin.commit}\n")
        item = msgspec.structs.replace(used.fixed[0], path=facts.stage.out[0].rstrip("/"))
        done = Finished(exit_code=0, duration_s=0.0, timed_out=False)
        return StageOutcome(outputs=(item,), metrics=(), finished=done, log=store.put_file(log))
    if used.members:
        outcome = run_members(workspace, facts, used, log=log, known=known, stop=stop, executor=executor)
        return replace(outcome, outputs=_here(outcome.outputs, used.use.out))
    assert used.stage is not None
    theirs = replace(facts, stage=used.stage, inputs=(*renamed(used.use, facts.inputs), *used.fixed), used=None)
    there = Workspace(used.root, state=workspace.state)
    outcome = executor.execute(there, theirs, models={}, log=log, known=known, stop=stop)
    return replace(outcome, outputs=_here(outcome.outputs, used.use.out), remarks=())


def _here(items: tuple[Item, ...], names: Mapping[str, str]) -> tuple[Item, ...]:
    """The outputs that are wanted, in the order of the stage here, under their paths here."""
    found = {item.path.rstrip("/"): item for item in items}
    return tuple(
        msgspec.structs.replace(found[there.rstrip("/")], path=here.rstrip("/")) for there, here in names.items()
    )


def _check_code(workspace: Workspace, facts: StageFacts, used: Used) -> None:
    foreign = Foreign(workspace, used.use)
    for path in facts.parts["code"]:
        if not foreign.is_as_committed(used.pin.commit, path):
            raise DigestMismatchError(
                f"{path} of {used.use.repo} is not what its commit has",
                expected=used.pin.commit,
                where=str(used.root / path),
                hint=f"it was changed here: delete {used.root}, and `mintage run` writes it again",
            )
