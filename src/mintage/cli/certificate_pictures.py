"""What the pictures of a certificate page show of the hold-out: counts and curves by the model's task.

Everything is counted on all rows; what is drawn of a large split are few points of it, evenly chosen.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from mintage.certify.certify import Outcome
from mintage.certify.evidence import Evidence, Split
from mintage.repo.modelfile import ModelSpec
from mintage.report import certificate_view as view
from mintage.report.estimate import Estimate
from mintage.stats.auc import auc
from mintage.stats.binomial import wilson

__all__ = ["Pictures", "pictures_of"]

_BINS, _POINTS, _MOST_CLASSES = 10, 400, 12


class Pictures(TypedDict, total=False):
    """The parts of a CertificateView that pictures are drawn from."""

    roc: tuple[view.Roc, ...]
    calibration: view.Calibration
    scores: view.Scores
    confusion: view.Confusion
    predicted: view.Predicted
    residuals: view.Residuals


def pictures_of(evidence: Evidence, spec: ModelSpec, outcome: Outcome) -> Pictures:
    """The parts that a model of the task has."""
    split = evidence.holdout
    (target,) = spec.targets
    if evidence.task == "regression":
        return Pictures(predicted=_predicted(split, target), residuals=_residuals(split))
    if evidence.task == "multiclass":
        confidence = split.answers.values.max(axis=1)
        return Pictures(
            confusion=_confusion(split, evidence.classes),
            calibration=_calibration(
                confidence,
                split.answers.labels == split.labels,
                "Mean probability of the class answered",
                "share right",
            ),
        )
    return Pictures(
        roc=(_roc(split, "hold-out", outcome), _roc(evidence.train, "train", outcome)),
        calibration=_calibration(split.scores, np.asarray(split.labels) == 1, "Mean score", "true share"),
        scores=_scores(split, spec),
    )


def _roc(split: Split, sample: str, outcome: Outcome) -> view.Roc:
    order = np.argsort(-split.scores, kind="stable")
    labels, scores = np.asarray(split.labels)[order], split.scores[order]
    last = np.r_[scores[1:] != scores[:-1], True]
    true = np.cumsum(labels)[last] / max(labels.sum(), 1)
    false = np.cumsum(1 - labels)[last] / max((1 - labels).sum(), 1)
    keep = np.unique(np.linspace(0, len(true) - 1, min(len(true), 200)).astype(int))
    points = ((0.0, 0.0), *((float(false[i]), float(true[i])) for i in keep))
    value = float(auc(np.asarray(split.labels), split.scores))
    found = next((r for r in outcome.results if r.check == "F1" and r.interval and r.unit == ""), None)
    shown = sample == "hold-out" and found is not None and found.estimate is not None
    interval = (
        found.interval if found is not None and shown and abs(float(found.estimate or 0) - value) < 1e-9 else None
    )
    estimate = Estimate(value=value, low=interval.low if interval else None, high=interval.high if interval else None)
    return view.Roc(sample="hold-out" if sample == "hold-out" else "train", points=points, auc=estimate)


def _calibration(
    scores: NDArray[np.float64], came_true: NDArray[np.bool_], score_is: str, share_is: str
) -> view.Calibration:
    """Ten bins of equally many rows; the intervals take rows as independent, as the summary says."""
    bins = []
    for rows in np.array_split(np.argsort(scores, kind="stable"), _BINS):
        if len(rows):
            hits = int(came_true[rows].sum())
            interval = wilson(hits, len(rows))
            observed = Estimate(value=hits / len(rows), low=interval.low, high=interval.high)
            bins.append(view.CalibrationBin(predicted=float(scores[rows].mean()), observed=observed, rows=len(rows)))
    summary = (
        f"{score_is} {scores.mean():.3f}, {share_is} {came_true.mean():.3f}. "
        "The bars take rows as independent: with few groups they are too short."
    )
    return view.Calibration(bins=tuple(bins), summary=summary)


def _scores(split: Split, spec: ModelSpec) -> view.Scores:
    edges = np.linspace(0, 1, 41)
    labels = np.asarray(split.labels)
    positives, _ = np.histogram(split.scores[labels == 1], edges)
    negatives, _ = np.histogram(split.scores[labels == 0], edges)
    bins = [
        view.ScoreBin(low=float(low), high=float(high), negatives=int(minus), positives=int(plus))
        for low, high, minus, plus in zip(edges[:-1], edges[1:], negatives, positives, strict=True)
    ]
    (target,) = spec.targets
    return view.Scores(bins=tuple(bins), threshold=spec.threshold, positive=target, negative=f"not {target}")


def _confusion(split: Split, classes: tuple[str, ...]) -> view.Confusion:
    """All classes, or the most common ones and the others as one."""
    count = len(classes)
    pairs = np.bincount(count * np.asarray(split.labels, dtype=np.int64) + split.answers.labels, minlength=count**2)
    table = pairs.reshape(count, count)
    if count > _MOST_CLASSES:
        common = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[: _MOST_CLASSES - 1])
        place = np.full(count, _MOST_CLASSES - 1)
        place[common] = np.arange(len(common))
        small = np.zeros((_MOST_CLASSES, _MOST_CLASSES), dtype=np.int64)
        np.add.at(small, (place[:, None], place[None, :]), table)
        table, classes = small, (*(classes[i] for i in common), f"{count - len(common)} others")
    return view.Confusion(classes=classes, counts=tuple(tuple(map(int, row)) for row in table))


def _predicted(split: Split, target: str) -> view.Predicted:
    true, said = np.asarray(split.labels, dtype=np.float64), split.answers.values
    order = np.argsort(said, kind="stable")
    kept = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _POINTS)).astype(np.intp))]
    return view.Predicted(
        points=tuple(zip(true[kept].tolist(), said[kept].tolist(), strict=True)),
        means=tuple(
            (float(true[rows].mean()), float(said[rows].mean()), len(rows))
            for rows in np.array_split(order, _BINS)
            if len(rows)
        ),
        rows=split.rows,
        target=target,
    )


def _residuals(split: Split) -> view.Residuals:
    """The bins reach as far as 99 % of the rows; the others are in the outer two."""
    apart = np.asarray(split.labels, dtype=np.float64) - split.answers.values
    low, high = np.quantile(apart, [0.005, 0.995])
    edges = np.linspace(low, high, 31) if high > low else np.array([low - 0.5, low + 0.5])
    rows, _ = np.histogram(np.clip(apart, edges[0], edges[-1]), edges)
    bins = [
        view.ResidualBin(low=float(start), high=float(end), rows=int(one))
        for start, end, one in zip(edges[:-1], edges[1:], rows, strict=True)
    ]
    half, most = np.quantile(np.abs(apart), [0.5, 0.9])
    summary = f"Mean {apart.mean():.3g}; half of the rows are within {half:.3g}, nine in ten within {most:.3g}."
    return view.Residuals(bins=tuple(bins), summary=summary)
