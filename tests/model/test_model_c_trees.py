"""TreeEnsemble in C gives onnxruntime's sums to the bit: in both types, by all comparisons, with NaN, many targets."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import DOUBLE, FLOAT, Probe, assert_same, both
from runtime_suite import onnxruntime_answers

from mintage.errors import GraphRefusedError
from mintage.model.compile.c.program import compile_c
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.c import FLAGS, RUNTIME, find_compiler

pytestmark = pytest.mark.skipif(isinstance(RUNTIME.find(), Missing), reason="there is no C compiler: install gcc")
LEQ, LESS, MEMBER = 0, 1, 6
COLUMNS = 4


def forest(
    rng: np.random.Generator,
    *,
    trees: int,
    depth: int,
    modes: tuple[int, ...] = (LEQ,),
    targets: int = 1,
    missing: bool = True,
    kind: type = np.float64,
    sets: list[list[float]] | None = None,
) -> dict[str, Any]:
    """The attributes of random trees over ``COLUMNS`` columns; sets are asked of the last one only."""
    parts: dict[str, list[Any]] = {
        name: [] for name in ("mode", "feature", "split", "missing", "true", "true_leaf", "false", "false_leaf")
    }
    leaves: list[int] = []
    members: list[float] = []

    def grow(left: int) -> tuple[int, int]:
        if left == 0 or (left < depth and rng.random() < 0.2):
            leaves.append(int(rng.integers(targets)))
            return len(leaves) - 1, 1
        at = len(parts["mode"])
        mode = modes[rng.integers(len(modes))]
        for values in parts.values():
            values.append(0)
        parts["mode"][at] = mode
        parts["feature"][at] = COLUMNS - 1 if mode == MEMBER else int(rng.integers(COLUMNS - (MEMBER in modes)))
        parts["split"][at] = 0.0 if mode == MEMBER else float(rng.integers(-6, 7)) / 3
        parts["missing"][at] = int(missing and mode != MEMBER and rng.random() < 0.5)
        if mode == MEMBER:
            made = sets[rng.integers(len(sets))] if sets else np.flatnonzero(rng.random(40) < 0.4).tolist() or [3]
            members.extend([*map(float, made), np.nan])
        parts["true"][at], parts["true_leaf"][at] = grow(left - 1)
        parts["false"][at], parts["false_leaf"][at] = grow(left - 1)
        return at, 0

    roots = [grow(depth)[0] for _ in range(trees)]
    found = {
        "n_targets": targets,
        "tree_roots": roots,
        "nodes_modes": np.array(parts["mode"], dtype=np.uint8),
        "nodes_featureids": parts["feature"],
        "nodes_splits": np.array(parts["split"], dtype=kind),
        "nodes_missing_value_tracks_true": parts["missing"],
        "nodes_truenodeids": parts["true"],
        "nodes_trueleafs": parts["true_leaf"],
        "nodes_falsenodeids": parts["false"],
        "nodes_falseleafs": parts["false_leaf"],
        "leaf_targetids": leaves,
        "leaf_weights": rng.normal(size=len(leaves)).astype(kind),
    }
    return {**found, "membership_values": np.array(members, dtype=kind)} if members else found


def table(rng: np.random.Generator, rows: int, *, missing: bool = True) -> dict[str, Any]:
    """Values of which many stand at a split; codes from 0 up in the last column."""
    found: dict[str, Any] = {}
    for at in range(COLUMNS):
        column = np.where(rng.random(rows) < 0.5, rng.integers(-7, 8, rows) / 3, rng.normal(0, 2, rows))
        found[f"x{at}"] = np.where(missing & (rng.random(rows) < 0.15), np.nan, column)
    return found


def probe_of(kind: int, ensembles: list[tuple[dict[str, Any], int]]) -> Probe:
    """A graph of ensembles over the same columns."""
    probe = Probe(**{f"x{at}": "number" for at in range(COLUMNS)})
    matrix = probe.as_type(probe.concat([f"x{at}" for at in range(COLUMNS)]), kind)
    for attributes, targets in ensembles:
        probe.give(probe.add_ml("TreeEnsemble", [matrix], **attributes), width=targets)
    return probe


@pytest.mark.parametrize(("kind", "type_"), [(DOUBLE, np.float64), (FLOAT, np.float32)], ids=["double", "float"])
@pytest.mark.parametrize("modes", [(LEQ,), (LESS,), (LEQ, LESS)], ids=["<=", "<", "both"])
def test_trees_with_missing_values(modes: tuple[int, ...], kind: int, type_: type, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    options: list[dict[str, Any]] = [{}, {"missing": False}, {"targets": 3}]
    ensembles = [
        (forest(rng, trees=7, depth=6, modes=modes, kind=type_, **more), more.get("targets", 1)) for more in options
    ]
    found, expected = both(probe_of(kind, ensembles), table(rng, 900), tmp_path)
    assert_same(found, expected)
    assert len(np.unique(found.values[:, 0])) > 50


@pytest.mark.parametrize(("kind", "type_"), [(DOUBLE, np.float64), (FLOAT, np.float32)], ids=["double", "float"])
def test_trees_that_ask_for_sets(kind: int, type_: type, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    odd: list[list[float]] = [[-1.0], [0.0], [0.0, 1.0, 31.0, 32.0, 64.0], [5.0], [-3.0, 2.0, 100_000.0], [0.5, 7.0]]
    ensembles = [
        (forest(rng, trees=7, depth=5, modes=(MEMBER, LEQ), kind=type_, sets=sets), 1) for sets in (None, odd, odd[:4])
    ]
    rows = table(rng, 900)
    rows["x3"] = np.array([-3, -2, -1, 0, 3, 1, 2, 5, 7, 31, 32, 33, 39, 40, 64, 65, 100_000, 1e9])[
        rng.integers(0, 18, 900)
    ]
    found, expected = both(probe_of(kind, ensembles), rows, tmp_path)
    assert_same(found, expected)
    assert len(np.unique(found.values[:, 1])) > 20


@pytest.mark.parametrize(("kind", "type_"), [(DOUBLE, np.float64), (FLOAT, np.float32)], ids=["double", "float"])
def test_an_infinite_threshold_splits_off_missing_values_alone(kind: int, type_: type, tmp_path: Path) -> None:
    """scikit-learn's forests have them."""
    rng = np.random.default_rng(15)
    attributes = forest(rng, trees=6, depth=5, kind=type_)
    places = rng.permutation(len(attributes["nodes_splits"]))
    attributes["nodes_splits"][places[:12]] = np.inf
    attributes["nodes_splits"][places[12:18]] = -np.inf
    assert_same(*both(probe_of(kind, [(attributes, 1)]), table(rng, 600), tmp_path))


@pytest.mark.parametrize("code", [np.nan, 2.5])
def test_missing_value_and_a_fraction_are_in_no_set(code: float, tmp_path: Path) -> None:
    """Runtimes differ here, so a model of ours never asks; C answers as if the code were unknown."""
    rng = np.random.default_rng(13)
    probe = probe_of(DOUBLE, [(forest(rng, trees=5, depth=5, modes=(MEMBER,)), 1)])
    signature, data = probe.signature(), probe.model(outputs=probe.outputs)
    rows = {f"x{at}": np.zeros(1) for at in range(COLUMNS)}
    with RUNTIME.open(data, signature, tmp_path) as session:
        absent = session.answer({**rows, "x3": np.array([code])})
        unknown = session.answer({**rows, "x3": np.array([9e9])})
    assert_same(absent, unknown)


def test_large_forest_is_tables_and_its_object_is_smaller_than_the_graph(tmp_path: Path) -> None:
    rng = np.random.default_rng(14)
    probe = probe_of(DOUBLE, [(forest(rng, trees=100, depth=10), 1)])
    signature, data = probe.signature(), probe.model(outputs=probe.outputs)
    with RUNTIME.open(data, signature, tmp_path) as session:
        rows = table(rng, 300)
        assert_same(session.answer(rows), onnxruntime_answers(data, signature, rows))
    command = [*(find_compiler() or []), *FLAGS, "-c", "model.c", "-o", "model.o"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "model.o").stat().st_size < len(data)


def test_other_comparisons_are_refused() -> None:
    attributes = forest(np.random.default_rng(15), trees=1, depth=2, modes=(3,))
    probe = probe_of(DOUBLE, [(attributes, 1)])
    with pytest.raises(GraphRefusedError):
        compile_c(probe.model(outputs=probe.outputs), probe.signature(), "probe")
