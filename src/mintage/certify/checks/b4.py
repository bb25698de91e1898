"""B4, edge cases: the model answers, or refuses as its signature says it does; it never breaks.

Each input takes seven levels: least, 1st percentile, median, 99th percentile, largest, missing, and one never seen. The
rows hold each level of each input alone, among medians, and every two levels of every two inputs together. A level that
the signature refuses alone is left out of the pairs: it would hide what else is in its row. Rows that the model file
says are impossible are not asked, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, example_of
from mintage.certify.impossible import impossible_rows
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.probing import not_served, take
from mintage.certify.served import Columns, Served
from mintage.repo.modelfile import InputSpec
from mintage.stats.covering import covering_rows

__all__ = ["CHECK", "EdgeCases", "levels_of"]

_LEVELS = ("least", "1st percentile", "median", "99th percentile", "largest", "missing", "never seen")
_MEDIAN = _LEVELS.index("median")
_UNSEEN = "never-seen-before"
_MOST_ONE_BY_ONE = 2_500


class EdgeCases:
    """The check."""

    id = "B4"
    version = 0
    title = "edge cases"
    samples = False
    measured = False
    requirement_type = Requirement

    def run(
        self, evidence: Evidence, requirement: Requirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Ask all rows of the array, and count those that break the model."""
        served, train = evidence.served, evidence.train.columns
        if served is None:
            return not_served(self, requirement)
        names = sorted(train)
        levels = {name: levels_of(train[name], evidence.inputs.get(name)) for name in names}
        chosen = _rows(served, levels)
        left_out = impossible_rows(evidence.conditions, _columns(levels, chosen))
        chosen = chosen[~left_out]
        columns = _columns(levels, chosen)
        accepted = served.accepts(columns)
        if not accepted.any():
            return not_served(self, requirement)
        asked = take(columns, np.flatnonzero(accepted))
        broken = _broken(served, asked)
        details: dict[str, float | int | str | bool | None] = {
            "rows": len(chosen),
            "answered": int(accepted.sum()) - len(broken),
            "refused by the signature": int((~accepted).sum()),
        }
        if left_out.any():
            details["impossible, not asked"] = int(left_out.sum())
        also = f"; {details['rows']:,} rows, {details['answered']:,} answered, the rest refused by the signature"
        if broken:
            place, said = broken[0]
            row = chosen[np.flatnonzero(accepted)[place]]
            details["broken by"] = said
            details["broken row"] = ", ".join(
                f"{name} {_LEVELS[level]}" for name, level in zip(names, row, strict=True)
            )
            also += f"; first: {said}"
        return conclude(
            self,
            requirement,
            title="edge rows that break the model",
            measurement=exact(float(len(broken)), rows=len(chosen)),
            gate=Gate(direction="at_most", threshold=0.0),
            details=details,
            also=also,
            examples=[
                example_of(asked, place, of="made", answered=said, expected="an answer")
                for place, said in broken[:MOST_EXAMPLES]
            ],
        )


def _rows(served: Served, levels: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """The level of each input in each row."""
    count = len(levels)
    alone = np.full((count * len(_LEVELS), count), _MEDIAN)
    places = np.arange(len(alone))
    alone[places, places // len(_LEVELS)] = places % len(_LEVELS)
    let_in = served.accepts(_columns(levels, alone)).reshape(count, len(_LEVELS))
    pairs = covering_rows(columns=count, prime=len(_LEVELS))
    return np.concatenate([alone, np.where(let_in[np.arange(count), pairs], pairs, _MEDIAN)])


def _columns(levels: Mapping[str, NDArray[Any]], chosen: NDArray[np.int64]) -> Columns:
    return {name: values[chosen[:, place]] for place, (name, values) in enumerate(levels.items())}


def levels_of(column: NDArray[Any], declared: InputSpec | None) -> NDArray[Any]:
    """The seven values of an input: of the declared range where there is one, else of the training rows."""
    if column.dtype.kind == "O":
        known = [value for value in column.tolist() if value is not None] or [""]
        values, counts = np.unique(np.array(known, dtype=str), return_counts=True)
        by = values[np.argsort(counts, kind="stable")].tolist()
        found = np.empty(len(_LEVELS), dtype=object)
        found[:] = [by[0], by[len(by) // 4], by[len(by) // 2], by[-1], "", None, _UNSEEN]
        return found
    inside = column[~np.isnan(column)]
    low, first, middle, last, high = (
        np.quantile(inside, [0, 0.01, 0.5, 0.99, 1], method="nearest").tolist() if len(inside) else [0.0] * 5
    )
    if declared is not None and declared.range is not None:
        low = low if declared.range[0] is None else declared.range[0]
        high = high if declared.range[1] is None else declared.range[1]
    beyond = high + max(abs(high - low), 1.0)
    return np.array([low, first, middle, last, high, np.nan, beyond])


def _broken(served: Served, columns: Columns) -> list[tuple[int, str]]:
    """Which rows raise or answer no number, and what was said. Rows are asked alone; many are asked by halves."""
    rows = len(next(iter(columns.values())))
    if rows > _MOST_ONE_BY_ONE and _said(served, columns) is None:
        return []
    found = []
    for place in range(rows):
        said = _said(served, take(columns, np.array([place])))
        if said is not None:
            found.append((place, said))
    return found


def _said(served: Served, columns: Columns) -> str | None:
    try:
        served.ask_anew(columns)
    except Exception as error:  # noqa: BLE001 - whatever the model does here is what is looked for
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return None


CHECK = EdgeCases()
