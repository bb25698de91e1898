"""Fits small estimators, opens them with the extraction script, and proves the lowering on rows and edge rows."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import joblib
import numpy as np
import polars as pl
import pytest

import mintage
from mintage.lower.estimator import Lowered, lower
from mintage.lower.extract.main import main as extract_estimator
from mintage.model.limits import find_limits
from mintage.model.parity import Parity
from mintage.model.prove import Rows, answer, prove
from mintage.model.runtime import Predictor, stack
from mintage.model.signature import build_signature
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported: small fits, shared machines

Columns = dict[str, Any]
FLIGHT_NUMBERS = ("minute", "distance", "wind_gust", "precip")
FLIGHT_TEXTS = ("carrier", "dest")


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


def make_rows(count: int, seed: int, *, levels: int = 40) -> Columns:
    """Two numbers with missing values, one without, a count, and two texts of which one may be missing."""
    rng = np.random.default_rng(seed)
    columns: Columns = {
        "amount": np.where(rng.random(count) < 0.1, np.nan, rng.lognormal(3.0, 1.0, count)),
        "ratio": rng.normal(size=count),
        "visits": rng.integers(0, 7, count).astype(float),
        "city": _texts(rng, [f"city {level:03}" for level in range(levels)], count),
        "grade": _texts(rng, ["a", "b", "c"], count),
    }
    columns["grade"][rng.random(count) < 0.15] = None
    return columns


def _texts(rng: np.random.Generator, values: list[str], count: int) -> Any:
    column = np.empty(count, dtype=object)
    column[:] = [values[place] for place in rng.integers(0, len(values), count)]
    return column


def target(columns: Columns, seed: int) -> Any:
    """A label that depends on every column."""
    rng = np.random.default_rng(seed)
    lift = np.array([sum(map(ord, city)) % 5 for city in columns["city"]]) - 2.0
    lift += np.array([{None: 1.5, "a": -1.0, "b": 0.0, "c": 1.0}[grade] for grade in columns["grade"]])
    lift += np.where(np.isnan(columns["amount"]), 1.0, np.sin(np.nan_to_num(columns["amount"]) / 9.0) * 2)
    lift += columns["ratio"] + columns["visits"] / 3 - 1
    return (rng.random(len(lift)) < 1 / (1 + np.exp(-lift))).astype(int)


def table(columns: Columns) -> pl.DataFrame:
    """The columns as a data frame."""
    return pl.DataFrame({name: column.tolist() for name, column in columns.items()}, nan_to_null=False)


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


@pytest.fixture(scope="session")
def flight_table() -> pl.DataFrame:
    """Flights of the demo project with the weather of their hour."""
    data = Path(mintage.__file__).parent / "templates" / "flights" / "data"
    weather = pl.read_parquet(data / "weather.parquet").unique(["origin", "hour"], keep="first", maintain_order=True)
    return (
        pl.read_parquet(data / "flights.parquet")
        .filter(pl.col("arr_delay").is_not_null())
        .gather_every(200)
        .with_columns(hour=pl.col("scheduled_departure").dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
        .with_columns(minute=pl.col("scheduled_departure").dt.hour() * 60.0 + pl.col("scheduled_departure").dt.minute())
    )


@pytest.fixture(scope="session")
def flights(flight_table: pl.DataFrame) -> tuple[tuple[Columns, Any], Columns]:
    """Real rows to fit on, with whether the flight was late; and others to compare on."""
    found = flight_table
    numbers = {name: found[name].cast(pl.Float64).fill_null(np.nan).to_numpy().copy() for name in FLIGHT_NUMBERS}
    texts = {name: np.array(found[name].to_list(), dtype=object) for name in FLIGHT_TEXTS}
    late = (found["arr_delay"] > 15).cast(pl.Int64).to_numpy()
    odd = np.arange(found.height) % 2 == 1
    training = {name: column[odd] for name, column in {**numbers, **texts}.items()}
    return (training, late[odd]), {name: column[~odd] for name, column in {**numbers, **texts}.items()}


@pytest.fixture(scope="session")
def delays(flight_table: pl.DataFrame) -> SimpleNamespace:
    """Other targets of the rows to fit on: ``minutes`` late, three ``classes`` of it, ``departure`` minutes late."""
    odd = flight_table.gather_every(2, 1)
    minutes = odd["arr_delay"].cast(pl.Float64).to_numpy().copy()
    classes = np.array(["early", "on time", "late"], dtype=object)[np.digitize(minutes, [0.0, 15.0])]
    departure = odd["dep_delay"].cast(pl.Float64).to_numpy().copy()
    return SimpleNamespace(minutes=minutes, classes=classes, departure=departure)


@pytest.fixture(scope="session")
def shared() -> tuple[tuple[Columns, Any], Columns]:
    """Rows to fit on, with labels; and rows to compare on."""
    columns = make_rows(1200, seed=1)
    return (columns, target(columns, seed=2)), make_rows(300, seed=3)


@pytest.fixture
def case(tmp_path: Path, shared: Any) -> SimpleNamespace:
    """``prove_exact`` in a folder of its own, the shared rows, and the functions that make others."""

    def prove(estimator: Any, columns: Columns, **options: Any) -> Proven:
        return prove_exact(estimator, columns, tmp_path, **options)

    def prove_graph(path: Path, columns: Columns, **options: Any) -> Proven:
        return prove_file(run_extraction(path), columns, tmp_path, **options)

    training, unseen = shared
    return SimpleNamespace(
        prove_graph=prove_graph,
        prove_file=prove_file,
        prove=prove,
        training=training,
        unseen=unseen,
        rows=make_rows,
        target=target,
        table=table,
        folder=tmp_path,
    )
