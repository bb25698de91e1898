"""Errors of sealed hold-outs."""

from __future__ import annotations

from mintage.errors.tree import IntegrityError, RefusedError

__all__ = [
    "AnotherHolderError",
    "BudgetSpentError",
    "HoldoutHistoryError",
    "HoldoutPassedError",
    "HoldoutRowsChangedError",
    "LabelsSharedError",
    "OpeningReplayedError",
    "PredictionsDifferError",
]


class AnotherHolderError(RefusedError):
    """The labels are encrypted to another key than this machine's, or the holder would judge a model of his own."""

    code = "holdout.another-holder"


class BudgetSpentError(RefusedError):
    """As many openings as the seal allows have been made."""

    code = "holdout.budget-spent"


class HoldoutHistoryError(IntegrityError):
    """Openings, their budget or the order of policy and look are not those that somebody signed or entered before."""

    code = "holdout.history-rewritten"


class HoldoutPassedError(RefusedError):
    """A model has passed on these rows, and its figures are known: they can judge no other."""

    code = "holdout.passed"


class HoldoutRowsChangedError(IntegrityError):
    """The table of the hold-out is not the one that the labels were sealed for."""

    code = "holdout.rows-changed"


class LabelsSharedError(RefusedError):
    """The project has the labels already, so that sealing them would hide nothing."""

    code = "holdout.labels-shared"


class OpeningReplayedError(RefusedError):
    """What was committed has been opened before, or nothing is committed that waits."""

    code = "holdout.already-opened"


class PredictionsDifferError(IntegrityError):
    """The committed answers are not those of the model that they are said to be of."""

    code = "holdout.predictions-differ"
