"""What requirements on a metric have in common: its name, or none for the usual one of the model's task.

A policy is read before it is known what the model does, so a metric that the task does not have is found by
``check_task``, before any check runs.

>>> MetricRequirement(id="gap", check="F5").metric_for("regression").label
'R²'
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.certify.answers import Task
from mintage.certify.check import Requirement
from mintage.certify.metric import Metric, MetricName, find_metric, metrics_of, usual_metric
from mintage.errors import PolicyUnfitError

__all__ = ["MetricRequirement"]


class MetricRequirement(Requirement, frozen=True, kw_only=True):
    """``metric``: by default AUC, of a regression R². ``quantile`` belongs to the pinball loss, which needs it."""

    metric: MetricName | msgspec.UnsetType = msgspec.UNSET
    quantile: Annotated[float, Meta(gt=0, lt=1)] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if (self.metric == "pinball") != isinstance(self.quantile, float):
            raise ValueError("pinball takes `quantile`, and no other metric does")

    def metric_for(self, task: Task) -> Metric:
        """The metric; raises PolicyUnfitError if the task has none of that name."""
        self.check_task(task)
        name = self.metric if isinstance(self.metric, str) else usual_metric(task)
        return find_metric(name, task, quantile=self.quantile if isinstance(self.quantile, float) else 0.5)

    def check_task(self, task: Task) -> None:
        """See Requirement."""
        if isinstance(self.metric, str) and self.metric not in metrics_of(task):
            raise PolicyUnfitError(
                f"the requirement {self.id} asks for a metric that a {task} model does not have",
                expected=", ".join(metrics_of(task)),
                found=self.metric,
                hint="name one of these; docs/spec/policy.md says what each measures",
            )
