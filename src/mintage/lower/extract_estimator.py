"""Open a fitted estimator and write down what it is, and what it answers. Runs alone, in the user's environment.

    python -I extract_estimator.py ESTIMATOR.joblib [ROWS.npz OUT_DIR]

Without rows, each line of the standard input asks for an answer: ``["ROWS.npz", "OUT_DIR"]``; it is followed by a line
``done`` on the standard output, whether the estimator was written down or refused.

Opening a joblib or pickle file runs code from it, so this happens in a process of its own that has no keys and
imports nothing of Mintage: the standard library, numpy, and the libraries that the estimator itself needs. It knows no
family of estimators: it writes the parameters of every object from an allowed library, and the name of anything else.
The formats are in docs/spec/estimator-description.md. Exit codes: 0 written, 3 refused (refused.json says why).
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["main"]

LIBRARIES = ("sklearn",)
MAX_VALUES = 2_000_000
MAX_DEPTH = 64


class Refused(Exception):
    """The file cannot be opened or described; the message says why."""


class Writer:
    """Turns an object into JSON values, and its arrays into members of one npz file."""

    def __init__(self) -> None:
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
        if isinstance(item, np.dtype | type):
            return {"$": "type", "name": np.dtype(item).name if isinstance(item, np.dtype) else type_name(item)}
        if isinstance(item, slice):
            return {"$": "slice", "items": [self.value(part) for part in (item.start, item.stop, item.step)]}
        return self.container(item, depth)

    def array(self, item: Any, depth: int) -> Any:
        """Numbers, booleans, fixed-width text and records go to the npz; arrays of objects are spelled out."""
        if item.dtype.hasobject:
            values = item.ravel().tolist()
            if any(isinstance(value, str) for value in values):
                self.nan_is_a_category |= any(is_nan(value) for value in values)
            items = [self.value(value, depth + 1) for value in values]
            return {"$": "objects", "shape": list(item.shape), "items": items}
        if item.dtype.names is None and item.dtype.kind not in "biufU":
            return {"$": "opaque", "type": f"numpy.ndarray of {item.dtype}"}
        key = f"a{len(self.arrays)}"
        self.arrays[key] = np.ascontiguousarray(item).reshape(item.shape)
        return {"$": "array", "ref": key}

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
            name = type_name(type(item))
            state = state_of(item)
            if name.partition(".")[0] not in LIBRARIES or not isinstance(state, dict) or callable_only(item):
                return {"$": "opaque", "type": name}
            fills, missing = state.get("statistics_"), state.get("missing_values")
            if (
                is_nan(missing)
                and isinstance(fills, np.ndarray)
                and any(isinstance(fill, str) for fill in fills.tolist())
            ):
                self.nan_is_a_category = True  # text whose missing value is NaN, not None
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


def is_nan(item: Any) -> bool:
    """Whether ``item`` is the float NaN."""
    return isinstance(item, float) and math.isnan(item)


def callable_only(item: Any) -> bool:
    """Functions and methods of an allowed library have a ``__dict__`` too, but say nothing by it."""
    return callable(item) and not hasattr(item, "get_params") and not hasattr(item, "predict")


def type_name(kind: type) -> str:
    """The full name, with the private modules of scikit-learn as they are."""
    return f"{kind.__module__}.{kind.__qualname__}"


def read_rows(path: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """The columns of a rows file: float64 arrays, and lists of str or None."""
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(archive["columns"].tobytes())
        columns: dict[str, Any] = {}
        for index, column in enumerate(meta):
            if column["kind"] == "number":
                columns[column["name"]] = archive[f"c{index}"]
                continue
            text, ends, null = archive[f"c{index}.text"].tobytes(), archive[f"c{index}.ends"], archive[f"c{index}.null"]
            starts = [0, *ends.tolist()]
            columns[column["name"]] = [
                None if null[row] else text[starts[row] : starts[row + 1]].decode() for row in range(len(ends))
            ]
    return meta, columns


def frame(meta: list[dict[str, str]], columns: dict[str, Any], estimator: Any, missing: Any) -> tuple[Any, str]:
    """The rows in the kind of table that the estimator was fitted on, and that kind's name."""
    objects = {}
    for column in meta:
        values = columns[column["name"]]
        if column["kind"] == "text":
            array = np.empty(len(values), dtype=object)
            array[:] = [missing if value is None else value for value in values]
            objects[column["name"]] = array
        else:
            objects[column["name"]] = values
    if getattr(estimator, "feature_names_in_", None) is not None:
        if missing is None:
            try:
                import polars

                kinds = {
                    column["name"]: polars.String if column["kind"] == "text" else polars.Float64 for column in meta
                }
                return polars.DataFrame({**columns}, schema=kinds), "polars"
            except ImportError:
                pass
        try:
            import pandas  # type: ignore[import-untyped]

            return pandas.DataFrame(objects), "pandas"
        except ImportError:
            pass
    if all(column["kind"] == "number" for column in meta):
        return np.column_stack([objects[column["name"]] for column in meta]), "numpy"
    table = np.empty((len(next(iter(objects.values()))), len(meta)), dtype=object)
    for index, column in enumerate(meta):
        table[:, index] = objects[column["name"]]
    return table, "numpy"


def answers(estimator: Any, rows: Any, first: int, last: int, out: dict[str, Any]) -> None:
    """Fill in probabilities and labels of rows first..last; rows that the estimator refuses are marked, one by one."""
    if first == last:
        return
    try:
        part = rows[first:last] if not hasattr(rows, "iloc") else rows.iloc[first:last]
        scores, labels = estimator.predict_proba(part), estimator.predict(part)
    except Exception as error:  # noqa: BLE001 the user's code: any failure is an answer
        if last - first > 1:
            middle = (first + last) // 2
            answers(estimator, rows, first, middle, out)
            answers(estimator, rows, middle, last, out)
            return
        out["failed"][first] = True
        if len(out["messages"]) < 20:
            out["messages"].append([first, f"{type(error).__name__}: {error}"[:500]])
        return
    out["probabilities"][first:last] = np.asarray(scores, dtype=np.float64)
    codes = {value: code for code, value in enumerate(np.asarray(estimator.classes_).tolist())}
    out["labels"][first:last] = [codes[value] for value in np.asarray(labels).tolist()]


def write_npz(path: Path, arrays: dict[str, Any]) -> None:
    """An npz whose bytes depend on the arrays alone (numpy.savez stamps the time)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue())


def open_estimator(path: Path) -> Any:
    """Load the file; classes that cannot be imported here are custom code, which is refused."""
    try:
        import joblib
    except ImportError as error:
        raise Refused(f"joblib, which the estimator's file needs, is not in this environment: {error}") from error
    try:
        return joblib.load(path)
    except (ImportError, AttributeError) as error:
        raise Refused(f"the estimator uses code that is not from an installed library: {error}") from error
    except Exception as error:
        raise Refused(f"the estimator's file cannot be opened: {type(error).__name__}: {error}") from error


def describe(estimator: Any, rows_file: Path, out: Path) -> None:
    """Write estimator.json, estimator.npz, native.json and native.npz."""
    if not hasattr(estimator, "predict_proba") or getattr(estimator, "classes_", None) is None:
        raise Refused(f"{type_name(type(estimator))} is not a fitted classifier with probabilities")
    if isinstance(estimator.classes_, list):
        raise Refused(f"the estimator has {len(estimator.classes_)} outputs; one is expected")
    classes = np.asarray(estimator.classes_).tolist()
    if len(classes) != 2:
        raise Refused(f"the estimator has {len(classes)} classes; two are expected")
    writer = Writer()
    root = writer.value(estimator)
    missing = float("nan") if writer.nan_is_a_category else None
    meta, columns = read_rows(rows_file)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        have = {column["name"]: column for column in meta}
        absent = [str(name) for name in names if str(name) not in have]
        if absent:
            raise Refused(f"the estimator was fitted on columns that the model does not declare: {', '.join(absent)}")
        meta = [have[str(name)] for name in names]
        columns = {column["name"]: columns[column["name"]] for column in meta}
    rows, container = frame(meta, columns, estimator, missing)
    count = len(rows)
    native: dict[str, Any] = {
        "probabilities": np.full((count, 2), np.nan),
        "labels": np.full(count, -1, dtype=np.int64),
        "failed": np.zeros(count, dtype=bool),
        "messages": [],
    }
    answers(estimator, rows, 0, count, native)
    messages = native.pop("messages")
    description = {
        "kind": "estimator-description",
        "version": 0,
        "libraries": libraries(),
        "container": container,
        "missing": "none" if missing is None else "nan",
        "inputs": meta,
        "classes": classes,
        "estimator": root,
    }
    write_npz(out / "native.npz", native)
    write_json(out / "native.json", {"kind": "native-outputs", "version": 0, "rows": count, "messages": messages})
    write_npz(out / "estimator.npz", writer.arrays)
    write_json(out / "estimator.json", description)


def libraries() -> dict[str, str]:
    """Versions of what answered."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3]), "numpy": np.__version__}
    for name in LIBRARIES:
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(module.__version__)
    return found


def write_json(path: Path, value: Any) -> None:
    """Sorted keys, no NaN: the same object gives the same bytes."""
    path.write_text(json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False), encoding="utf-8")


def write_answer(estimator: Any, rows: Path, out: Path) -> bool:
    """Describe the estimator into ``out``, or write why it is refused; ``estimator`` may be the refusal itself."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(estimator, Refused):
            raise estimator
        describe(estimator, rows, out)
    except Refused as refused:
        write_json(out / "refused.json", {"kind": "estimator-refused", "version": 0, "reason": str(refused)})
        sys.stderr.write(f"{refused}\n")
        return False
    return True


def answer_requests(estimator: Any, requests: Any, answers_to: Any) -> None:
    """Answer line by line until the input ends."""
    for line in requests:
        rows, out = (Path(name) for name in json.loads(line))
        write_answer(estimator, rows, out)
        answers_to.write("done\n")
        answers_to.flush()


def main(arguments: list[str]) -> int:
    """The command; see the module's text."""
    if len(arguments) not in (1, 3):
        sys.stderr.write("usage: python -I extract_estimator.py ESTIMATOR.joblib [ROWS.npz OUT_DIR]\n")
        return 2
    estimator: Any
    channel = os.dup(1) if len(arguments) == 1 else -1
    if channel >= 0:
        os.dup2(2, 1)  # what the estimator's libraries print must not pass for an answer
    try:
        estimator = open_estimator(Path(arguments[0]))
    except Refused as refused:
        estimator = refused
    if channel < 0:
        return 0 if write_answer(estimator, Path(arguments[1]), Path(arguments[2])) else 3
    with open(channel, "w", encoding="utf-8") as stream:
        answer_requests(estimator, sys.stdin, stream)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
