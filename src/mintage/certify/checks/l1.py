"""L1, rows of the hold-out that are in training too.

Rows are compared exactly: all input columns, or all of them and the label. The count covers every row, so it has no
sampling error. The metric without the shared rows is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.metric import Metric
from mintage.certify.metric_requirement import MetricRequirement

__all__ = ["CHECK", "SharedRows", "SharedRowsRequirement", "shared_rows"]


class SharedRowsRequirement(MetricRequirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the hold-out may be in training, by ``match``."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.001
    match: Literal["features", "features_and_label"] = "features"


class SharedRows:
    """The check."""

    id = "L1"
    version = 0
    title = "rows shared across the split"
    samples = False
    measured = False
    requirement_type = SharedRowsRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: SharedRowsRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        split, metric = evidence.holdout, requirement.metric_for(evidence.task)
        by_features = shared_rows(evidence.train, split, label=False)
        by_label = shared_rows(evidence.train, split, label=True)
        shared = by_features if requirement.match == "features" else by_label
        before = _value(metric, split, np.ones(split.rows, dtype=bool))
        after = _value(metric, split, ~shared)
        also = f" ({int(shared.sum())} of {split.rows})"
        if shared.any():
            without = "not defined" if after is None else f"{after:.3f}"
            also += f"; {metric.label} without them {without}"
        return conclude(
            self,
            requirement,
            title="share of hold-out rows in training",
            measurement=exact(float(shared.mean()), rows=split.rows),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            details={
                "by features": int(by_features.sum()),
                "by features and label": int(by_label.sum()),
                f"{metric.name} with them": before,
                f"{metric.name} without them": after,
            },
            also=also,
        )


def shared_rows(train: Split, holdout: Split, *, label: bool) -> NDArray[np.bool_]:
    """Which hold-out rows have an equal row in training; missing equals missing, -0.0 equals 0.0."""
    names = sorted(train.columns)
    known = set(_keys(train, holdout, names, label=label, own=True))
    return np.array([key in known for key in _keys(train, holdout, names, label=label, own=False)])


def _keys(train: Split, holdout: Split, names: list[str], *, label: bool, own: bool) -> list[bytes]:
    columns = [_codes(train.columns, holdout.columns, name, own=own) for name in names]
    if label:
        columns.append(_label_codes(train if own else holdout))
    table = np.ascontiguousarray(np.column_stack(columns))
    width = table.shape[1] * table.itemsize
    data = table.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def _label_codes(split: Split) -> NDArray[np.int64]:
    labels = np.asarray(split.labels)
    if split.task != "regression":
        return labels.astype(np.int64)
    return (labels.astype(np.float64) + 0.0).view(np.int64)


def _codes(
    train: Mapping[str, NDArray[Any]], holdout: Mapping[str, NDArray[Any]], name: str, *, own: bool
) -> NDArray[np.int64]:
    """The column as integers that are equal exactly when the values are."""
    column = (train if own else holdout)[name]
    if column.dtype.kind != "O":
        numbers = column.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
        return np.where(np.isnan(numbers), np.nan, numbers).view(np.int64)
    codes = {value: code for code, value in enumerate(sorted({v for v in train[name].tolist() if v is not None}))}
    return np.array([-1 if v is None else codes.get(v, -2) for v in column.tolist()], dtype=np.int64)


def _value(metric: Metric, split: Split, kept: NDArray[np.bool_]) -> float | None:
    if not kept.any():
        return None
    value = metric.value(split.labels[kept], split.answers[kept])
    return None if np.isnan(value) else value


CHECK = SharedRows()
