"""Measure retrained models: the metric with which a retrained model is told from one that knows nothing, its level by
chance, and on which rows.

AUC, whose chance is 0.5 whatever the model is like; of a regression the correlation of answers and truth, whose chance
is 0, where R² is below 0 for a model that learnt noise by heart and so would hide what else it knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mintage.certify.answers import Task
from mintage.certify.evidence import Evidence, Split
from mintage.certify.metric import Metric, find_metric
from mintage.certify.metric_form import Columns, Means
from mintage.certify.retraining import Retrained

__all__ = ["chance_of", "judging_split", "recorded_split", "remade_split", "skill_metric"]


def skill_metric(task: Task) -> Metric:
    """The metric that tells skill from chance."""
    if task != "regression":
        return find_metric("roc_auc", task)
    return Metric(name="r2", label="correlation", form=Means(_moments, _correlation), undefined="a truth is constant")


def chance_of(task: Task) -> float:
    """What a model without skill reaches in ``skill_metric``."""
    return 0.0 if task == "regression" else 0.5


def recorded_split(evidence: Evidence, retrained: Retrained) -> Split:
    """The recorded hold-out with the retrained model's answers."""
    return replace(evidence.holdout, answers=retrained.recorded)


def remade_split(evidence: Evidence, retrained: Retrained) -> Split | None:
    """The hold-out that the changed pipeline made, with the retrained model's answers; None if it made none."""
    made = retrained.remade
    if made is None:
        return None
    return Split(name=evidence.holdout.name, columns={}, labels=made.labels, answers=made.answers, groups=made.groups)


def judging_split(evidence: Evidence, retrained: Retrained) -> Split:
    """The hold-out that judges the retrained model: that of its own pipeline, for another may have rows that it saw."""
    return remade_split(evidence, retrained) or recorded_split(evidence, retrained)


def _moments(labels: Any, answers: Any) -> Columns:
    """Of truth and answer, both centred: values, squares and products."""
    truth = np.asarray(labels, dtype=np.float64) - np.mean(labels)
    said = answers.values - np.mean(answers.values)
    return [truth, said, truth * truth, said * said, truth * said]


def _correlation(means: Columns) -> Any:
    """A model that answers the same to all rows knows nothing: 0."""
    truth, said, truth_squares, said_squares, products = means
    spread = np.maximum(truth_squares - truth**2, 0) * np.maximum(said_squares - said**2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (products - truth * said) / np.sqrt(spread), 0.0)
