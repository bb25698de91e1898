"""Predictions joined with what became of them: the rows that a look at a model may use.

``join_traffic`` takes the prediction log and the labels as they are on disk and keeps what was known at ``as_of``: rows
of the model's own root whose event was before it, labels observed at it or before. A row logged twice counts once
(the later one). Rows stay Arrow columns; ``inputs`` turns some of them into what a model or a profile takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mintage.errors import TrafficInvalidError
from mintage.monitor.labels import latest_labels

__all__ = ["Traffic", "join_traffic"]

_NEEDED = ("request_id", "row", "ts", "event_time", "model_root", "score")
_PREFIX = "f."


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Rows in order of their event. ``days`` is datetime64[D]; ``labels`` is NaN where none is known yet.

    ``repeated`` rows of the log were left out as logged twice, ``unmatched`` labels belong to none of these rows.
    """

    days: NDArray[np.datetime64]
    scores: NDArray[np.float64]
    labels: NDArray[np.float64]
    table: pa.Table
    repeated: int
    unmatched: int

    def __len__(self) -> int:
        return len(self.days)

    def only(self, rows: NDArray[np.bool_]) -> Traffic:
        """The rows for which ``rows`` is true."""
        return replace(
            self,
            days=self.days[rows],
            scores=self.scores[rows],
            labels=self.labels[rows],
            table=self.table.filter(pa.array(rows)),
        )

    def column(self, name: str) -> pa.ChunkedArray:
        """One logged input; raises TrafficInvalidError if the log has none of that name."""
        full = _PREFIX + name
        if full not in self.table.column_names:
            raise TrafficInvalidError(f"the prediction log has no input {name}", expected=f"a column {full}")
        return self.table[full]

    def inputs(self, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Input columns: float64 with NaN for missing, or object arrays of str and None."""
        return {name: _as_array(self.column(name)) for name in names}


def join_traffic(predictions: pa.Table, labels: pa.Table, *, root: str, as_of: datetime) -> Traffic:
    """The rows that model ``root`` predicted before ``as_of`` with the labels known then.

    An event's time is ``event_time``, else the time of the request. Raises TrafficInvalidError if the log lacks a
    column or has a score that is no probability.
    """
    missing = [name for name in _NEEDED if name not in predictions.column_names]
    if missing:
        raise TrafficInvalidError(
            f"the prediction log lacks {', '.join(missing)}", expected="the columns of docs/spec/prediction-log.md"
        )
    event = pc.coalesce(predictions["event_time"], predictions["ts"].cast(pa.timestamp("us")))
    before = pc.less(event, pa.scalar(as_of.replace(tzinfo=None), pa.timestamp("us")))
    keep = pc.and_(pc.equal(predictions["model_root"], root), before)
    rows = predictions.append_column("event", event).filter(keep)
    logged = rows.num_rows
    rows = _once(rows)
    rows = rows.take(pc.sort_indices(rows, sort_keys=[("event", "ascending"), ("request_id", "ascending")]))
    scores = rows["score"].to_numpy()
    if scores.size and not ((scores >= 0) & (scores <= 1)).all():
        raise TrafficInvalidError("a logged score is no probability", expected="0 to 1")
    known = latest_labels(labels, as_of=as_of)
    values = _labels_of(rows, known)
    return Traffic(
        days=rows["event"].cast(pa.date32()).to_numpy().astype("datetime64[D]"),
        scores=scores,
        labels=values,
        table=rows,
        repeated=logged - rows.num_rows,
        unmatched=known.num_rows - int(np.isfinite(values).sum()),
    )


def _once(rows: pa.Table) -> pa.Table:
    """Each request's row once: the one logged last."""
    keyed = rows.select(["request_id", "row"]).append_column("place", pa.array(np.arange(rows.num_rows)))
    if rows.num_rows == 0:
        return rows
    order = pc.sort_indices(rows, sort_keys=[("ts", "ascending")])
    keyed = keyed.take(order).set_column(2, "place", pa.array(np.arange(rows.num_rows)))
    last = keyed.group_by(["request_id", "row"], use_threads=False).aggregate([("place", "max")])["place_max"]
    return rows if len(last) == rows.num_rows else rows.take(pc.take(order, last))


def _labels_of(rows: pa.Table, known: pa.Table) -> NDArray[np.float64]:
    """The label of each row, NaN without one."""
    values = np.full(rows.num_rows, np.nan)
    if not known.num_rows or not rows.num_rows:
        return values
    left = rows.select(["request_id", "row"]).append_column("place", pa.array(np.arange(rows.num_rows)))
    joined = left.join(known.select(["request_id", "row", "label"]), ["request_id", "row"], join_type="inner")
    values[joined["place"].to_numpy()] = joined["label"].to_numpy()
    return values


def _as_array(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_dictionary(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
