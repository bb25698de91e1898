"""The metrics that a policy can name: which way is better, their value, and their value in each resample."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mintage.stats.auc import auc
from mintage.stats.groups import GroupedBootstrap
from mintage.stats.loss import brier_rows, log_loss_rows

__all__ = ["MetricName", "higher_is_better", "metric_label", "metric_samples", "metric_value"]

MetricName = Literal["roc_auc", "log_loss", "brier"]
_LABELS: dict[MetricName, str] = {"roc_auc": "AUC", "log_loss": "log-loss", "brier": "Brier score"}
_Scores = NDArray[np.float64]


def metric_label(name: MetricName) -> str:
    """The metric's name for people."""
    return _LABELS[name]


def higher_is_better(name: MetricName) -> bool:
    """Whether more of the metric is better."""
    return name == "roc_auc"


def metric_value(name: MetricName, labels: NDArray[Any], scores: _Scores) -> float:
    """The metric on all rows; NaN for the AUC of one class."""
    if name == "roc_auc":
        return auc(labels, scores)
    return float(_rows(name, labels, scores).mean())


def metric_samples(name: MetricName, labels: NDArray[Any], scores: _Scores, bootstrap: GroupedBootstrap) -> _Scores:
    """The metric in each draw; NaN for the AUC of a draw with one class."""
    if name == "roc_auc":
        return bootstrap.aucs(labels, scores)
    return bootstrap.means(_rows(name, labels, scores))


def _rows(name: MetricName, labels: NDArray[Any], scores: _Scores) -> _Scores:
    return log_loss_rows(labels, scores) if name == "log_loss" else brier_rows(labels, scores)
