"""Time the search for weak slices (check S1): 14 columns, 16,281 rows, all slices of two conditions.

No peer with valid error control is known to install beside it: the row names what is measured, and on what machine.
Run ``python -m bench.slices`` or ``python bench/slices.py``; prints JSON.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time

import numpy as np

from mintage.certify.answers import Answers
from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.slices import Rows, code_columns, scan_size
from mintage.certify.weak import Search, halves, hits_of, strata_of

ROWS, NUMBERS, TEXTS, TIMES = 16_281, 6, 8, 7


def main() -> None:
    """Search ``TIMES`` times on independent errors, and tell the seconds."""
    rng = np.random.default_rng(1)
    columns = {f"n{place}": rng.normal(size=ROWS) for place in range(NUMBERS)}
    texts = np.array(list("abcdefgh"), dtype=object)
    columns |= {f"t{place}": rng.choice(texts[: 2 + place], ROWS) for place in range(TEXTS)}
    scores = rng.random(ROWS)
    labels = (rng.random(ROWS) < scores).astype(np.int64)
    split = Split(
        name="hold-out", columns=columns, labels=labels, answers=Answers(task="binary", values=scores), groups=None
    )
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        coded = code_columns(columns, columns)
        confirming, groups = halves(split, np.random.default_rng(2))
        rows = Rows(hits=hits_of(labels, split.answers), strata=strata_of(split.answers))
        resampling = Resampling(confidence=0.95, draws=4000, seed=0)
        search = Search(
            columns=coded, confirming=confirming, groups=groups, min_rows=163, ratio=1.25, q=0.1, resampling=resampling
        )
        found = len(search.weak(rows))
        seconds.append(round(time.perf_counter() - started, 4))
    result = {
        "what": "search for weak slices, one search, no weak slice there",
        "rows": ROWS,
        "columns": len(columns),
        "slices": scan_size(coded),
        "found": found,
        "seconds": {"min": min(seconds), "median": statistics.median(seconds), "max": max(seconds)},
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
    }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
