"""What certification asks of a pipeline: train the model again with one thing changed, and say what comes out.

The face fills ``Retraining``; ``certify.stage_retraining`` has the way by a project's own stages. Without one, the
checks that need it are INCONCLUSIVE. Time is the business of who fills it: a check names a budget, and is told where it
ended.

>>> label_exchanged = Change(kind="exchange", column="late", number=1)
>>> label_exchanged.words
'with the values of late exchanged between rows'
>>> Change(kind="seed", number=3).words
'with seed 3'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from numpy.typing import NDArray

from mintage.certify.answers import Answers

__all__ = ["Change", "Remade", "Retrained", "Retraining", "Retrainings"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The one thing that is changed.

    ``nothing``; ``exchange``: the values of ``column`` are exchanged between the rows of each table that has it, at the
    place where the pipeline first reads it; ``half``: half the groups are left out of the training table, if a stage
    reads it, else of each table that has ``column`` but the hold-out; ``seed``: each stage gets ``number`` as its seed.
    ``number`` tells several of one kind apart.
    """

    kind: Literal["nothing", "exchange", "half", "seed"]
    column: str | None = None
    number: int = 0

    @property
    def words(self) -> str:
        """The change in words, for people."""
        return {
            "nothing": "as it was recorded",
            "exchange": f"with the values of {self.column} exchanged between rows",
            "half": "with half of the rows",
            "seed": f"with seed {self.number}",
        }[self.kind]


@dataclass(frozen=True, kw_only=True)
class Remade:
    """Another hold-out than the recorded one, which the changed pipeline made: its labels and groups, and the answers
    of the model that was retrained with it."""

    labels: NDArray[Any]
    answers: Answers
    groups: NDArray[Any] | None


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """One retrained model: its answers to the ``recorded`` hold-out, and the hold-out that was ``remade``, if one was.

    ``is_same``: the estimator's file has the recorded bytes.
    """

    recorded: Answers
    remade: Remade | None
    is_same: bool


@dataclass(frozen=True, kw_only=True)
class Retrainings:
    """Those that were done, in order; ``why`` there are no more than that, with a ``hint``, if some are missing."""

    done: tuple[Retrained, ...]
    why: str | None = None
    hint: str | None = None


class Retraining(Protocol):
    """Trains one model again."""

    def retrain(self, changes: Sequence[Change], *, seed: int, budget_s: float) -> Retrainings:
        """The model retrained with each of ``changes`` in turn, all drawn from ``seed``, in at most ``budget_s``.

        It stops at the first that fails or is not done in time. What was done once is not done again.
        """
        ...
