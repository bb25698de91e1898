"""Search for counter-examples to the relations of the user's file: hypothesis makes rows, and the smallest that breaks
one is kept. The one door to hypothesis.

Each search is proven by planted faults: in a tenth of one input's values (or one of its categories) the relation counts
as broken, and a search of the same kind must come upon it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from .relation import holds, relations_of

__all__ = ["search"]

_PLANTED, _STEPS = 5, 1000
_MOST_ROWS = 100


def search(module: Any, job: Any, ask: Any) -> dict[str, Any]:
    """What was found of each public function of the file, in the order of the file."""
    functions = [
        function
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    ]
    if not functions:
        raise TypeError("the file defines no relation: a function of one row that does not begin with `_`")
    return {"relations": [_search_one(function, job, ask) for function in functions]}


def _search_one(function: Any, job: Any, ask: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {"tried": 0, "broken": None}

    def breaks(row: dict[str, Any]) -> bool:
        changed = _changed(function, row, job)
        if changed is None:
            return _leave_out()
        rows, relation = changed
        values, accepted = ask(_columns([row, *rows], job["inputs"]))
        if not accepted.all():
            return _leave_out()
        seen["tried"] += seen["broken"] is None
        kept = {name: job[name] for name in ("task", "threshold", "tolerance")}
        if holds(relation, values, **kept):
            return False
        seen["broken"] = {"row": row, "rows": rows, "relation": relation}
        return True

    _find(breaks, job, stream="search", shrink=True)
    regions = _regions(job)

    def planted(region: dict[str, Any]) -> bool:
        return _find(
            lambda row: _applies(function, row, job) and _inside(row[region["name"]], region),
            job,
            stream=f"planted {region['name']}",
            shrink=False,
        )

    title = (inspect.getdoc(function) or function.__name__.replace("_", " ")).strip().splitlines()[0][:120]
    found = sum(planted(region) for region in regions) if seen["tried"] else 0
    return {"name": function.__name__, "title": title, **seen, "planted": len(regions), "found": found}


def _find(breaks: Callable[[dict[str, Any]], bool], job: Any, *, stream: str, shrink: bool) -> bool:
    """Whether a row breaks it; the last one that does so is the smallest."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample, Unsatisfiable

    options = settings(
        max_examples=job["examples"],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
    )
    try:
        find(_rows(job["inputs"]), breaks, settings=options, random=Random(f"{job['seed']} {stream}"))
    except (NoSuchExample, Unsatisfiable):
        return False
    return True


def _leave_out() -> bool:
    from hypothesis import reject

    reject()
    return False


def _rows(inputs: Any) -> Any:
    """The strategy of rows of the declared domain; what is missing is None."""
    from hypothesis import strategies as st

    def one(item: Any) -> Any:
        if item["choices"] is not None:
            values = st.sampled_from(item["choices"])
        elif item["integer"]:
            values = st.integers(math.ceil(item["low"]), math.floor(item["high"]))
        else:
            low, high = item["low"], item["high"]
            # hypothesis likes round and tiny numbers: without the others it seldom comes to most of a range
            values = st.floats(low, high, allow_nan=False, allow_subnormal=False) | st.sampled_from(item["seen"])
            values |= st.integers(0, _STEPS).map(lambda step: low + (high - low) * step / _STEPS)
        return values | st.none() if item["nullable"] else values

    return st.fixed_dictionaries({item["name"]: one(item) for item in inputs})


def _changed(function: Any, row: dict[str, Any], job: Any) -> tuple[list[dict[str, Any]], str] | None:
    """The rows that a relation makes of ``row``, and what it says of them; None if it says nothing of this row."""
    given = function(dict(row))
    if given is None:
        return None
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(f"{function.__name__} must give (rows, relation) or None, it gave {type(given).__name__}")
    rows = [given[0]] if isinstance(given[0], dict) else list(given[0])
    known = relations_of(job["task"])
    if given[1] not in known:
        raise ValueError(f"{function.__name__}: no relation {given[1]!r} of a {job['task']} model, only {known}")
    if not 1 <= len(rows) <= _MOST_ROWS or any(set(each) != set(row) for each in rows):
        raise ValueError(f"{function.__name__} must give 1 to {_MOST_ROWS} rows with the inputs of the row")
    return rows, given[1]


def _applies(function: Any, row: dict[str, Any], job: Any) -> bool:
    return True if _changed(function, row, job) is not None else _leave_out()


def _columns(rows: list[dict[str, Any]], inputs: Any) -> dict[str, Any]:
    columns = {}
    for item in inputs:
        values = [row[item["name"]] for row in rows]
        if item["text"]:
            columns[item["name"]] = np.array([None if value is None else str(value) for value in values], dtype=object)
        else:
            columns[item["name"]] = np.array([math.nan if value is None else float(value) for value in values])
    return columns


def _regions(job: Any) -> list[dict[str, Any]]:
    """Where faults are planted: in the inputs that have more than one value, at most five of them."""
    random = Random(f"{job['seed']} regions")
    able = [item for item in job["inputs"] if len(item["choices"] or ()) > 1 or item["high"] > item["low"]]
    found = []
    for item in random.sample(able, min(_PLANTED, len(able))):
        if item["choices"] is not None:
            found.append({"name": item["name"], "value": random.choice(item["choices"])})
            continue
        width = max(0.1 * (item["high"] - item["low"]), float(item["integer"]))
        low = random.uniform(item["low"], item["high"] - width)
        low = math.floor(low) if item["integer"] else low
        found.append({"name": item["name"], "low": low, "high": low + width})
    return found


def _inside(value: Any, region: dict[str, Any]) -> bool:
    if "value" in region:
        return bool(value == region["value"])
    return value is not None and region["low"] <= value <= region["high"]
