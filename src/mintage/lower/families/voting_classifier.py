"""VotingClassifier with soft voting: the mean of the classifiers' probabilities, weighted if asked for."""

from __future__ import annotations

from mintage.lower.columns import Column, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import probability, weighted_mean

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("voting") != "soft":
        step.refuse("with hard voting gives labels, but no probabilities: use voting='soft'")
    names = [name for name, part in step.get("estimators") if part != "drop"]
    parts = zip(names, step.get("estimators_"), strict=True)
    tensors = [probability(step, name, part, columns, context) for name, part in parts]
    classes = len(step.get("classes_"))
    return numbers([""] * (1 if classes == 2 else classes), weighted_mean(step, tensors, context.graph))


FAMILY = Family(types=("sklearn.ensemble._voting.VotingClassifier",), role="classifier", lower=_lower)
