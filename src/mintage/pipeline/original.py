"""Ask the original of a built model again: the estimator that its record names, in the environment that fitted it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mintage.errors import RefusedError
from mintage.lower.description import read_description
from mintage.lower.estimator import lower
from mintage.lower.extraction import read_native, read_oracle, write_rows
from mintage.model.golden import declared_labels, portable_rows
from mintage.model.matrix import Line, line_of
from mintage.model.matrix import Rows as MatrixRows
from mintage.model.package import Package
from mintage.model.prove import Rows, answer, answer_edges
from mintage.model.runtime import Predictor
from mintage.model.runtimes.base import Answers
from mintage.pipeline.extract import Extractor, open_extractor
from mintage.pipeline.table import input_columns, read_table
from mintage.repo.locks import Item, read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["all_rows", "model_record", "open_original", "original_lines"]


def model_record(workspace: Workspace, model: str) -> dict[str, Any]:
    """The body of the model's record; raises RefusedError if it is not built."""
    lock = read_lock(workspace.root, f"model:{model}")
    if lock is None or lock.record is None:
        raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
    return Store(workspace.store_dir).get_record(lock.record, kind="model").body


@contextlib.contextmanager
def open_original(workspace: Workspace, model: str) -> Iterator[Extractor]:
    """The process that opens the model's estimator."""
    estimator = model_record(workspace, model)["estimator"]
    with open_extractor(workspace, Item(path=estimator["path"], digest=estimator["digest"], size=0)) as extract:
        yield extract


def all_rows(workspace: Workspace, package: Package, extract: Extractor, workdir: Path) -> MatrixRows:
    """All validation rows and edge rows made from them.

    Left out are those that validation or the original refuse, and those that not every platform can hold.
    """
    model = package.signature.model
    spec, item = workspace.model_spec(model), model_record(workspace, model)["validation"]
    source = workdir / "validation.original"
    Store(workspace.store_dir).checkout(item["digest"], source)
    columns = input_columns(read_table(source, spec=spec, where=item["path"]), spec, where=item["path"])
    rows, description = answer("validation", columns, extract, workdir / "validation")
    predictor = package.predictor()
    edges = answer_edges(
        rows,
        lowered=lower(description, threshold=spec.threshold, targets=spec.targets),
        predictor=predictor,
        extract=extract,
        folder=workdir,
        rng=np.random.default_rng(0),
    )
    return _joined(package, [rows, edges], predictor)


def _joined(package: Package, parts: Sequence[Rows], predictor: Predictor) -> MatrixRows:
    kept = []
    for part in parts:
        answered = predictor.accepts(part.columns) & ~part.native.failed & ~part.native.tied
        kept.append((part, np.flatnonzero(answered & portable_rows(part.columns))))
    columns = {name: np.concatenate([part.columns[name][places] for part, places in kept]) for name in parts[0].columns}
    values = np.concatenate([part.native.values[places] for part, places in kept])
    labels = np.concatenate([part.native.labels[places] for part, places in kept])
    declared = declared_labels(values, labels, package.signature)
    return MatrixRows(columns, values, declared, package.golden.tolerance)


def original_lines(
    package: Package, rows: MatrixRows, extract: Extractor, workdir: Path, *, timed: int
) -> tuple[Line, Line]:
    """The library itself on the rows, today; and treelite, which reads its trees without us."""
    out, count = workdir / "original-out", len(rows.values)
    extract(write_rows(rows.columns, workdir / "original"), out, {"timed": timed, "oracle": True})
    description = read_description(out)
    native = read_native(out, rows=count, width=description.width, targets=len(description.classes))
    oracle = read_oracle(out, rows=count, width=description.width)
    version = ", ".join(f"{name} {text}" for name, text in sorted(description.libraries.items()))
    labels = declared_labels(native.values, native.labels, package.signature)
    original = line_of("original", version, Answers(native.values, labels, native.single_us), rows, package)
    if oracle.values is None:
        return original, Line(runtime="treelite", status="missing", note=oracle.missing)
    labels = declared_labels(oracle.values, None, package.signature)
    return original, line_of("treelite", str(oracle.answered_by), Answers(oracle.values, labels, ()), rows, package)
