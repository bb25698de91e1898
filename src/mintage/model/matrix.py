"""The parity matrix: each runtime's answers beside the original's, on the same rows, as one line a runtime.

``measure`` runs runtimes and judges them; it prints and signs nothing. A runtime that is not installed is a line too,
with what is missing. ``matrix_statement`` is what gets signed; see docs/spec/parity.md.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.attest.statement import Statement, Subject
from mintage.errors import MintageError
from mintage.model.doubles import as_order
from mintage.model.package import Package
from mintage.model.parity import Answer, compare
from mintage.model.runtimes.base import Answers, Columns, Missing, Runtime
from mintage.model.tensors import graph_tensors
from mintage.model.trace import closest_split
from mintage.record.digest import parse_digest

__all__ = ["PREDICATE_TYPE", "Line", "Rows", "line_of", "matrix_statement", "measure"]

PREDICATE_TYPE = "https://mintage.dev/parity/v1"
Status = Literal["equal", "differs", "failed", "missing"]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one runtime did. Of one that is ``missing`` or ``failed``, ``note`` says why, and the numbers are null.

    ``max_ulp`` is the largest distance in doubles between values. ``label_flips`` counts rows whose class differs from
    the original's own, ``decision_flips`` those whose label at the declared threshold does. Times are of one row.
    """

    runtime: str
    status: Status
    version: str | None = None
    rows: int | None = None
    max_error: float | None = None
    max_ulp: int | None = None
    label_flips: int | None = None
    decision_flips: int | None = None
    equal: int | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Rows:
    """Rows that validation accepts, with the original's answers: values [N, W] and labels [N, targets] as declared."""

    columns: Columns
    values: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    tolerance: float


def measure(
    package: Package,
    rows: Rows,
    runtimes: Sequence[Runtime],
    *,
    workdir: Path,
    timed: int,
    on_line: Callable[[Line], None] = lambda line: None,
) -> tuple[Line, ...]:
    """A line for each runtime, in their order; ``workdir`` is a folder for what they write."""
    lines = []
    for runtime in runtimes:
        lines.append(_measure_one(package, rows, runtime, workdir / runtime.name, timed))
        on_line(lines[-1])
    return tuple(lines)


def _measure_one(package: Package, rows: Rows, runtime: Runtime, workdir: Path, timed: int) -> Line:
    found = runtime.find()
    if isinstance(found, Missing):
        return Line(runtime=runtime.name, status="missing", note=f"{found.what}; {found.hint}")
    workdir.mkdir(parents=True, exist_ok=True)
    onnx = package.files["model.onnx"]
    try:
        with runtime.open(onnx, package.signature, workdir) as session:
            answers = session.answer(rows.columns, timed=timed)
    except MintageError as error:
        note = error.message + (f": {error.found}" if error.found else "")
        return Line(runtime=runtime.name, status="failed", version=found.version, note=note[:2000])
    return line_of(runtime.name, found.version, answers, rows, package)


def line_of(name: str, version: str, answers: Answers, rows: Rows, package: Package) -> Line:
    """Judge a runtime's answers by the gate of the build; a difference is told with its row and its closest split."""
    signature = package.signature
    native, given = Answer(rows.values, rows.labels), Answer(answers.values, answers.labels)
    count = len(rows.values)
    if answers.values.shape != rows.values.shape or answers.labels.shape != rows.labels.shape:
        shape = f"values {answers.values.shape} and labels {answers.labels.shape}"
        return Line(runtime=name, status="failed", version=version, note=f"it answered {shape} to {count} rows")
    parity = compare(
        name=name,
        native=Answer(rows.values, _own_labels(rows, signature.widths)),
        failed=np.zeros(count, dtype=bool),
        found=given,
        accepted=np.ones(count, dtype=bool),
        widths=signature.widths,
        threshold=signature.threshold,
        tolerance=rows.tolerance,
    )
    own, theirs = _own_labels(rows, signature.widths), _classes(given.values, signature.widths)
    label_flips = int((own != theirs).any(axis=1).sum())
    decision_flips = int((native.labels != given.labels).any(axis=1).sum())
    passed = parity.passed and decision_flips == 0
    times = np.asarray(answers.single_us, dtype=np.float64)
    return Line(
        runtime=name,
        status="equal" if passed else "differs",
        version=version,
        rows=count,
        max_error=parity.max_error,
        max_ulp=_ulps(native.values, given.values),
        label_flips=label_flips,
        decision_flips=decision_flips,
        equal=parity.equal,
        p50_us=float(np.quantile(times, 0.5)) if len(times) else None,
        p99_us=float(np.quantile(times, 0.99)) if len(times) else None,
        note=None if passed else _worst(package, rows, given, 0 if parity.worst is None else parity.worst),
    )


def _classes(values: np.ndarray[Any, Any], widths: Sequence[int]) -> np.ndarray[Any, Any]:
    """The likeliest class of each target, the first on a tie."""
    found, first = np.empty((len(values), len(widths)), dtype=np.int64), 0
    for target, width in enumerate(widths):
        found[:, target] = np.argmax(values[:, first : first + width], axis=1)
        first += width
    return found


def _own_labels(rows: Rows, widths: Sequence[int]) -> np.ndarray[Any, Any]:
    """Of two classes the likelier one; of more the label that the original gave."""
    own = rows.labels.copy()
    likely = _classes(rows.values, widths)
    for target, width in enumerate(widths):
        if width == 2:
            own[:, target] = likely[:, target]
    return own


def _ulps(native: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> int | None:
    if not (np.isfinite(native).all() and np.isfinite(found).all()):
        return None
    low, high = (as_order(np.ascontiguousarray(part, dtype=np.float64) + 0.0) for part in (native, found))
    apart = np.abs(low.astype(object) - high.astype(object)) if low.size else np.zeros(1, dtype=object)
    return int(apart.max())


def _worst(package: Package, rows: Rows, found: Answer, row: int) -> str:
    columns = {name: column[row : row + 1] for name, column in rows.columns.items()}
    shown = ", ".join(f"{name}={column.tolist()[0]!r}" for name, column in columns.items())
    taken = {item.name for item in package.signature.inputs}
    split = closest_split(package.files["model.onnx"], graph_tensors(columns, package.signature, taken))
    text = f"row {row}: {found.values[row].tolist()}, labels {found.labels[row].tolist()} instead of "
    text += f"{rows.values[row].tolist()}, labels {rows.labels[row].tolist()} for {shown}"
    return (text + (f"; closest split: {split}" if split else ""))[:2000]


def matrix_statement(
    package: Package,
    lines: Sequence[Line],
    *,
    rows: str,
    tolerance: float,
    original: Mapping[str, Any],
    at: str,
    facts: Mapping[str, Any],
) -> Statement:
    """The evidence about a model: which runtimes gave the original's answers, on which rows, where and when."""
    return Statement(
        subjects=(Subject(name=package.signature.model, digest={"sha256": parse_digest(package.root)[1]}),),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "model": package.signature.model,
            "root": package.root,
            "rows": rows,
            "tolerance": tolerance,
            "original": dict(original),
            "host": f"{platform.system()} {platform.machine()}",
            "at": at,
            "facts": dict(facts),
            "runtimes": [msgspec.to_builtins(line) for line in lines],
        },
    )
