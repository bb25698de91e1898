"""XGBClassifier and XGBRFClassifier: float32 sums, then XGBoost's own logistic function or softmax.

Several labels a row are targets of two classes.
"""

from __future__ import annotations

from mintage.lower.boosting.links import DOUBLE, single_sigmoid, single_softmax
from mintage.lower.boosting.xgboost_model import read_xgboost
from mintage.lower.boosting.xgboost_sums import sums
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    model = read_xgboost(step)
    width, graph = len(model.start), context.graph
    if model.link not in ("sigmoid", "softmax"):
        step.refuse("gives no probabilities; binary:logistic and multi:softprob do")
    raw = sums(step, model, columns, context)
    found = single_softmax(graph, raw) if model.link == "softmax" else single_sigmoid(graph, raw)
    wide = graph.add("Cast", [found], to=DOUBLE)
    if model.link == "sigmoid" and width == 1:
        context.singles[wide] = found
    return unnamed(wide, width)


FAMILY = Family(
    types=("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier"), role="classifier", lower=_lower
)
