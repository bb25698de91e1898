"""StackingClassifier and StackingRegressor: what the parts answer, and the columns if passed through, to a last model.

Parts of a classifier give their probabilities, of two classes that of the second, or their decision function.
"""

from __future__ import annotations

from mintage.lower.columns import Column, Number, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, decision, part_at, probability

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts, methods = step.get("estimators_"), step.get("stack_method_")
    names = [name for name, part in step.get("estimators") if part != "drop"]
    sources = [column.source for column in columns]
    classes = len(step.get("classes_")) if step.short == "StackingClassifier" else 2
    taken: list[Column] = []
    for name, part, method in zip(names, parts, methods, strict=True):
        if step.short == "StackingRegressor":
            tensor = matrix(context.graph, answers(part_at(step, name, part), columns, context, role="regressor"))
        elif method == "predict_proba":
            tensor = probability(step, name, part, columns, context)
        elif method == "decision_function":
            tensor = decision(step, name, part, columns, context)
        else:
            step.at(name).refuse("gives labels to the last classifier: use stack_method='predict_proba'")
        width = 1 if classes == 2 else classes
        # edge rows look for splits on it along the first column
        taken.extend(Number(sources[0], tensor, place, width) for place in range(width))
    if step.get("passthrough"):
        taken.extend(columns)
    return context.lower(part_at(step, "final_estimator", step.get("final_estimator_")), taken)


FAMILY = Family(
    types=("sklearn.ensemble._stacking.StackingClassifier", "sklearn.ensemble._stacking.StackingRegressor"),
    role="container",
    lower=_lower,
)
