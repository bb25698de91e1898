"""The three forms that a metric may have, and what each can give: its value, its value in each resample, a closed form.

``Means`` is a function of means of columns over rows (a loss, a rate, a ratio of rates), so a resample costs group sums
only; a rate also tells its hits and trials. ``Area`` is the AUC, of two classes or the mean over several, with its
variance in closed form. ``Sorted`` is a statistic of sorted rows, computed anew for each resample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.stats.auc import auc
from mintage.stats.delong import AucVariances, macro_variances, variances
from mintage.stats.groups import GroupedBootstrap

__all__ = ["Area", "Columns", "Form", "Labels", "Means", "Sorted", "ratio"]

Labels = NDArray[Any]
Numbers = NDArray[np.float64]
Columns = list[Numbers]


class Form(Protocol):
    """What every metric can do."""

    def value(self, labels: Labels, answers: Answers) -> float:
        """The metric on all rows; NaN where it is not defined."""
        ...

    def samples(self, labels: Labels, answers: Answers, bootstrap: GroupedBootstrap) -> Numbers:
        """The metric in each draw; NaN where it is not defined."""
        ...


def ratio(top: Any, bottom: Any) -> Any:
    """``top`` over ``bottom``, NaN where that is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(bottom) > 0, np.divide(top, bottom), np.nan)


@dataclass(frozen=True)
class Means:
    """``finish`` makes the metric from the means of ``columns``; by default the mean of the only one.

    ``rate`` tells hits and trials of each row where the metric is the share of both: its closed form.
    """

    columns: Callable[[Labels, Answers], Columns]
    finish: Callable[[Columns], Any] | None = None
    rate: Callable[[Labels, Answers], tuple[NDArray[np.bool_], NDArray[np.bool_]]] | None = None

    def value(self, labels: Labels, answers: Answers) -> float:
        """See Form."""
        means = [column.mean() for column in self.columns(labels, answers)]
        return float(means[0] if self.finish is None else self.finish(means))

    def samples(self, labels: Labels, answers: Answers, bootstrap: GroupedBootstrap) -> Numbers:
        """See Form."""
        means = bootstrap.mean_columns(self.columns(labels, answers))
        return np.asarray(means[0] if self.finish is None else self.finish(means), dtype=np.float64)

    def counts(self, labels: Labels, answers: Answers) -> tuple[int, int] | None:
        """Hits and trials of a rate; None if it is none."""
        if self.rate is None:
            return None
        hits, trials = self.rate(labels, answers)
        return int(hits.sum()), int(trials.sum())


@dataclass(frozen=True)
class Area:
    """The AUC; of more than two classes the mean of the AUC of each against the rest."""

    def value(self, labels: Labels, answers: Answers) -> float:
        """See Form."""
        return float(np.mean([auc(mine, score) for mine, score in _one_against_rest(labels, answers)]))

    def samples(self, labels: Labels, answers: Answers, bootstrap: GroupedBootstrap) -> Numbers:
        """See Form."""
        each = [bootstrap.aucs(mine, score) for mine, score in _one_against_rest(labels, answers)]
        return each[0] if len(each) == 1 else np.asarray(np.mean(each, axis=0), dtype=np.float64)

    def variances(self, labels: Labels, answers: Sequence[Answers], groups: NDArray[np.intp] | None) -> AucVariances:
        """The AUCs of several answers to the same rows with their covariance in closed form."""
        values = [one.values for one in answers]
        many = answers[0].task == "multiclass"
        return macro_variances(labels, values, groups) if many else variances(labels, values, groups)


@dataclass(frozen=True)
class Sorted:
    """``prepare`` sorts the rows and gives the statistic as a function of how often each row counts."""

    prepare: Callable[[Labels, Answers], Callable[[Numbers], float]]

    def value(self, labels: Labels, answers: Answers) -> float:
        """See Form."""
        return self.prepare(labels, answers)(np.ones(len(labels)))

    def samples(self, labels: Labels, answers: Answers, bootstrap: GroupedBootstrap) -> Numbers:
        """See Form."""
        return bootstrap.each(self.prepare(labels, answers))


def _one_against_rest(labels: Labels, answers: Answers) -> list[tuple[Labels, Numbers]]:
    if answers.task == "binary":
        return [(labels, answers.values)]
    return [(np.asarray(labels) == place, answers.values[:, place]) for place in range(answers.values.shape[1])]
