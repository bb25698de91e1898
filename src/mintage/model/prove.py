"""Prove that a lowered model gives the original's answers, on the rows given and on edge rows made for it.

``extract(rows, out)`` runs the process that opens the estimator; the caller says how. A failure names the row that
differs most, with ordinary values where they make no difference.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mintage.errors import ParityFailedError
from mintage.lower.description import Description, read_description
from mintage.lower.estimator import Lowered
from mintage.lower.extraction import Native, read_native, write_rows
from mintage.model.edge_rows import Features, edge_rows
from mintage.model.parity import ROUNDED, TOLERANCE, Answer, Parity, compare
from mintage.model.runtime import Predictor, load_session, stack
from mintage.model.shrink import Row, shrink
from mintage.model.trace import closest_split

__all__ = ["Columns", "Extract", "Rows", "answer", "answer_edges", "compare_rows", "prove", "tolerance_of"]

Columns = Mapping[str, "np.ndarray[Any, Any]"]
REFUSED_ROWS = 16
Extract = Callable[[Path, Path], None]
"""Runs ``lower.extraction_command`` for a rows file and an output folder; raises if the process did not end well."""


@dataclass(frozen=True)
class Rows:
    """Rows with the original's answers to them."""

    name: str
    columns: Columns
    native: Native


def answer(name: str, columns: Columns, extract: Extract, folder: Path) -> tuple[Rows, Description]:
    """Let the original answer rows, in ``folder`` (emptied first); also what it is."""
    shutil.rmtree(folder, ignore_errors=True)
    extract(write_rows(columns, folder), folder / "out")
    description = read_description(folder / "out")
    native = read_native(
        folder / "out",
        rows=len(next(iter(columns.values()))),
        width=description.width,
        targets=len(description.classes),
    )
    return Rows(name, columns, native), description


def answer_edges(
    rows: Rows, *, lowered: Lowered, predictor: Predictor, extract: Extract, folder: Path, rng: np.random.Generator
) -> Rows:
    """At least as many edge rows as there are ``rows``, made from them, with the original's answers."""
    made = edge_rows(
        rows.columns,
        trees=lowered.trees,
        sources=lowered.sources,
        rounded=lowered.rounded,
        features=_features(lowered, predictor),
        categories=lowered.categories,
        rng=rng,
        count=len(rows.native.failed),
    )
    accepted = predictor.accepts(made)
    kept, refused = np.flatnonzero(accepted), np.flatnonzero(~accepted)
    if lowered.refuses_missing or any(lowered.single):  # the original refuses them too, row by row, which takes long
        refused = rng.permutation(refused)[: max(REFUSED_ROWS, len(rows.native.failed) - len(kept))]
    places = np.concatenate([kept, refused])  # together, so that rows that the original refuses are neighbours
    return answer("edge", {name: column[places] for name, column in made.items()}, extract, folder / "edges")[0]


def prove(
    validation: Rows,
    *,
    lowered: Lowered,
    predictor: Predictor,
    extract: Extract,
    folder: Path,
    rng: np.random.Generator,
) -> tuple[Rows, tuple[Parity, ...]]:
    """Compare on the validation rows and on at least as many edge rows; returns the edge rows and what was found.

    Raises ParityFailedError.
    """
    edges = answer_edges(validation, lowered=lowered, predictor=predictor, extract=extract, folder=folder, rng=rng)
    found = []
    for rows in (validation, edges):
        parity = compare_rows(rows.name, rows.columns, rows.native, predictor, tolerance=tolerance_of(lowered))
        if not parity.passed:
            ordinary = {name: column[0] for name, column in validation.columns.items()}
            fails = _fails(rows.columns, predictor, extract, folder / "shrink", parity.tolerance)
            raise _failed(parity, rows, predictor, lowered=lowered, ordinary=ordinary, fails=fails)
        found.append(parity)
    return edges, tuple(found)


def tolerance_of(lowered: Lowered) -> float:
    """How far a value may be off: that of doubles, or of an original that computes its answers in float32."""
    return TOLERANCE if lowered.rounds is None else ROUNDED


def compare_rows(
    name: str, columns: Columns, native: Native, predictor: Predictor, *, tolerance: float = TOLERANCE
) -> Parity:
    """Compare a predictor with the original's answers to ``columns``; certification does it on the hold-out."""
    return compare(
        name=name,
        native=Answer(native.values, native.labels),
        failed=native.failed,
        tied=native.tied,
        found=stack(predictor.run(predictor.tensors(columns))),
        accepted=predictor.accepts(columns),
        widths=predictor.signature.widths,
        threshold=predictor.signature.threshold,
        tolerance=tolerance,
    )


def _features(lowered: Lowered, predictor: Predictor) -> Features | None:
    if lowered.probe is None:
        return None
    session = load_session(lowered.probe)
    taken = [item.name for item in session.get_inputs()]

    def features(columns: Columns) -> np.ndarray[Any, Any]:
        tensors = predictor.tensors(columns)
        found: np.ndarray[Any, Any] = session.run(None, {name: tensors[name] for name in taken})[0]
        return found

    return features


def _fails(
    columns: Columns, predictor: Predictor, extract: Extract, folder: Path, tolerance: float
) -> Callable[[list[Row]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Which of some new rows differ too: asks the original again."""

    def fails(rows: list[Row]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if not rows:
            return np.zeros(0, dtype=bool)
        table = {name: np.empty(len(rows), dtype=column.dtype) for name, column in columns.items()}
        for name, column in table.items():
            column[:] = [row[name] for row in rows]
        asked, _ = answer("row", table, extract, folder)
        singles = (_single(asked, place) for place in range(len(rows)))
        return np.array(
            [not compare_rows("row", one.columns, one.native, predictor, tolerance=tolerance).passed for one in singles]
        )

    return fails


def _single(rows: Rows, place: int) -> Rows:
    only, native = slice(place, place + 1), rows.native
    one = Native(native.values[only], native.labels[only], native.failed[only], native.tied[only], native.messages)
    return Rows(rows.name, {name: column[only] for name, column in rows.columns.items()}, one)


def _failed(
    parity: Parity,
    rows: Rows,
    predictor: Predictor,
    *,
    lowered: Lowered,
    ordinary: Row,
    fails: Callable[[list[Row]], Any],
) -> ParityFailedError:
    """The error for the worst row, with the split of a tree that it passes closest."""
    worst = 0 if parity.worst is None else parity.worst
    row = {name: column[worst] for name, column in rows.columns.items()}
    small = shrink(row, ordinary, fails) if parity.compared else row
    shown = ", ".join(f"{name}={_show(value)}" for name, value in small.items())
    native = rows.native
    if native.failed[worst]:
        reason = next((text for place, text in native.messages if place == worst), "no reason given")
        return ParityFailedError(
            "the original refuses rows that the model's signature accepts",
            expected="a signature that accepts only what the original does",
            found=f"{reason} for {shown}",
            where=f"{parity.name} row {worst}, one of {parity.refused_by_original}",
            hint="declare `nullable: false` for inputs that may not be missing, or impute in the pipeline",
        )
    feeds = predictor.tensors(_single(rows, worst).columns)
    found, split = stack(predictor.run(feeds)), closest_split(lowered.onnx, feeds)
    return ParityFailedError(
        "the lowered model differs from the original",
        expected=f"{native.values[worst].tolist()}",
        found=f"{found.values[0].tolist()} for {shown}" + (f"; closest split: {split}" if split else ""),
        where=f"{parity.name} row {worst}; largest error {parity.max_error:.3g}, {parity.label_flips} label flips",
        hint=_fault(lowered),
    )


def _fault(lowered: Lowered) -> str:
    """Whose fault a difference is: that of who converted a part, if any was, or of a split on what is rounded."""
    if lowered.converters:
        parts = "; ".join(f"{path} was converted by {by}" for path, by in sorted(lowered.converters.items()))
        return f"{parts}, which is not exact enough here: use another step for it; the model was not written"
    if lowered.rounded_splits:
        return (
            f"{lowered.rounded_splits} splits are on sums, powers or probabilities, whose last bit differs between "
            "libraries: take those steps away from in front of the trees or bins; the model was not written"
        )
    return "this is a fault of the lowering: please report it with this row; the model was not written"


def _show(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)[:60]
