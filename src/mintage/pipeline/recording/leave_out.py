"""Leave MLflow's own files out of what a recording saw, and declare the models that only MLflow kept.

They hold random ids and times, so they would be other outputs at each run.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mintage.pipeline.infer.estimator_file import HEAD_BYTES, find_estimators
from mintage.pipeline.mlflow_log.logged import Logged
from mintage.pipeline.mlflow_log.models import logged_outputs
from mintage.pipeline.recording.propose import Proposal
from mintage.pipeline.recording.recording import Recording

__all__ = ["add_logged", "leave_out"]

_FIELDS = ("reads", "writes", "appended", "changed_inputs", "deleted", "listed", "unsteady")
_HOME = "~/.config/mlflow/"


def leave_out(recording: Recording, logged: Logged) -> Recording:
    """``recording`` without what is MLflow's own."""
    if not logged.own:
        return recording
    kept = {name: tuple(path for path in getattr(recording, name) if not logged.owns(path)) for name in _FIELDS}
    elsewhere = tuple(path for path in recording.outside_writes if not path.startswith(_HOME))
    return dataclasses.replace(recording, **kept, outside_writes=elsewhere)  # type: ignore[arg-type]  # tuples of paths


def add_logged(proposal: Proposal, logged: Logged, recording: Recording, *, stage: str, work: Path) -> Proposal:
    """``proposal`` with the logged models as outputs, if the command saved no estimator to a file of its own."""
    if not logged.models or find_estimators({path: _head(work / path) for path in recording.writes}):
        return proposal
    outputs, remarks = logged_outputs(logged, stage)
    keys = dict(proposal.keys)
    if outputs:
        keys["out"] = (*keys.get("out", ()), *sorted(outputs))
    ordered = {name: keys[name] for name in ("in", "out", "metrics", "params", "code") if name in keys}
    return dataclasses.replace(
        proposal,
        keys=ordered | {name: paths for name, paths in keys.items() if name not in ordered},
        remarks=(*proposal.remarks, *remarks),
    )


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)
