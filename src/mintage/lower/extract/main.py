"""Describe an estimator and answer rows: once for a command, or for each line of the standard input.

Without rows on the command line, each line of the standard input asks for an answer: ``["ROWS.npz", "OUT_DIR"]``, with
``{"timed": N, "oracle": true}`` behind it for times of N single rows and a second opinion, or with ``{"glance": true}``
for what it takes and gives and nothing else; it is followed by a line
``done`` on the standard output, whether the estimator was written down or refused.
Exit codes: 0 written, 3 refused (refused.json says why).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from .boosters import integer_text
from .face import answer, face_of
from .files import write_json, write_npz
from .frames import frame
from .glance import glance_at
from .natives import Natives, natives_of
from .opening import open_estimator, threshold_in
from .oracle import NoOracle, oracle_answers
from .refused import Refused
from .rows import read_rows
from .writer import Writer

__all__ = ["main"]


def describe(estimator: Any, rows_file: Path, out: Path, options: dict[str, Any]) -> None:
    """Write estimator.json, estimator.npz, native.json and native.npz; and oracle.json, oracle.npz if asked for."""
    face = face_of(estimator)
    meta, columns = read_rows(rows_file)
    natives = natives_of(estimator, meta)
    writer = Writer(texts_of(meta, columns, natives))
    root = writer.value(estimator)
    missing = float("nan") if writer.nan_is_a_category else None
    names = getattr(estimator, "feature_names_in_", natives.names)
    if names is not None:
        meta = in_order(meta, [str(name) for name in names])
        columns = {column["name"]: columns[column["name"]] for column in meta}
    rows, container = frame(meta, columns, names, missing, natives)
    native, messages = answer(estimator, rows, len(rows), face)
    if options.get("oracle"):
        write_oracle(estimator, rows, face, out)
    description = {
        "kind": "estimator-description",
        "version": 0,
        "libraries": libraries(writer.libraries),
        "container": container,
        "missing": "none" if missing is None else "nan",
        "inputs": meta,
        "task": face.task,
        "classes": face.classes,
        "width": int(native["values"].shape[1]),
        "estimator": root,
    }
    write_npz(out / "native.npz", native)
    write_json(
        out / "native.json",
        {
            "kind": "native-outputs",
            "version": 0,
            "rows": len(rows),
            "messages": messages,
            "single_us": time_rows(estimator, rows, face, native["failed"], int(options.get("timed", 0))),
        },
    )
    write_npz(out / "estimator.npz", writer.arrays)
    write_json(out / "estimator.json", description)


def in_order(meta: list[dict[str, str]], names: list[str]) -> list[dict[str, str]]:
    """The columns in the order in which the estimator was fitted."""
    have = {column["name"]: column for column in meta}
    absent = [name for name in names if name not in have]
    if absent:
        raise Refused(f"the estimator was fitted on columns that the model does not declare: {', '.join(absent)}")
    return [have[name] for name in names]


def texts_of(meta: list[dict[str, str]], columns: dict[str, Any], natives: Natives) -> dict[str, set[str]]:
    """The texts of each column of the rows, also of whole numbers that an estimator takes as texts."""
    found: dict[str, set[Any]] = {}
    for column in meta:
        name = column["name"]
        if column["kind"] == "text":
            found[name] = set(columns[name]) - {None}
        elif name in natives.integers:
            found[name] = set(map(integer_text, columns[name].tolist())) - {None}
    return found


def write_oracle(estimator: Any, rows: Any, face: Any, out: Path) -> None:
    """What treelite answers, or why it does not."""
    try:
        values, version = oracle_answers(estimator, rows, face)
    except NoOracle as error:
        write_json(out / "oracle.json", {"kind": "oracle-outputs", "version": 0, "missing": str(error)})
        return
    write_npz(out / "oracle.npz", {"values": values})
    write_json(out / "oracle.json", {"kind": "oracle-outputs", "version": 0, "answered_by": version})


def time_rows(estimator: Any, rows: Any, face: Any, failed: Any, count: int) -> list[float]:
    """Microseconds of ``count`` answers to one row each, after a few that do not count."""
    usable = np.flatnonzero(~failed)[:16].tolist()
    found: list[float] = []
    for turn in range(count + 3 if usable else 0):
        place = usable[turn % len(usable)]
        row = rows.iloc[place : place + 1] if hasattr(rows, "iloc") else rows[place : place + 1]
        started = time.perf_counter_ns()
        answer(estimator, row, 1, face)
        found.append((time.perf_counter_ns() - started) / 1000)
    return found[3:]


def libraries(used: set[str]) -> dict[str, str]:
    """Versions of what answered."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3]), "numpy": np.__version__}
    for name in sorted(used):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(module.__version__)
    return found


def write_answer(estimator: Any, rows: Path, out: Path, options: dict[str, Any]) -> bool:
    """Describe the estimator into ``out``, or write why it is refused; ``estimator`` may be the refusal itself."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(estimator, Refused):
            raise estimator
        if options.get("glance"):
            glance = glance_at(estimator, read_rows(rows)[0])
            write_json(out / "glance.json", {**glance, "threshold": options.get("threshold")})
            return True
        describe(estimator, rows, out, options)
    except Refused as refused:
        write_json(out / "refused.json", {"kind": "estimator-refused", "version": 0, "reason": str(refused)})
        sys.stderr.write(f"{refused}\n")
        return False
    return True


def answer_requests(estimator: Any, requests: Any, answers_to: Any, *, threshold: float | None) -> None:
    """Answer line by line until the input ends; ``threshold`` stood beside the estimator in its file."""
    for line in requests:
        rows, out, *options = json.loads(line)
        write_answer(estimator, Path(rows), Path(out), {**(options[0] if options else {}), "threshold": threshold})
        answers_to.write("done\n")
        answers_to.flush()


def main(arguments: list[str]) -> int:
    """The command; see the module's text."""
    if len(arguments) not in (1, 3):
        sys.stderr.write("usage: python -I extract ESTIMATOR [ROWS.npz OUT_DIR]\n")
        return 2
    estimator: Any
    channel = os.dup(1) if len(arguments) == 1 else -1
    if channel >= 0:
        os.dup2(2, 1)  # what the estimator's libraries print must not pass for an answer
    beside: dict[str, Any] = {}
    try:
        estimator, beside = open_estimator(Path(arguments[0]))
    except Refused as refused:
        estimator = refused
    if channel < 0:
        return 0 if write_answer(estimator, Path(arguments[1]), Path(arguments[2]), {}) else 3
    with open(channel, "w", encoding="utf-8") as stream:
        answer_requests(estimator, sys.stdin, stream, threshold=threshold_in(beside))
    return 0
