"""RidgeClassifier, LinearSVC, Perceptron and others that give a decision function, but no probabilities.

They lower inside of what turns their decisions into probabilities: CalibratedClassifierCV, or a stack.
"""

from __future__ import annotations

from mintage.lower.columns import Column, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.linear import weighted_sums

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    raw, width = weighted_sums(step, columns, context)
    return numbers([""] * width, raw)


FAMILY = Family(
    types=(
        "sklearn.linear_model._passive_aggressive.PassiveAggressiveClassifier",
        "sklearn.linear_model._perceptron.Perceptron",
        "sklearn.linear_model._ridge.RidgeClassifier",
        "sklearn.linear_model._ridge.RidgeClassifierCV",
        "sklearn.svm._classes.LinearSVC",
    ),
    role="margin",
    lower=_lower,
)
