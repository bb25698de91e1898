"""Measure one case: our lowering by the gate, and the released converters on the same rows."""

from __future__ import annotations

import contextlib
import io
import signal
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
from matrix_cases import TEXTS, Case, Flights
from prove_lowering import Proven, prove_exact

CONVERTER_S = 20
__all__ = ["Converted", "Measured", "fit", "measure", "measure_converters"]


@dataclass(frozen=True)
class Converted:
    """What skl2onnx, with onnxmltools' converters, makes of a case; ``failed`` says why it makes nothing."""

    failed: str | None = None
    rows: int = 0
    max_error: float = 0.0
    flips: int = 0


class NotCompared(Exception):
    """A case that is not asked of the converters; the message says why."""


@dataclass(frozen=True)
class Measured:
    """What was found for one case. ``compared`` rows are real ones, ``edges`` made ones."""

    name: str
    family: str
    task: str
    compared: int
    edges: int
    max_error: float
    tolerance: float
    flips: int
    bit_equal: int
    bytes: int
    float32: Converted | None
    float64: Converted | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fit(case: Case, flights: Flights) -> Any:
    """The fitted estimator of a case."""
    targets = [flights.targets[name] for name in case.targets]
    labels = targets[0] if len(targets) == 1 else np.column_stack(targets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence is not what is measured
        return case.make().fit(frame(case, flights.training, flights.training), labels)


def frame(case: Case, rows: pl.DataFrame, training: pl.DataFrame) -> Any:
    """Rows in the kind of table that the case is fitted on."""
    taken = rows.select(case.inputs)
    if case.table == "polars":
        return taken
    if case.table == "numpy":
        return taken.to_numpy()
    table = taken.to_pandas().astype(dict.fromkeys(TEXTS, object))
    if case.table == "pandas categories":
        for name in TEXTS:
            table[name] = pd.Categorical(table[name], categories=sorted(training[name].unique()))
    return table


def measure(case: Case, flights: Flights, folder: Path, *, converters: bool) -> Measured:
    """Fit, extract, lower, prove, and compare the converters; raises what proving raises."""
    estimator = fit(case, flights)
    columns = {
        name: flights.unseen[name].to_numpy().copy()
        if flights.unseen[name].dtype == pl.Float64
        else np.array(flights.unseen[name].to_list(), dtype=object)
        for name in case.inputs
    }
    target = case.targets[0] if len(case.targets) == 1 else case.targets
    folder.mkdir(parents=True, exist_ok=True)
    proven = prove_exact(estimator, columns, folder, task=case.task, target=target, not_null=case.not_null)
    real, edges = proven.parity
    return Measured(
        name=case.name,
        family=case.family,
        task=case.task if len(case.targets) == 1 else f"{case.task}, {len(case.targets)} targets",
        compared=real.compared,
        edges=edges.compared,
        max_error=max(real.max_error, edges.max_error),
        tolerance=real.tolerance,
        flips=real.label_flips + edges.label_flips,
        bit_equal=real.equal,
        bytes=len(proven.lowered.onnx),
        float32=measure_converters(case, estimator, columns, proven, double=False) if converters else None,
        float64=measure_converters(case, estimator, columns, proven, double=True) if converters else None,
    )


def measure_converters(case: Case, estimator: Any, columns: Any, proven: Proven, *, double: bool) -> Converted:
    """The same estimator by the released converters, on the same real rows."""
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            with _at_most(CONVERTER_S):
                values, labels = _converted(case, estimator, columns, double=double)
    except NotCompared as reason:
        return Converted(failed=f"not compared: {reason}")
    except Exception as error:  # noqa: BLE001 what a converter cannot do is a result
        return Converted(failed=f"{type(error).__name__}: {error}".split("\n")[0][:160])
    native = proven.validation.native
    usable = ~native.failed
    if values.shape != native.values.shape:
        return Converted(failed=f"it gives {values.shape}, the library {native.values.shape}")
    scale = np.maximum(1.0, np.abs(native.values))
    error = (np.abs(values - native.values) / scale)[usable]
    flips = int((labels[usable] != native.labels[usable, 0]).sum()) if labels is not None else 0
    return Converted(rows=int(usable.sum()), max_error=float(error.max()), flips=flips)


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Interrupt what takes longer: with doubles, skl2onnx can look for a threshold without end."""

    def stop(number: int, place: object) -> None:
        raise TimeoutError(f"it did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _converted(case: Case, estimator: Any, columns: Any, *, double: bool) -> tuple[Any, Any]:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    _register()
    number = DoubleTensorType if double else FloatTensorType
    if case.table == "pandas categories":
        raise NotCompared("they take codes in place of categories")
    if case.table == "numpy":
        types = [("X", number([None, len(case.inputs)]))]
        feeds = {"X": np.column_stack([columns[name] for name in case.inputs])}
    else:
        types = [(name, StringTensorType([None, 1]) if name in TEXTS else number([None, 1])) for name in case.inputs]
        feeds = {name: column.reshape(-1, 1) for name, column in columns.items()}
    feeds = {
        name: column if column.dtype == object else column.astype(np.float64 if double else np.float32)
        for name, column in feeds.items()
    }
    options = {"zipmap": False} if case.task != "regression" else None
    model = to_onnx(
        estimator,
        initial_types=types,
        target_opset={"": 18, "ai.onnx.ml": 3},
        options=options and {id(estimator): options},
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, feeds)
    if case.task == "regression":
        return np.asarray(found[0], dtype=np.float64).reshape(len(found[0]), -1), None
    if len(case.targets) > 1:
        raise NotCompared("several classifiers")
    classes = np.asarray(estimator.classes_).tolist()
    labels = np.array([classes.index(value) for value in np.asarray(found[0]).tolist()])
    return np.asarray(found[1], dtype=np.float64), labels


def _register() -> None:
    """onnxmltools' converters of the boosting libraries, for skl2onnx."""
    import catboost
    import lightgbm
    import xgboost
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    for kind, convert in (
        (lightgbm.LGBMClassifier, convert_lightgbm),
        (xgboost.XGBClassifier, convert_xgboost),
    ):
        update_registered_converter(
            kind, kind.__name__, calculate_linear_classifier_output_shapes, convert, options=options
        )
    for kind, convert in ((lightgbm.LGBMRegressor, convert_lightgbm), (xgboost.XGBRegressor, convert_xgboost)):
        update_registered_converter(
            kind, kind.__name__, calculate_linear_regressor_output_shapes, convert, options={"split": None}
        )
    _ = catboost  # it has no converter for pipelines: skl2onnx says so
