"""Open an estimator with the extraction's own code, lower it, and prove it on rows and edge rows."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np

from mintage.lower.estimator import Lowered, lower
from mintage.lower.extract.main import main as extract_estimator
from mintage.model.limits import find_limits
from mintage.model.parity import Parity
from mintage.model.prove import Rows, answer, prove
from mintage.model.runtime import Predictor, stack
from mintage.model.signature import build_signature
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

__all__ = ["Columns", "Proven", "model_spec", "prove_exact", "prove_file", "run_extraction"]

Columns = dict[str, Any]


@dataclass(frozen=True)
class Proven:
    """What was found for one estimator."""

    lowered: Lowered
    predictor: Predictor
    validation: Rows
    edges: Rows
    parity: tuple[Parity, ...]

    @property
    def score_error(self) -> float:
        """The largest difference of the probability of the positive class; the other one is written as 1 less it."""
        errors = []
        for rows in (self.validation, self.edges):
            found = stack(self.predictor.run(self.predictor.tensors(rows.columns))).values[:, 1]
            errors.append(np.abs(found - rows.native.values[:, 1])[~rows.native.failed].max())
        return float(max(errors))


def model_spec(
    columns: Columns,
    not_null: tuple[str, ...] = (),
    *,
    task: Literal["binary", "multiclass", "regression"] = "binary",
    target: str | tuple[str, ...] = "y",
    integers: tuple[str, ...] = (),
) -> ModelSpec:
    """A model file for the columns."""
    kinds: dict[str, Literal["float", "int", "string"]] = {
        name: "string" if column.dtype == object else "int" if name in integers else "float"
        for name, column in columns.items()
    }
    inputs = {name: InputSpec(type=kind, nullable=name not in not_null) for name, kind in kinds.items()}
    files = DataFiles(train="a", validation="b", holdout="c")
    return ModelSpec(
        model="m", task=task, target=target, purpose="p", owner="o", inputs=inputs, data=files, threshold=0.4
    )


def run_extraction(path: Path) -> Callable[[Path, Path], None]:
    """Runs the script's own ``main`` in this process, which is faster than one of its own."""

    def extract(rows: Path, out: Path) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            assert extract_estimator([str(path), str(rows), str(out)]) in (0, 3)

    return extract


def prove_exact(
    estimator: Any,
    columns: Columns,
    folder: Path,
    *,
    not_null: tuple[str, ...] = (),
    task: Literal["binary", "multiclass", "regression"] = "binary",
    target: str | tuple[str, ...] = "y",
    integers: tuple[str, ...] = (),
) -> Proven:
    """Extract, lower and prove; raises what those raise."""
    path = folder / "model.joblib"
    joblib.dump(estimator, path)
    return prove_file(
        run_extraction(path), columns, folder, not_null=not_null, task=task, target=target, integers=integers
    )


def prove_file(
    extract: Callable[[Path, Path], None],
    columns: Columns,
    folder: Path,
    *,
    not_null: tuple[str, ...] = (),
    task: Literal["binary", "multiclass", "regression"] = "binary",
    target: str | tuple[str, ...] = "y",
    integers: tuple[str, ...] = (),
) -> Proven:
    """Lower and prove what ``extract`` opens."""
    validation, description = answer("validation", columns, extract, folder / "validation")
    spec = model_spec(columns, not_null, task=task, target=target, integers=integers)
    lowered = lower(description, threshold=spec.threshold, targets=spec.targets)
    signature = build_signature(
        spec,
        classes=description.classes,
        width=description.width,
        categories=lowered.categories,
        closed=lowered.closed,
        limits=find_limits(lowered, columns),
    )
    predictor = Predictor(lowered.onnx, signature)
    edges, parity = prove(
        validation,
        lowered=lowered,
        predictor=predictor,
        extract=extract,
        folder=folder,
        rng=np.random.default_rng(0),
    )
    return Proven(lowered, predictor, validation, edges, parity)
