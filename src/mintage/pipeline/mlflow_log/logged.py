"""What was logged with MLflow, as plain values. Pure.

>>> log = Logged(own=("mlruns", "mlflow.db"))
>>> log.owns("mlruns/0/meta.yaml"), log.owns("mlflow.db"), log.owns("mlruns.csv")
(True, True, False)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Logged", "LoggedModel", "LoggedRun", "Point"]

Point = tuple[str, float, int, int]
"""A metric's key, value, step, and time in milliseconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class LoggedRun:
    """One run: its id, name, and parent's id as MLflow knows them; ``artifacts`` is its folder, if there is one."""

    id: str
    name: str
    experiment: str
    parent: str | None = None
    started_ms: int = 0
    ended_ms: int | None = None
    status: str = "FINISHED"
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: tuple[Point, ...] = ()
    artifacts: Path | None = None


@dataclass(frozen=True, kw_only=True)
class LoggedModel:
    """A model that a run logged: the folder that holds its ``MLmodel``."""

    name: str
    run: str | None
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Logged:
    """``own`` are the paths in the stage's folder that are MLflow's, files and folders; ``left_out`` says in words what
    was there and could not be read or is too much."""

    runs: tuple[LoggedRun, ...] = ()
    models: tuple[LoggedModel, ...] = ()
    own: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def owns(self, path: str) -> bool:
        """Whether the file or folder ``path`` is MLflow's."""
        clean = path.rstrip("/")
        return any(clean == own or clean.startswith(f"{own}/") for own in self.own)
