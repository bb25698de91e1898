"""StackingClassifier: the classifiers' probabilities, and the columns if passed through, given to a last classifier."""

from __future__ import annotations

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import decision, part_at, probability

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts, methods = step.get("estimators_"), step.get("stack_method_")
    names = [name for name, part in step.get("estimators") if part != "drop"]
    taken: list[Column] = []
    for name, part, method in zip(names, parts, methods, strict=True):
        if method == "predict_proba":
            tensor = probability(step, name, part, columns, context)
        elif method == "decision_function":
            tensor = decision(step, name, part, columns, context)
        else:
            step.at(name).refuse("gives labels to the last classifier: use stack_method='predict_proba'")
        taken.append(Number(columns[0].source, tensor, 0, 1))  # edge rows look for its splits along that column
    if step.get("passthrough"):
        taken.extend(columns)
    return context.lower(part_at(step, "final_estimator", step.get("final_estimator_")), taken)


FAMILY = Family(types=("sklearn.ensemble._stacking.StackingClassifier",), role="classifier", lower=_lower)
