"""HistGradientBoostingClassifier: its sums, then the logistic function, or the softmax of more than two classes."""

from __future__ import annotations

from mintage.lower.columns import Column, Number, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.hist_trees import raw_predictions
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("loss") != "log_loss":
        step.refuse("with a loss of its own has no exact lowering; log_loss has")
    raw, width = raw_predictions(step, columns, context)
    if width > 1:
        return unnamed(softmax(context.graph, raw), width)
    return [Number("", context.graph.add("Sigmoid", [raw]), 0, 1)]


FAMILY = Family(
    types=("sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",),
    role="classifier",
    lower=_lower,
)
