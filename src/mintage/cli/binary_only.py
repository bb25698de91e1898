"""Refuse what judges outcomes of two classes alone, for a model of another task."""

from __future__ import annotations

from mintage.errors import RefusedError
from mintage.repo.modelfile import ModelSpec

__all__ = ["check_two_outcomes"]


def check_two_outcomes(spec: ModelSpec, *, what: str, hint: str) -> None:
    """Raise RefusedError unless the model has one target of two classes, which ``what`` takes for granted."""
    if spec.task == "binary" and len(spec.targets) == 1:
        return
    several = f" of {len(spec.targets)} targets" if len(spec.targets) > 1 else ""
    raise RefusedError(
        f"{what} judges outcomes of two classes alone, and {spec.model} is a {spec.task}{several}",
        expected="a binary classifier of one target",
        found=f"task: {spec.task}",
        where=f"models/{spec.model}.yaml",
        hint=hint,
    )
