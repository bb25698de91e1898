"""How `explain-change` and `bisect` run a tree beside the user's: as `mintage run`, but without building models.

What others have shared is downloaded here too, so that a bisection over commits that CI has run runs nothing.
"""

from __future__ import annotations

from mintage.cli.context import Context, now
from mintage.cli.sharing import sharing_of
from mintage.pipeline.change.trial import Run
from mintage.pipeline.run import RunOutcome, Selection, run_pipeline
from mintage.repo.workspace import Workspace

__all__ = ["runner_of"]


def runner_of(context: Context) -> Run:
    """Runs the stages of a selection, with this project's database and actor."""

    def run(tree: Workspace, selection: Selection) -> RunOutcome:
        return run_pipeline(
            tree,
            runs=lambda: context.runs,
            clock=now,
            actor=lambda: context.actor,
            selection=selection,
            sharing=sharing_of(context),
        )

    return run
