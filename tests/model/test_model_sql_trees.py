"""TreeEnsemble in SQL gives onnxruntime's sums to the bit: in both types, by all comparisons, deep, wide and many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import DOUBLE, FLOAT
from sql_runtimes import assert_near, both, postgresql_server, runtime  # noqa: F401 fixtures
from test_model_c_trees import LEQ, LESS, MEMBER, forest, probe_of, table

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql import trees as sql_trees
from mintage.model.compile.sql.query import compile_sql
from mintage.model.runtimes.base import Runtime

TYPES = pytest.mark.parametrize(("kind", "type_"), [(DOUBLE, np.float64), (FLOAT, np.float32)], ids=["double", "float"])


@TYPES
@pytest.mark.parametrize("modes", [(LEQ,), (LESS,), (LEQ, LESS)], ids=["<=", "<", "both"])
def test_trees_with_missing_values(
    modes: tuple[int, ...],
    kind: int,
    type_: type,
    runtime: Runtime,  # noqa: F811
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(11)
    options: list[dict[str, Any]] = [{}, {"missing": False}, {"targets": 3}]
    ensembles = [
        (forest(rng, trees=7, depth=6, modes=modes, kind=type_, **more), more.get("targets", 1)) for more in options
    ]
    found, expected = both(probe_of(kind, ensembles), table(rng, 900), runtime, tmp_path)
    assert_near(found, expected)
    assert len(np.unique(found.values[:, 0])) > 50


@TYPES
def test_trees_that_ask_for_sets(kind: int, type_: type, runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    rng = np.random.default_rng(12)
    odd: list[list[float]] = [[-1.0], [0.0], [0.0, 1.0, 31.0, 32.0, 64.0], [5.0], [-3.0, 2.0, 100_000.0], [0.5, 7.0]]
    ensembles = [(forest(rng, trees=7, depth=5, modes=(MEMBER, LEQ), kind=type_, sets=sets), 1) for sets in (None, odd)]
    rows = table(rng, 900)
    codes = np.array([-3, -2, -1, 0, 3, 1, 2, 5, 7, 31, 32, 33, 39, 40, 64, 65, 100_000, 1e9])
    rows["x3"] = codes[rng.integers(0, len(codes), 900)]
    assert_near(*both(probe_of(kind, ensembles), rows, runtime, tmp_path))


@TYPES
def test_more_trees_than_a_parser_takes_in_one_sum(
    kind: int,
    type_: type,
    runtime: Runtime,  # noqa: F811
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(13)
    ensembles = [(forest(rng, trees=1100, depth=2, kind=type_), 1)]
    # onnxruntime adds many trees in parts, so the last bits differ
    assert_near(
        *both(probe_of(kind, ensembles), table(rng, 300), runtime, tmp_path), 1e-12 if type_ is np.float64 else 1e-4
    )


def chain(length: int) -> dict[str, Any]:
    """A tree that is one long branch: it counts how many thirds above -length/6 a number is."""
    return {
        "n_targets": 1,
        "tree_roots": [0],
        "nodes_modes": np.zeros(length, dtype=np.uint8),
        "nodes_featureids": [0] * length,
        "nodes_splits": (np.arange(length) - length / 2) / 3,
        "nodes_missing_value_tracks_true": [int(place % 7 == 5) for place in range(length)],
        "nodes_truenodeids": list(range(length)),
        "nodes_trueleafs": [1] * length,
        "nodes_falsenodeids": [*range(1, length), length],
        "nodes_falseleafs": [0] * (length - 1) + [1],
        "leaf_targetids": [0] * (length + 1),
        "leaf_weights": np.arange(length + 1) / 7,
    }


def test_a_tree_deeper_than_a_parser_takes(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    rng = np.random.default_rng(14)
    found, expected = both(probe_of(DOUBLE, [(chain(1500), 1)]), table(rng, 300), runtime, tmp_path)
    assert_near(found, expected)
    rows = {**table(rng, 300), "x0": rng.uniform(-260, 260, 300)}
    found, expected = both(probe_of(DOUBLE, [(chain(1500), 1)]), rows, runtime, tmp_path)
    assert_near(found, expected)
    assert len(np.unique(found.values)) > 100


def test_a_tree_with_equal_leaves_on_both_sides_is_its_leaf(tmp_path: Path) -> None:
    attributes = {**chain(3), "leaf_weights": np.full(4, 0.25)}
    probe = probe_of(DOUBLE, [(attributes, 1)])
    text = compile_sql(probe.model(outputs=probe.outputs), probe.signature(), "duckdb", table="rows")
    assert "CASE" not in text


def test_an_ensemble_that_no_database_plans_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_trees, "MOST_SPLITS", 20)
    probe = probe_of(DOUBLE, [(chain(21), 1)])
    with pytest.raises(GraphRefusedError) as caught:
        compile_sql(probe.model(outputs=probe.outputs), probe.signature(), "duckdb", table="rows")
    assert caught.value.expected == "at most 20 splits"
    assert caught.value.found == "21"


def test_splits_on_one_hot_columns_ask_for_the_category(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    rng = np.random.default_rng(15)
    probe = probe_of(DOUBLE, [])
    one_hot = probe.as_type(probe.add("Equal", ["x3", probe.number([0.0, 1.0, 2.0, 3.0])]), DOUBLE)
    for through in (DOUBLE, FLOAT):
        features = probe.as_type(probe.as_type(one_hot, through), DOUBLE)
        attributes = forest(rng, trees=5, depth=4, missing=False)
        attributes["nodes_splits"] = np.where(rng.random(len(attributes["nodes_splits"])) < 0.8, 0.5, 1.5)
        probe.give(probe.add_ml("TreeEnsemble", [features], **attributes))
    rows = {**table(rng, 300), "x3": np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])[rng.integers(0, 6, 300)]}
    assert_near(*both(probe, rows, runtime, tmp_path))
