"""Turn an estimator into JSON values and arrays, object by object, without knowing what it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .bare import BareBooster
from .boosters import booster_state
from .converters import CONVERTED, converted
from .graph_model import GRAPH, GraphModel
from .refused import Refused

__all__ = ["LIBRARIES", "Writer", "is_nan", "type_name"]

LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")
MAX_VALUES = 2_000_000
MAX_DEPTH = 64
MAX_DENSE = 1 << 26


class Writer:
    """Turns an object into JSON values, and its arrays into members of one npz file.

    ``libraries`` are those of the objects. ``texts`` are those that rows hold, by column, for a library that keeps
    hashes of its categories instead of them.
    """

    def __init__(self, texts: Mapping[str, set[str]] | None = None) -> None:
        self.texts: dict[str, set[str]] = {"": set(), **(texts or {})}
        self.libraries: set[str] = set()
        self.arrays: dict[str, Any] = {}
        self.open: set[int] = set()
        self.count = 0
        self.nan_is_a_category = False

    def value(self, item: Any, depth: int = 0) -> Any:
        """The JSON value of ``item``; what has none is opaque, with its type's name."""
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise Refused("the estimator is too large or too deeply nested to describe")
        if isinstance(item, np.generic) and not isinstance(item, np.void):
            item = item.item()
        if item is None or isinstance(item, bool | int | str):
            return item
        if isinstance(item, float):
            return item if math.isfinite(item) else {"$": "float", "value": repr(item)}
        if isinstance(item, np.ndarray):
            return self.array(item, depth)
        if type_name(type(item)).startswith("scipy.sparse.") and hasattr(item, "toarray"):
            return self.sparse(item)
        if isinstance(item, np.dtype | type):
            return {"$": "type", "name": np.dtype(item).name if isinstance(item, np.dtype) else type_name(item)}
        if isinstance(item, slice):
            return {"$": "slice", "items": [self.value(part) for part in (item.start, item.stop, item.step)]}
        if isinstance(item, np.ufunc):
            name = str(getattr(item, "__name__", ""))
            return {"$": "opaque", "type": f"numpy.{name}" if getattr(np, name, None) is item else "numpy.ufunc"}
        return self.container(item, depth)

    def array(self, item: Any, depth: int) -> Any:
        """Numbers, booleans, fixed-width text and records go to the npz; arrays of objects are spelled out."""
        if item.dtype.hasobject:
            values = item.ravel().tolist()
            if any(isinstance(value, str) for value in values):
                self.nan_is_a_category |= any(is_nan(value) for value in values)
                self.texts[""].update(value for value in values if isinstance(value, str))
            items = [self.value(value, depth + 1) for value in values]
            return {"$": "objects", "shape": list(item.shape), "items": items}
        if item.dtype.names is None and item.dtype.kind not in "biufU":
            return {"$": "opaque", "type": f"numpy.ndarray of {item.dtype}"}
        key = f"a{len(self.arrays)}"
        self.arrays[key] = np.ascontiguousarray(item).reshape(item.shape)
        return {"$": "array", "ref": key}

    def sparse(self, item: Any) -> Any:
        """A sparse matrix is written with its zeros, unless it is too large for that."""
        if math.prod(item.shape) > MAX_DENSE:
            return {"$": "opaque", "type": f"a sparse matrix of the shape {item.shape}"}
        return self.array(item.toarray(), 0)

    def container(self, item: Any, depth: int) -> Any:
        """Lists, dicts, and objects of allowed libraries with their attributes."""
        if id(item) in self.open:
            return {"$": "opaque", "type": f"{type_name(type(item))} (a cycle)"}
        self.open.add(id(item))
        try:
            if isinstance(item, list | tuple):
                return [self.value(part, depth + 1) for part in item]
            if isinstance(item, dict):
                pairs = [[self.value(key, depth + 1), self.value(part, depth + 1)] for key, part in item.items()]
                return {"$": "dict", "items": pairs}
            if isinstance(item, GraphModel):
                parts = {key: self.value(part, depth + 1) for key, part in item.fields().items()}
                return {"$": "object", "type": GRAPH, "state": parts}
            if isinstance(item, BareBooster):
                self.libraries.add(item.library)
                parts = {key: self.value(part, depth + 1) for key, part in item.fields().items()}
                return {"$": "object", "type": item.written_as, "state": parts}
            name = type_name(type(item))
            state = booster_state(item, name, self.texts) or state_of(item)
            if name.partition(".")[0] not in LIBRARIES or not isinstance(state, dict) or callable_only(item):
                return {"$": "opaque", "type": name}
            self.libraries.add(name.partition(".")[0])
            fills, missing = state.get("statistics_"), state.get("missing_values")
            if (
                is_nan(missing)
                and isinstance(fills, np.ndarray)
                and any(isinstance(fill, str) for fill in fills.tolist())
            ):
                self.nan_is_a_category = True  # text whose missing value is NaN, not None
            if name in CONVERTED:
                state = {**state, **converted(item)}
            state = {**state, **support_of(item)}
            parts = {str(key): self.value(part, depth + 1) for key, part in state.items()}
            return {"$": "object", "type": name, "state": parts}
        finally:
            self.open.discard(id(item))


def state_of(item: Any) -> Any:
    """The attributes of an object; compiled classes have no ``__dict__``, but some say what they would pickle."""
    state = getattr(item, "__dict__", None)
    if state is None and type_name(type(item)).partition(".")[0] in LIBRARIES and not isinstance(item, type):
        state = getattr(item, "__getstate__", lambda: None)()
    return state


def support_of(item: Any) -> dict[str, Any]:
    """Of what selects columns, which ones; nothing of other objects, and of those that are not fitted."""
    try:
        return {"support": item.get_support()} if hasattr(item, "get_support") else {}
    except (ValueError, AttributeError):
        return {}


def is_nan(item: Any) -> bool:
    """Whether ``item`` is the float NaN."""
    return isinstance(item, float) and math.isnan(item)


def callable_only(item: Any) -> bool:
    """Functions and methods of an allowed library have a ``__dict__`` too, but say nothing by it."""
    return callable(item) and not hasattr(item, "get_params") and not hasattr(item, "predict")


def type_name(kind: type) -> str:
    """The full name, with the private modules of scikit-learn as they are."""
    return f"{kind.__module__}.{kind.__qualname__}"
