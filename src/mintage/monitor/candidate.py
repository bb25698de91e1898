"""Train a candidate by the project's own pipeline, in a work tree beside the user's.

``set_window`` writes the parameters that models/<model>.yaml names under ``retrain:``; the run is an ordinary one, with
record, lock and cache, so a retrain by the same plan later restores what the candidate made instead of training again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.attest.keys import Signer
from mintage.errors import CandidateInvalidError, FileMissingError
from mintage.model.package import open_package
from mintage.model.runtime import Predictor
from mintage.monitor.evidence import CandidatePlan
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.params import PARAMS_FILE, set_param_text
from mintage.pipeline.run import Event, RunOutcome, run_pipeline
from mintage.pipeline.worktree import worktree
from mintage.repo.locks import read_lock
from mintage.repo.modelfile import ModelSpec
from mintage.repo.workspace import Workspace
from mintage.tracking.runs import RunStore

__all__ = ["PipelineCandidate", "PipelineCandidates", "run_plan", "set_window"]


def set_window(workspace: Workspace, spec: ModelSpec, plan: CandidatePlan, *, as_of: str) -> None:
    """Write the plan's days into params.yaml, by the templates of the model file."""
    path = workspace.root / PARAMS_FILE
    if not spec.retrain.params:
        raise CandidateInvalidError(
            f"models/{spec.model}.yaml does not say how to retrain",
            expected="retrain: {params: {window.train_until: '{train_until}'}}",
            hint="name the parameters that hold the training window",
        )
    if not path.is_file():
        raise FileMissingError("a retrain sets params.yaml, which is not there", where=str(path))
    text = path.read_text()
    words = {"train_until": plan.train_until, "labels_until": plan.labels_until, "as_of": as_of[:10]}
    for key, template in spec.retrain.params.items():
        text = set_param_text(text, key, template.format_map(words))
    path.write_text(text)


def run_plan(
    workspace: Workspace,
    *,
    runs: Callable[[], RunStore],
    clock: Callable[[], str],
    actor: Callable[[], str],
    signer: Callable[[], Signer],
    on_event: Callable[[Event], None],
) -> RunOutcome:
    """Run the pipeline and build the models in a work tree that ``set_window`` prepared."""
    return run_pipeline(
        workspace,
        runs=runs,
        clock=clock,
        actor=actor,
        implicit=lambda: model_stages(workspace, signer=signer),
        on_event=on_event,
    )


class PipelineCandidate:
    """A trained candidate: ``identity`` is its root."""

    def __init__(self, root: str, predictor: Predictor) -> None:
        self._root = root
        self._predictor = predictor

    @property
    def identity(self) -> str:
        """The model's id."""
        return self._root

    def score(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Probabilities of the positive class."""
        return self._predictor.predict(columns).scores


class PipelineCandidates:
    """Trains candidates for one model; an instance is a ``CandidateMaker``. The caller holds the run lock."""

    def __init__(
        self,
        workspace: Workspace,
        spec: ModelSpec,
        *,
        as_of: str,
        runs: Callable[[], RunStore],
        clock: Callable[[], str],
        actor: Callable[[], str],
        signer: Callable[[], Signer],
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._workspace = workspace
        self._spec = spec
        self._as_of = as_of
        self._run = {"runs": runs, "clock": clock, "actor": actor, "signer": signer, "on_event": on_event}

    def __call__(self, plan: CandidatePlan) -> PipelineCandidate:
        """Train by the plan."""
        with worktree(self._workspace, revision="HEAD") as tree:
            set_window(tree, self._spec, plan, as_of=self._as_of)
            run_plan(tree, **self._run)  # type: ignore[arg-type]  # one dict of different callables
            lock = read_lock(tree.root, f"model:{self._spec.model}")
        assert lock is not None and lock.root is not None
        package = open_package(model_folder(self._workspace, self._spec.model, lock.root))
        return PipelineCandidate(lock.root, package.predictor())
