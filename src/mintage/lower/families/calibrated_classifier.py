"""CalibratedClassifierCV with two classes: the mean of what fitted curves make of its classifiers' scores.

A curve takes the decision function of a classifier that has one, else its probability. It is a sigmoid, or an
isotonic regression: straight lines between points, level outside of them.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import decision, part_at, total
from mintage.lower.intervals import constant_like, interpolate

__all__ = ["FAMILY"]

_SIGMOID, _ISOTONIC = "sklearn.calibration._SigmoidCalibration", "sklearn.isotonic.IsotonicRegression"


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    members = step.get("calibrated_classifiers_")
    scores = [_member(step, f"member {place}", member, columns, context) for place, member in enumerate(members)]
    mean = graph.add("Div", [total(graph, scores), graph.constant(np.array([[float(len(scores))]]))])
    return [Number("", mean, 0, 1)]


def _member(step: Step, name: str, member: object, columns: list[Column], context: Context) -> str:
    part = part_at(step, name, member)
    calibrators, inner = part.get("calibrators"), part.get("estimator")
    if len(calibrators) != 1:
        part.refuse("with more than two classes has no exact lowering")
    score = decision(part, "estimator", inner, columns, context)
    return _curve(part_at(part, "calibrator", calibrators[0]), score, context)


def _curve(step: Step, score: str, context: Context) -> str:
    graph = context.graph
    if step.type == _SIGMOID:
        slope, shift = (graph.constant(np.array([[float(step.get(name))]])) for name in ("a_", "b_"))
        line = graph.add("Add", [graph.add("Mul", [slope, score]), shift])
        return graph.add("Sigmoid", [graph.add("Sub", [graph.constant(np.array([[0.0]])), line])])
    if step.type != _ISOTONIC or step.get("out_of_bounds") != "clip":
        step.refuse("is not a sigmoid or an isotonic curve: use method='sigmoid' or 'isotonic'")
    if step.get("X_thresholds_").dtype != np.float64 or step.get("y_thresholds_").dtype != np.float64:
        step.refuse("was fitted in single precision, which rounds the scores")
    xs, ys = step.numbers("X_thresholds_"), step.numbers("y_thresholds_")
    return constant_like(graph, score, float(ys[0])) if len(xs) == 1 else interpolate(graph, score, xs, ys)


FAMILY = Family(types=("sklearn.calibration.CalibratedClassifierCV",), role="classifier", lower=_lower)
