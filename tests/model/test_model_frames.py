"""A loaded model predicts tables of every kind alike, and refuses what does not fit with an error of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mintage
from mintage.errors import (
    EmptyBatchError,
    InputInfiniteError,
    InputMissingError,
    InputNullError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
)
from mintage.model.loaded import LoadedModel

NAMES = ("city", "grade", "amount", "ratio", "visits")


@pytest.fixture(scope="module")
def model(made: Any) -> LoadedModel:
    return mintage.load(made.built.folder)


@pytest.fixture(scope="module")
def plain(made: Any) -> dict[str, list[Any]]:
    """Ninety rows as lists, None for missing."""
    return {
        name: [None if isinstance(value, float) and np.isnan(value) else value for value in column[:90].tolist()]
        for name, column in made.columns.items()
    }


def kinds(plain: dict[str, list[Any]]) -> dict[str, Any]:
    frame = pl.DataFrame(plain)
    rows = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
    arrays = {name: np.array(values, dtype=object) for name, values in plain.items()}
    whole = pl.col("visits").cast(pl.Int32)
    as_category = pd.DataFrame(plain).astype({"city": "category", "grade": "category"})
    return {
        "dict of lists": plain,
        "dict of arrays": arrays | {"ratio": np.array(plain["ratio"]), "visits": np.array(plain["visits"], dtype=int)},
        "list of dicts": rows,
        "array of objects": np.stack([arrays[name] for name in NAMES], axis=1),
        "polars": frame,
        "polars with whole numbers and categories": frame.with_columns(whole, pl.col("city").cast(pl.Categorical)),
        "pandas": pd.DataFrame(plain),
        "pandas of objects": pd.DataFrame(plain).astype(object),
        "pandas with categories": as_category,
        "pandas with its own missing values": pd.DataFrame(plain).convert_dtypes(),
        "arrow": pa.table(plain),
        "arrow with a dictionary": pa.table(plain).set_column(1, "grade", pa.array(plain["grade"]).dictionary_encode()),
        "another order and more columns": frame.select(*reversed(NAMES), unused=pl.lit(1)),
    }


@pytest.mark.parametrize("kind", list(kinds({name: [1] if name == "visits" else ["a"] for name in NAMES})))
def test_every_kind_of_table_gives_the_same_scores(
    kind: str, model: LoadedModel, plain: dict[str, list[Any]], made: Any
) -> None:
    expected = model.predict({name: column[:90] for name, column in made.columns.items()})
    assert np.array_equal(model.predict(kinds(plain)[kind]).scores, expected.scores)


def test_one_row_as_a_dict_or_an_array_scores_as_in_a_table(model: LoadedModel, plain: dict[str, list[Any]]) -> None:
    expected = model.predict(plain).scores
    for place in range(10):
        row = {name: values[place] for name, values in plain.items()}
        assert model.predict(row).scores.tolist() == [expected[place]]
        assert model.predict(np.array([row[name] for name in NAMES], dtype=object)).scores.tolist() == [expected[place]]
    assert model.predict(
        {**row, "visits": np.int64(row["visits"]), "ratio": np.float64(row["ratio"])}
    ).scores.shape == (1,)


def test_a_prediction_names_its_outputs(model: LoadedModel, plain: dict[str, list[Any]]) -> None:
    found = model.predict(plain)
    assert sorted(found.outputs) == ["label", "probabilities"]
    assert found.probabilities.shape == (90, 2)
    assert found.labels.tolist() == (found.scores >= 0.4).astype(int).tolist()


ROW = {"city": "city 01", "grade": "a", "amount": 3.0, "ratio": 0.5, "visits": 2}


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ({name: value for name, value in ROW.items() if name != "ratio"}, InputMissingError),
        (pl.DataFrame({name: [value] for name, value in ROW.items() if name != "ratio"}), InputMissingError),
        (ROW | {"colour": "red"}, InputUnknownError),
        ([ROW, {**ROW, "colour": "red"}], InputUnknownError),
        ([ROW, {name: value for name, value in ROW.items() if name != "city"}], InputMissingError),
        (ROW | {"amount": "three"}, InputTypeError),
        (ROW | {"amount": True}, InputTypeError),
        (ROW | {"city": 7}, InputTypeError),
        (ROW | {"city": b"x"}, InputTypeError),
        (ROW | {"city": "\ud800"}, InputTypeError),
        (ROW | {"visits": 2.5}, InputTypeError),
        (ROW | {"amount": 2**60 + 1}, InputTypeError),
        (ROW | {"amount": 1 + 2j}, InputTypeError),
        (pd.DataFrame({**{name: [value] for name, value in ROW.items()}, "amount": pd.to_datetime(["2020-01-01"])}),
         InputTypeError),
        (pl.DataFrame({**{name: [value] for name, value in ROW.items()}, "amount": [True]}), InputTypeError),
        (pl.DataFrame({**{name: [value] for name, value in ROW.items()}, "amount": ["3"]}), InputTypeError),
        (pa.table({**{name: [value] for name, value in ROW.items()}, "amount": [b"3"]}), InputTypeError),
        (pa.table({name: [value] * 2 for name, value in ROW.items()} | {"amount": [2**60 + 1, None]}), InputTypeError),
        ("city 01", InputTypeError),
        (7, InputTypeError),
        (["city 01"], InputTypeError),
        (ROW | {"amount": object()}, InputTypeError),
        (ROW | {"ratio": None}, InputNullError),
        (ROW | {"ratio": float("nan")}, InputNullError),
        (ROW | {"city": None}, InputNullError),
        (ROW | {"amount": float("inf")}, InputInfiniteError),
        ({name: [value, value] for name, value in ROW.items()} | {"ratio": [0.5]}, InputShapeError),
        ({name: [value] for name, value in ROW.items()} | {"ratio": np.zeros((1, 2))}, InputShapeError),
        (np.zeros((3, 4)), InputShapeError),
        (np.zeros(4), InputShapeError),
        (np.zeros((1, 1, 5)), InputShapeError),
        ({name: [] for name in ROW}, EmptyBatchError),
        ([], EmptyBatchError),
        (np.empty((0, 5)), EmptyBatchError),
        (pl.DataFrame({name: [value] for name, value in ROW.items()}).clear(), EmptyBatchError),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_an_error_of_its_own(rows: Any, error: type[Exception], model: Any) -> None:
    assert model.predict(ROW).scores.shape == (1,)
    with pytest.raises(error) as caught:
        model.predict(rows)
    assert type(caught.value) is error
    assert model.predict(ROW).scores.shape == (1,)


def test_loading_and_predicting_import_nothing_beyond_the_runtime(made: Any, tmp_path: Path) -> None:
    code = (
        "import sys, mintage\n"
        f"model = mintage.load({str(made.built.folder)!r})\n"
        f"model.predict({ROW!r})\n"
        "heavy = {'pandas', 'polars', 'pyarrow', 'sklearn', 'scipy', 'rich', 'jinja2', 'duckdb', 'uvicorn', 'joblib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
