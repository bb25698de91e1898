"""Run a pipeline: keep what is current, restore what was made before, run the rest; then record what happened.

The lock of a stage is written last, after its outputs are in the store and in the work tree, so a crash at any moment
leaves the previous lock or the new one; running again continues with the stages that are not done. The record of a run
is written after each stage and when it ends, well or not, and names everything upstream of it by digest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mintage.errors import MintageError
from mintage.pipeline.events import Event, RunOutcome
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import upstream
from mintage.pipeline.implicit import ImplicitStage
from mintage.pipeline.places import cycles_placed
from mintage.pipeline.reading import InputReader
from mintage.pipeline.run_stages import run_stages
from mintage.pipeline.runner import Runner
from mintage.pipeline.select import EVERYTHING, Selection, select
from mintage.pipeline.session import Clock, RunSession
from mintage.pipeline.walls.wanted import is_wanted
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

if TYPE_CHECKING:
    from mintage.pipeline.executor import Executor
    from mintage.pipeline.shared.sharing import Sharing
    from mintage.tracking.runs import RunStore

__all__ = ["Event", "RunOutcome", "Selection", "run_pipeline"]


def run_pipeline(
    workspace: Workspace,
    *,
    runs: Callable[[], RunStore],
    clock: Clock,
    actor: Callable[[], str],
    implicit: Callable[[], Sequence[ImplicitStage]] = tuple,
    selection: Selection = EVERYTHING,
    force: bool = False,
    record: bool = False,
    amend: bool = False,
    update_uses: bool = False,
    sandbox: bool | None = None,
    sharing: Sharing | None = None,
    executor: Executor | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> RunOutcome:
    """Bring the stages that ``selection`` chooses (all, without) up to date; the caller holds the run lock.

    ``runs`` opens the tracking database and is called only if something must be done. ``implicit`` gives the stages of
    the models of mintage.yaml; it is called again when models were found and written there. With ``record``, all stages
    (or those named) are recorded again; with ``amend``, what that finds is written over what they declare. With
    ``update_uses``, what stages use of other repositories is pinned anew. ``sandbox`` None: as the project says, else
    in CI. ``sharing`` asks the remote for what others have made; without it nothing but this clone's own results is
    restored. ``executor`` runs the commands (without one, this machine does); a stage that is recorded runs here.
    """
    with StatCache(workspace.cache_database) as cache:
        inspector = Inspector(workspace, cache)
        inspector.sandbox = is_wanted(sandbox, project=inspector.project.sandbox, ci=os.environ.get("CI"))
        stages = inspector.project.stages
        models = {stage.name: stage for stage in implicit()}
        with cycles_placed(workspace.root, stages):
            chosen = select(
                inspector.project, selection, models=tuple(models), changed=lambda rev: _changed(inspector, rev)
            )
        session = RunSession(workspace=workspace, runs=runs, clock=clock, actor=actor)
        again = (chosen.named or tuple(stages)) if record else ()
        runner = Runner(
            inspector,
            session,
            force=force,
            again=again,
            amend=amend,
            on_event=on_event,
            update_uses=update_uses,
            sharing=sharing,
            executor=executor,
        )
        cache.read = InputReader(inspector, runner.tell)
        failed: dict[str, MintageError] = {}
        try:
            failed |= run_stages(
                runner, chosen.stages, needs=upstream(stages), jobs=selection.jobs, keep_going=selection.keep_going
            )
            if failed and not selection.keep_going:
                _raise_first(runner, failed)
            if runner.find_models():
                models = {stage.name: stage for stage in implicit()}
            wanted = [stage for name, stage in models.items() if chosen.models is None or name in chosen.models]
            unmade = runner.unmade(wanted)
            runner.attempt(wanted, runner.prepare, unmade)
            digest = runner.close_pipeline()
            runner.attempt(wanted, runner.implicit, unmade)
            failed |= unmade
            _raise_first(runner, failed)
        except BaseException as error:
            runner.fail(failed or {"": error})
            raise
        runner.finish(digest)
        return RunOutcome(
            actions=runner.actions,
            run_id=session.id if session.commit else None,
            record=digest,
            before=session.before or None,
            wrote=tuple(runner.wrote),
            learned=runner.learned,
            found=runner.found,
            remarks=runner.remarks,
        )


def _changed(inspector: Inspector, revision: str) -> set[str]:
    from mintage.pipeline.changed import changed

    return changed(inspector, revision)


def _raise_first(runner: Runner, failed: Mapping[str, MintageError]) -> None:
    """Raise what failed first; the others are told."""
    for name, error in list(failed.items())[1:]:
        runner.on_event(Event(what="fail", stage=name, detail=error.message))
    for error in failed.values():
        raise error
