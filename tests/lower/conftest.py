"""Rows to fit small estimators on and to prove their lowering with, real ones and made ones."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from prove_lowering import Proven, prove_exact, prove_file, run_extraction

import mintage

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported: small fits, shared machines

Columns = dict[str, Any]
FLIGHT_NUMBERS = ("minute", "distance", "wind_gust", "precip")
FLIGHT_TEXTS = ("carrier", "dest")


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
