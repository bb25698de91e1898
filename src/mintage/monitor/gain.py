"""What a retrain would gain: the champion's loss minus a candidate's, row by row, on days that neither has seen.

The level of the loss swings with the days; the difference of two models on the same rows swings far less, so it can
tell what the level cannot. Days are resampled whole, and with few of them the interval is widened (expanded
percentile); ``sufficient`` needs at least eight days and as many as the interval's level can be reached with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mintage.errors import CandidateInvalidError
from mintage.monitor.evidence import CandidatePlan, Gain
from mintage.stats.groups import GroupedBootstrap, expanded_percentile, is_reachable

__all__ = ["Candidate", "CandidateMaker", "candidate_scores", "measure_gain"]

LEAST_DAYS = 8
LEAST_ROWS = 200


class Candidate(Protocol):
    """A model trained to find out whether a retrain pays. ``identity`` names it for the record (a digest, say)."""

    @property
    def identity(self) -> str: ...

    def score(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Probabilities of the positive class: columns are float64 (NaN is missing) or objects of str and None."""
        ...


CandidateMaker = Callable[[CandidatePlan], Candidate]
"""Trains a candidate by a plan; it must use no row of a day after ``plan.train_until``."""


def candidate_scores(candidate: Candidate, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float64]:
    """The candidate's probabilities for ``rows`` rows, checked; raises CandidateInvalidError."""
    scores = np.asarray(candidate.score(columns), dtype=np.float64)
    if scores.shape != (rows,) or not ((scores >= 0) & (scores <= 1)).all():
        raise CandidateInvalidError(
            f"the candidate {candidate.identity} gave no probability for each row",
            expected=f"{rows} numbers from 0 to 1",
            found=f"shape {scores.shape}",
        )
    return scores


def measure_gain(
    *,
    candidate: str,
    plan: CandidatePlan,
    champion_losses: NDArray[np.float64],
    candidate_losses: NDArray[np.float64],
    days: NDArray[Any],
    seed: int,
    draws: int,
) -> Gain:
    """The gain a prediction with its limits, from paired losses on the plan's evaluation days (at least two)."""
    differences = champion_losses - candidate_losses
    bootstrap = GroupedBootstrap(days, seed=seed, draws=draws)
    means = bootstrap.means(differences)
    estimate = float(differences.mean())
    one_sided = expanded_percentile(means, estimate, groups=bootstrap.groups, confidence=0.90)
    return Gain(
        candidate=candidate,
        plan=plan,
        rows=len(differences),
        days=bootstrap.groups,
        champion_loss=float(champion_losses.mean()),
        candidate_loss=float(candidate_losses.mean()),
        estimate=estimate,
        lower=one_sided.low,
        interval=expanded_percentile(means, estimate, groups=bootstrap.groups, confidence=0.95),
        sufficient=(
            bootstrap.groups >= LEAST_DAYS
            and len(differences) >= LEAST_ROWS
            and is_reachable(bootstrap.groups, 0.90, draws)
        ),
    )
