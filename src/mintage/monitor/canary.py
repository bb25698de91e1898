"""What a canary's predictions came to: per day how many of champion and challenger turned out wrong.

Only days on which the challenger answered count, and only rows whose label is known. The counts go to
:func:`mintage.release.judge.judge`.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mintage.monitor.traffic import Traffic, join_traffic
from mintage.stats.sequential import Block

__all__ = ["canary_blocks"]


def canary_blocks(
    predictions: pa.Table, labels: pa.Table, *, champion: str, challenger: str, as_of: datetime
) -> list[Block]:
    """One block a day, in order, of the two models with these roots."""
    rival = join_traffic(predictions, labels, root=challenger, as_of=as_of)
    stable = join_traffic(predictions, labels, root=champion, as_of=as_of)
    rival_days, rival_wrong = _outcomes(rival)
    stable_days, stable_wrong = _outcomes(stable)
    blocks = []
    for day in np.unique(rival_days):
        mine, theirs = rival_days == day, stable_days == day
        if theirs.any():
            blocks.append(
                Block(
                    stable_rows=int(theirs.sum()),
                    stable_failures=int(stable_wrong[theirs].sum()),
                    canary_rows=int(mine.sum()),
                    canary_failures=int(rival_wrong[mine].sum()),
                )
            )
    return blocks


def _outcomes(traffic: Traffic) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Days of the labelled rows, and whether each decision was wrong."""
    known = ~np.isnan(traffic.labels)
    decisions = traffic.table["label"].to_numpy()
    return traffic.days[known], decisions[known] != traffic.labels[known]
