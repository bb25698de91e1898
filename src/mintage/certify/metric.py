"""The metrics that a policy can name, by task: which way is better, their value, and their value in each resample.

One table a task. Values are scikit-learn's where it has one; where it warns and takes 0 instead (nothing is predicted
positive, a class has no row) there is no value here. ``roc_auc`` and ``f1`` of more than two classes are means over the
classes, each against the rest. Labels of a binary model turn at the model's threshold.

>>> [name for name in metrics_of("regression")]
['r2', 'mae', 'rmse', 'median_ae', 'mape', 'pinball']
>>> higher_is_better("r2"), higher_is_better("mae")
(True, False)
>>> half = find_metric("pinball", "regression", quantile=0.5)
>>> half.value(np.array([1.0, 2.0]), Answers(task="regression", values=np.array([3.0, 2.0])))
0.5
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np

from mintage.certify.answers import Answers, Task
from mintage.certify.metric_form import Area, Columns, Form, Labels, Means, Numbers, Sorted, ratio
from mintage.stats.groups import GroupedBootstrap
from mintage.stats.loss import brier_rows, class_log_loss_rows, log_loss_rows, pinball_rows
from mintage.stats.ranked import SortedMedian, SortedPrecision

__all__ = ["Metric", "MetricName", "find_metric", "higher_is_better", "metrics_of", "usual_metric"]

MetricName = Literal[
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "r2",
    "mae",
    "rmse",
    "median_ae",
    "mape",
    "pinball",
]
_LOSSES: Final = frozenset({"log_loss", "brier", "mae", "rmse", "median_ae", "mape", "pinball"})
_ONE_CLASS: Final = "a class has no row"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of one task: its ``label`` for people, and ``undefined``, why it may have no value."""

    name: MetricName
    label: str
    form: Form
    undefined: str = "a value of it is no number"

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if higher_is_better(self.name) else -1.0

    def value(self, labels: Labels, answers: Answers) -> float:
        """The metric on all rows; NaN where it is not defined."""
        return self.form.value(labels, answers)

    def samples(self, labels: Labels, answers: Answers, bootstrap: GroupedBootstrap) -> Numbers:
        """The metric in each draw; NaN where it is not defined."""
        return self.form.samples(labels, answers, bootstrap)


def higher_is_better(name: MetricName) -> bool:
    """Whether more of the metric is better."""
    return name not in _LOSSES


def metrics_of(task: Task) -> tuple[MetricName, ...]:
    """The names of the metrics that a task has, the usual one first."""
    return tuple(metric.name for metric in _TABLE[task])


def usual_metric(task: Task) -> MetricName:
    """The metric of a requirement that names none."""
    return metrics_of(task)[0]


def find_metric(name: MetricName, task: Task, *, quantile: float = 0.5) -> Metric:
    """The metric of a task; ``quantile`` is that of the pinball loss. Raises KeyError where the task has none."""
    if name == "pinball" and task == "regression":
        form = Means(lambda y, a: [pinball_rows(y, a.values, quantile)])
        return Metric(name=name, label=f"pinball loss at {quantile:g}", form=form)
    return {metric.name: metric for metric in _TABLE[task]}[name]


# -- columns: what is averaged over rows -----------------------------------------------------------


def _right(labels: Labels, answers: Answers) -> Columns:
    return [(answers.labels == labels).astype(np.float64)]


def _all_rows(labels: Labels, answers: Answers) -> tuple[Any, Any]:
    return answers.labels == labels, np.ones(len(labels), dtype=bool)


def _of_predicted(labels: Labels, answers: Answers) -> tuple[Any, Any]:
    predicted = answers.labels == 1
    return predicted & (labels == 1), predicted


def _of_positive(labels: Labels, answers: Answers) -> tuple[Any, Any]:
    return (answers.labels == 1) & (labels == 1), labels == 1


def _both(pair: Any, labels: Labels, answers: Answers) -> Columns:
    return [part.astype(np.float64) for part in pair(labels, answers)]


def _table_of_classes(labels: Labels, answers: Answers) -> Columns:
    """Of each class: right, true and predicted, one after another."""
    found: Columns = []
    predicted = answers.labels
    for place in range(2 if answers.task == "binary" else answers.values.shape[1]):
        true, said = labels == place, predicted == place
        found += [part.astype(np.float64) for part in (true & said, true, said)]
    return found


def _squares(labels: Labels, answers: Answers) -> Columns:
    centred = np.asarray(labels, dtype=np.float64) - np.mean(labels)
    return [np.square(labels - answers.values), centred, np.square(centred)]


def _apart(labels: Labels, answers: Answers) -> Numbers:
    return np.abs(np.asarray(labels, dtype=np.float64) - answers.values)


# -- what is made of the means ---------------------------------------------------------------------


def _mean_recall(means: Columns) -> Any:
    return np.mean([ratio(right, true) for right, true in zip(means[0::3], means[1::3], strict=True)], axis=0)


def _mean_f1(means: Columns) -> Any:
    classes = zip(means[0::3], means[1::3], means[2::3], strict=True)
    return np.mean([ratio(2 * right, true + said) for right, true, said in classes], axis=0)


def _f1(means: Columns) -> Any:
    right, true, said = means[3:]  # of the second class
    return ratio(2 * right, true + said)


def _share(means: Columns) -> Any:
    return ratio(means[0], means[1])


def _explained(means: Columns) -> Any:
    error, mean, square = means
    return 1 - ratio(error, np.maximum(square - np.square(mean), 0.0))


# -- the table -------------------------------------------------------------------------------------

_ACCURACY: Final = Metric(name="accuracy", label="accuracy", form=Means(_right, rate=_all_rows))
_BALANCED: Final = Metric(
    name="balanced_accuracy",
    label="balanced accuracy",
    form=Means(_table_of_classes, _mean_recall),
    undefined=_ONE_CLASS,
)
_TABLE: Final[Mapping[Task, tuple[Metric, ...]]] = {
    "binary": (
        Metric(name="roc_auc", label="AUC", form=Area(), undefined="all rows have one class"),
        Metric(
            name="average_precision",
            label="average precision",
            form=Sorted(lambda y, a: SortedPrecision(y, a.values).value),
            undefined="no row is positive",
        ),
        Metric(name="log_loss", label="log-loss", form=Means(lambda y, a: [log_loss_rows(y, a.values)])),
        Metric(name="brier", label="Brier score", form=Means(lambda y, a: [brier_rows(y, a.values)])),
        _ACCURACY,
        _BALANCED,
        Metric(name="f1", label="F1", form=Means(_table_of_classes, _f1), undefined="no row is positive or called so"),
        Metric(
            name="precision",
            label="precision",
            form=Means(partial(_both, _of_predicted), _share, rate=_of_predicted),
            undefined="no row is called positive",
        ),
        Metric(
            name="recall",
            label="recall",
            form=Means(partial(_both, _of_positive), _share, rate=_of_positive),
            undefined="no row is positive",
        ),
    ),
    "multiclass": (
        Metric(name="roc_auc", label="macro AUC", form=Area(), undefined=_ONE_CLASS),
        Metric(name="log_loss", label="log-loss", form=Means(lambda y, a: [class_log_loss_rows(y, a.values)])),
        _ACCURACY,
        _BALANCED,
        Metric(name="f1", label="macro F1", form=Means(_table_of_classes, _mean_f1), undefined=_ONE_CLASS),
    ),
    "regression": (
        Metric(name="r2", label="R²", form=Means(_squares, _explained), undefined="all rows have one value"),
        Metric(name="mae", label="mean absolute error", form=Means(lambda y, a: [_apart(y, a)])),
        Metric(
            name="rmse",
            label="root mean squared error",
            form=Means(lambda y, a: [np.square(y - a.values)], lambda means: np.sqrt(means[0])),
        ),
        Metric(
            name="median_ae",
            label="median absolute error",
            form=Sorted(lambda y, a: SortedMedian(_apart(y, a)).value),
        ),
        Metric(
            name="mape",
            label="mean absolute percentage error",
            form=Means(lambda y, a: [ratio(_apart(y, a), np.abs(y))]),
            undefined="a true value is 0",
        ),
        Metric(name="pinball", label="pinball loss", form=Means(lambda y, a: [pinball_rows(y, a.values, 0.5)])),
    ),
}
