"""One inferred fact, with what it was inferred from; and the question that is asked instead of a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from mintage.errors import ModelNotInferredError

__all__ = ["Finding", "question"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Finding(Generic[T]):
    """A value, and ``source``: what it was inferred from, for people."""

    value: T
    source: str


def question(model: str, message: str, *, expected: str, found: str, answer: str) -> ModelNotInferredError:
    """The error that asks; ``answer`` is what settles it."""
    return ModelNotInferredError(
        f"{message} of model {model} cannot be known",
        expected=expected,
        found=found,
        where=f"models/{model}.yaml, which is not there",
        hint=answer,
    )
