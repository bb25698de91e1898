"""CalibratedClassifierCV: the mean of what fitted curves make of its classifiers' scores.

A curve takes the decision function of a classifier that has one, else its probability; with more than two classes, each
class has a curve, and the curves' answers are shares of their sum. A curve is a sigmoid, or an isotonic regression:
straight lines between points, level outside of them. A temperature takes all scores times one factor to a softmax.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import decision, has_decision, part_at, total
from mintage.lower.intervals import constant_like, interpolate
from mintage.lower.shares import number, shares
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]

_SIGMOID, _ISOTONIC = "sklearn.calibration._SigmoidCalibration", "sklearn.isotonic.IsotonicRegression"
_TEMPERATURE = "sklearn.calibration._TemperatureScaling"
_LEAST = 1e-12  # what the library adds to a probability before its logarithm


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, classes = context.graph, len(step.get("classes_"))
    members = step.get("calibrated_classifiers_")
    scores = [
        _member(part_at(step, f"member {place}", member), columns, context, classes)
        for place, member in enumerate(members)
    ]
    mean = graph.add("Div", [total(graph, scores), number(graph, float(len(scores)))])
    return numbers([""] * (1 if classes == 2 else classes), mean)


def _member(part: Step, columns: list[Column], context: Context, classes: int) -> str:
    graph, calibrators, inner = context.graph, part.get("calibrators"), part.get("estimator")
    fitted = inner.state.get("classes_") if isinstance(inner, Step) else None
    if isinstance(fitted, np.ndarray) and len(fitted) != classes:
        part.refuse(f"has seen {len(fitted)} of {classes} classes, which has no exact lowering")
    curves = [part_at(part, "calibrator", calibrator) for calibrator in calibrators]
    score = decision(part, "estimator", inner, columns, context)
    if [curve.type for curve in curves] == [_TEMPERATURE]:
        decided = has_decision(part_at(part, "estimator", inner))
        return _temperature(curves[0], score, context, classes, decided=decided)
    if len(curves) != (1 if classes == 2 else classes):
        part.refuse(f"has {len(curves)} curves for {classes} classes: this version of its library is not known")
    if classes == 2:
        return _curve(curves[0], score, context)
    found = [
        _curve(curve, column_tensor(graph, Number("", score, place, classes)), context)
        for place, curve in enumerate(curves)
    ]
    return shares(graph, graph.concat(found), classes)


def _temperature(curve: Step, score: str, context: Context, classes: int, *, decided: bool) -> str:
    """Probabilities become logarithms first; the decision function of two classes stands for both with a sign."""
    graph, beta = context.graph, number(context.graph, float(curve.get("beta_")))
    if classes == 2 and decided:
        both = graph.add("Mul", [beta, score])
        return graph.add("Sigmoid", [graph.add("Add", [both, both])])
    if classes == 2:
        score = graph.concat([graph.add("Sub", [number(graph, 1.0), score]), score])
    if not decided:
        score = graph.add("Log", [graph.add("Add", [score, number(graph, _LEAST)])])
    found = softmax(graph, graph.add("Mul", [beta, score]))
    return column_tensor(graph, Number("", found, 1, 2)) if classes == 2 else found


def _curve(step: Step, score: str, context: Context) -> str:
    graph = context.graph
    if step.type == _SIGMOID:
        slope, shift = (number(graph, float(step.get(name))) for name in ("a_", "b_"))
        line = graph.add("Add", [graph.add("Mul", [slope, score]), shift])
        return graph.add("Sigmoid", [graph.add("Sub", [number(graph, 0.0), line])])
    if step.type != _ISOTONIC or step.get("out_of_bounds") != "clip":
        step.refuse("is not a curve that is known: use method='sigmoid', 'isotonic' or 'temperature'")
    single = {step.get(name).dtype.name for name in ("X_thresholds_", "y_thresholds_")} != {"float64"}
    if single and context.rounds is None:
        step.refuse("was fitted in single precision, which rounds the scores")
    xs, ys = step.numbers("X_thresholds_"), step.numbers("y_thresholds_")
    found = constant_like(graph, score, float(ys[0])) if len(xs) == 1 else interpolate(graph, score, xs, ys)
    return graph.add("Cast", [graph.add("Cast", [found], to=1)], to=11) if single else found


FAMILY = Family(types=("sklearn.calibration.CalibratedClassifierCV",), role="classifier", lower=_lower)
