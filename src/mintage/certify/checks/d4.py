"""D4, training labels that contradict each other, or that a model of the other rows finds wrong. For classifiers.

The estimate is confident learning's (Northcutt and others 2021): a row counts whose label is not the class that boosted
trees of other folds give it, with a probability over the mean that this class has among its own rows. Where classes
overlap, right labels look wrong to it: so a small estimate passes, and a large one fails only if rows that are equal
in all inputs have different labels so often too; else it is INCONCLUSIVE, and the rows are worth a look. Where inputs
are so coarse that many rows are equal by chance, people who are alike may differ, and equal rows prove nothing.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.baseline_columns import as_numbers, with_numbers
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.equal_rows import row_codes
from mintage.certify.evidence import Evidence, Split
from mintage.certify.folds import fold_of
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, without_number
from mintage.certify.scikit import open_scikit
from mintage.certify.share import measure_share

__all__ = ["CHECK", "LabelErrors", "LabelErrorsRequirement", "are_equal_by_chance", "contradicted", "suspected"]

_FOLDS = 4
_COPIES, _MOST_BY_CHANCE = 3, 0.1


class LabelErrorsRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the training rows may have a label that looks wrong."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.03


class LabelErrors:
    """The check."""

    id = "D4"
    version = 2
    title = "labels that look wrong"
    samples = True
    measured = False
    requirement_type = LabelErrorsRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: LabelErrorsRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        train = evidence.train
        if evidence.task == "regression":
            reason = "labels of a regression are numbers, of which this cannot tell what is wrong"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        rows = suspected(_answers(train, classes=len(evidence.classes), seed=resampling.seed), train.labels)
        codes = row_codes(train, train, label=False)[0]
        against = contradicted(codes, train.labels)
        gate = Gate(direction="at_most", threshold=requirement.max_share)
        result = conclude(
            self,
            requirement,
            title="share of training labels that look wrong",
            measurement=measure_share(rows, train, resampling, most=requirement.max_share),
            gate=gate,
            needed_unit=train.unit if rows.any() else "rows",
            details={"rows that look wrong": int(rows.sum()), "rows that equal rows contradict": int(against.sum())},
            also=f"; {int(against.sum()):,} are contradicted by equal rows",
        )
        proven = measure_share(against, train, resampling).interval
        by_chance = are_equal_by_chance(codes)
        if result.verdict != "FAIL" or (proven is not None and not gate.met_by(proven.low) and not by_chance):
            return result
        why = "rows are equal by chance here" if by_chance else "classes that overlap look the same"
        reason = f"{result.reason}: {why}, so look at some of the rows"
        # what is not shown to be wrong is not called so; the gate would
        return msgspec.structs.replace(result, verdict="INCONCLUSIVE", interval=None, reason=reason)


def suspected(values: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which rows have another label than the class that they are confidently of: probabilities [N, K], out of fold.

    >>> values = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]])
    >>> suspected(values, np.array([0, 0, 1, 1, 0])).tolist()
    [False, False, False, False, True]
    """
    usual = np.array(
        [
            values[labels == place, place].mean() if (labels == place).any() else np.inf
            for place in range(values.shape[1])
        ]
    )
    confident = np.where(values >= usual, values, -1.0)
    best = confident.argmax(axis=1)
    return np.asarray((confident.max(axis=1) >= 0) & (best != labels))


def contradicted(codes: NDArray[np.int64], labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which rows have a label that is not the most common one of the rows that are equal to them; of two that are
    equally common one is wrong, and the later class is taken for it.

    >>> contradicted(np.array([0, 0, 0, 1, 2, 2]), np.array([1, 1, 0, 0, 0, 1])).tolist()
    [False, False, True, False, False, True]
    """
    counts = np.zeros((int(codes.max()) + 1, int(labels.max()) + 1), dtype=np.intp)
    np.add.at(counts, (codes, labels), 1)
    return np.asarray(labels != counts.argmax(axis=1)[codes])


def are_equal_by_chance(codes: NDArray[np.int64]) -> bool:
    """Whether over a tenth of the rows have three or more others that are equal to them: those are no copies.

    >>> are_equal_by_chance(np.array([0, 0, 1, 1, 2, 2])), are_equal_by_chance(np.array([0, 0, 0, 0, 1, 2]))
    (False, True)
    """
    counts = np.bincount(codes)
    return bool((counts[codes] > _COPIES).mean() > _MOST_BY_CHANCE)


def _answers(train: Split, *, classes: int, seed: int) -> NDArray[np.float64]:
    """The probability of each class for each row, by boosted trees of the other folds."""
    table, _ = as_numbers(train.columns, train.columns)
    folds = fold_of(train.groups, rows=train.rows, count=_FOLDS, seed=seed)
    tools = open_scikit("finding labels that look wrong needs")
    found = np.tile(np.bincount(train.labels, minlength=classes) / train.rows, (train.rows, 1))
    with tools.one_thread():
        for fold in np.unique(folds):
            mine, rest = folds == fold, folds != fold
            if len(np.unique(train.labels[rest])) > 1:
                model = tools.boosted_trees(max_iter=60, max_depth=3, early_stopping=False, random_state=seed % 2**32)
                able = with_numbers(table, rest)
                model.fit(able[rest], train.labels[rest])
                each = np.zeros((int(mine.sum()), classes))
                each[:, model.classes_.astype(np.intp)] = model.predict_proba(able[mine])
                found[mine] = each
    return found


CHECK = LabelErrors()
