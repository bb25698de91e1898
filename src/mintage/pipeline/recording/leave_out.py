"""Leave MLflow's own files out of what a recording saw, and declare the models that only MLflow kept.

They hold random ids and times, so they would be other outputs at each run.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection
from pathlib import Path

from mintage.pipeline.mlflow_log.logged import Logged
from mintage.pipeline.mlflow_log.models import logged_outputs
from mintage.pipeline.recording.propose import Proposal
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.written_estimators import written_estimators

__all__ = ["add_logged", "leave_out"]

_FIELDS = ("reads", "writes", "appended", "changed_inputs", "deleted", "listed", "unsteady")
_SERVER = "MLFLOW_TRACKING_URI"
_HOME = "~/.config/mlflow/"


def leave_out(recording: Recording, logged: Logged) -> Recording:
    """``recording`` without what is MLflow's own."""
    if not logged.own:
        return recording
    kept = {name: tuple(path for path in getattr(recording, name) if not logged.owns(path)) for name in _FIELDS}
    elsewhere = tuple(path for path in recording.outside_writes if not path.startswith(_HOME))
    return dataclasses.replace(recording, **kept, outside_writes=elsewhere)  # type: ignore[arg-type]  # tuples of paths


def add_logged(
    proposal: Proposal, logged: Logged, recording: Recording, *, stage: str, passed: Collection[str], work: Path
) -> Proposal:
    """``proposal`` with the logged models as outputs, if the command saved no estimator to a file of its own.

    ``passed`` are the variables of the shell that the stage sees.
    """
    remarks: tuple[str, ...] = ()
    if logged.runs and _SERVER in os.environ and _SERVER not in passed:
        remarks = (f"logs to a folder, not to the server of your {_SERVER}: for that one write `env: [{_SERVER}]`",)
    outputs: Collection[str] = ()
    if logged.models and not written_estimators(work, recording.writes):
        outputs, more = logged_outputs(logged, stage)
        remarks += more
    keys = dict(proposal.keys)
    if outputs:
        keys["out"] = (*keys.get("out", ()), *sorted(outputs))
    ordered = {name: keys[name] for name in ("in", "out", "metrics", "params", "code") if name in keys}
    return dataclasses.replace(
        proposal,
        keys=ordered | {name: paths for name, paths in keys.items() if name not in ordered},
        remarks=(*proposal.remarks, *remarks),
    )
