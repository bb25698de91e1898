"""Times two searches of certification: weak slices (check S1) and covered combinations (check D2). Used by certify.py.

The slices' peer is sliceline, asked for the same slices of two conditions of the same rows. It has no statistics of its
own, so it does less.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mintage.certify.answers import Answers
from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.slices import Coded, Rows, code_columns, scan_size
from mintage.certify.weak import Search, halves, hits_of, strata_of
from mintage.stats.cells import cells_of, count_cells

__all__ = ["cells", "slices"]

_ROWS, _LEAST = 16_281, 163
_PEER = Path(__file__).with_name("peer_sliceline.py")


def slices(*, numbers: int, texts: int, times: int, peer: str | None = None) -> dict[str, Any]:
    """Search for weak slices where there is none, in ``numbers`` and ``texts`` columns; ``peer`` is a Python that has
    sliceline."""
    rng = np.random.default_rng(1)
    columns = {f"n{place}": rng.normal(size=_ROWS) for place in range(numbers)}
    values = np.array(list("abcdefgh"), dtype=object)
    columns |= {f"t{place}": rng.choice(values[: 2 + place % 7], _ROWS) for place in range(texts)}
    scores = rng.random(_ROWS)
    labels = (rng.random(_ROWS) < scores).astype(np.int64)
    split = Split(name="hold-out", columns=columns, labels=labels, answers=Answers(task="binary", values=scores))
    found = [0]

    def search() -> None:
        coded = code_columns(columns, columns)
        confirming, groups = halves(split, np.random.default_rng(2))
        rows = Rows(hits=hits_of(labels, split.answers), strata=strata_of(split.answers))
        each = Resampling(confidence=0.95, draws=4000, seed=0)
        one = Search(
            columns=coded, confirming=confirming, groups=groups, min_rows=_LEAST, ratio=1.25, q=0.1, resampling=each
        )
        found[0] = len(one.weak(rows))

    coded = code_columns(columns, columns)
    figures = {"rows": _ROWS, "columns": len(columns), "slices": scan_size(coded), **_timed(search, times)}
    figures["found"] = found[0]
    if peer is not None:
        figures["sliceline"] = _ask_peer(peer, coded, hits_of(labels, split.answers))
        if "median" in figures["sliceline"]:
            figures["ratio"] = round(figures["sliceline"]["processor_s"] / figures["processor_s"], 1)
    return figures


def cells(*, times: int) -> dict[str, Any]:
    """Count the covered combinations of three columns' levels: about 100,000 of 14 columns."""
    rng = np.random.default_rng(1)
    sizes = [5] * 6 + [2, 3, 5, 7, 8, 9, 14, 16]
    train, others = ([rng.integers(0, size, rows) for size in sizes] for rows in (2 * _ROWS, _ROWS))
    count = cells_of(sizes, 3)
    found = _timed(lambda: count_cells(train, others, sizes=sizes, domains=sizes, ways=3, times=1), times)
    return {"rows": 3 * _ROWS, "columns": len(sizes), "cells": count, **found}


def _timed(call: Callable[[], object], times: int) -> dict[str, Any]:
    seconds, processor = [], []
    for _ in range(times):
        started, used = time.perf_counter(), time.process_time()
        call()
        seconds.append(round(time.perf_counter() - started, 4))
        processor.append(round(time.process_time() - used, 4))
    return {"median": statistics.median(seconds), "processor_s": statistics.median(processor), "seconds": seconds}


def _ask_peer(python: str, coded: list[Coded], hits: np.ndarray[Any, Any]) -> dict[str, Any]:

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        np.savez(path, codes=np.column_stack([column.codes for column in coded]), hits=hits)
        command = [python, str(_PEER), str(path), str(_LEAST)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"failed": (done.stderr.strip().splitlines() or ["?"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found
