"""One function of the user's file, by its name: a value for each row, one number, or counter-examples.

``number`` is called again for each resample of the hold-out: groups are drawn with replacement, rows where there are
none. What comes of it is told as it is; the interval and the verdict are made elsewhere.
"""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["KINDS", "judge_rows"]

KINDS = ("per_row", "number", "counter_examples")
_STREAM = 31
_SHOWN, _TEXT, _MOST = 5, 400, 1_000_000


def judge_rows(module: Any, holdout: Any, data: Any, job: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the file found: for result.json, and the arrays for result.npz."""
    kinds = [kind for kind in KINDS if callable(getattr(module, kind, None))]
    if len(kinds) != 1:
        raise TypeError(f"the file must define one function of {', '.join(KINDS)}; it defines {len(kinds)}")
    function, kind = getattr(module, kinds[0]), kinds[0]
    found: dict[str, Any] = {"kind": kind, "title": _title(module, function, job["path"])}
    arrays: dict[str, Any] = {}
    if kind == "per_row":
        values = np.asarray(function(holdout, data), dtype=np.float64)
        if values.shape != (len(holdout),):
            raise ValueError(f"per_row gave the shape {list(values.shape)}, not one value for {len(holdout)} rows")
        arrays["values"] = values
    elif kind == "number":
        found["estimate"] = _finite_or_none(float(function(holdout, data)))
        arrays["values"] = _resampled(function, holdout, data, job)
    else:
        found |= _examples(function(holdout, data))
    return found, arrays


def _title(module: Any, function: Any, path: str) -> str:
    """The file's TITLE, else the first line of the function's docstring, else the file's name."""
    text = getattr(module, "TITLE", None) or inspect.getdoc(function) or Path(path).stem.replace("_", " ")
    return (str(text).strip().splitlines() or [path])[0].rstrip(".")[:120]


def _finite_or_none(value: float) -> float | None:
    if math.isinf(value):
        raise ValueError("the number is infinite")
    return None if math.isnan(value) else value


def _resampled(function: Any, holdout: Any, data: Any, job: Any) -> Any:
    groups = np.arange(len(holdout)) if holdout.group is None else np.unique(holdout.group, return_inverse=True)[1]
    order = np.argsort(groups.reshape(-1), kind="stable")
    sizes = np.bincount(groups.reshape(-1))
    starts = np.cumsum(sizes) - sizes
    rng = np.random.default_rng([job["seed"], _STREAM])
    values = np.empty(job["draws"])
    for draw in range(len(values)):
        chosen = rng.integers(0, len(sizes), len(sizes))
        reach = sizes[chosen]
        inner = np.arange(reach.sum()) - np.repeat(np.cumsum(reach) - reach, reach)
        values[draw] = float(function(holdout.take(order[np.repeat(starts[chosen], reach) + inner]), data))
    return values


def _examples(given: Any) -> dict[str, Any]:
    count, shown = 0, []
    for example in given:
        count += 1
        if count <= _SHOWN:
            shown.append(json.dumps(example, default=_plain)[:_TEXT])
        if count >= _MOST:
            break
    return {"count": count, "examples": shown}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
