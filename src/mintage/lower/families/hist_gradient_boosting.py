"""HistGradientBoostingClassifier: its sums, then the logistic function, or the softmax of more than two classes."""

from __future__ import annotations

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.hist_trees import raw_predictions
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("loss") != "log_loss":
        step.refuse("with a loss of its own has no exact lowering; log_loss has")
    raw, width = raw_predictions(step, columns, context)
    found = softmax(context.graph, raw) if width > 1 else context.graph.add("Sigmoid", [raw])
    context.decisions[found] = raw
    return unnamed(found, width)


FAMILY = Family(
    types=("sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",),
    role="classifier",
    lower=_lower,
)
