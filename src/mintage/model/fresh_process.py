"""A process that loads a model and answers its golden rows, for who measures what that takes: ``python -m``, a folder.

It prints two lines of JSON: one as soon as the first answer is there, one with the rows that it then answered a second
in batches (the best of a few), and the most memory that it held. Times of its start are for the parent to take.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from mintage.model.package import open_package

__all__ = ["main"]

_BATCH, _BATCHES = 4096, 5


def main(folder: str) -> None:
    """Load, answer, time, print."""
    package = open_package(Path(folder))
    predictor, columns = package.predictor(), package.golden.columns
    predictor.predict({name: column[:1] for name, column in columns.items()})
    _say({"answered": True})
    places = np.resize(np.arange(len(package.golden.labels)), _BATCH)
    batch = {name: column[places] for name, column in columns.items()}
    seconds = []
    for _ in range(_BATCHES):
        start = time.perf_counter()
        predictor.predict(batch)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bytes_each = 1 if sys.platform == "darwin" else 1024
    _say({"rows_per_s": _BATCH / min(seconds), "peak_bytes": peak * bytes_each})


def _say(value: dict[str, float | bool]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
