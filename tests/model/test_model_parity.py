"""The parity gate sees every small fault: thresholds by one ulp, NaN flags, swapped children, lost categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from mintage.lower.description import read_description
from mintage.lower.estimator import lower
from mintage.lower.extraction import read_native
from mintage.model.package import open_package
from mintage.model.parity import Answer, compare
from mintage.model.prove import Rows, answer_edges, compare_rows
from mintage.model.runtime import Predictor


class Gate:
    """A built model with the original's answers on validation and edge rows; judges a changed graph."""

    def __init__(self, made: Any, folder: Any) -> None:
        out = made.folder / "work" / "validation" / "out"
        self.lowered = lower(read_description(out), threshold=made.spec.threshold)
        self.signature = open_package(made.built.folder).signature
        predictor = Predictor(self.lowered.onnx, self.signature)
        validation = Rows("validation", made.columns, read_native(out, rows=300, width=2, targets=1))
        edges = answer_edges(
            validation,
            lowered=self.lowered,
            predictor=predictor,
            extract=made.inside,
            folder=folder,
            rng=np.random.default_rng(5),
        )
        self.sets = (validation, edges)

    def passes(self, data: bytes) -> bool:
        predictor = Predictor(data, self.signature)
        return all(compare_rows(rows.name, rows.columns, rows.native, predictor).passed for rows in self.sets)

    def attributes(self) -> tuple[Any, dict[str, Any]]:
        model = onnx.load_model_from_string(self.lowered.onnx)
        node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
        return model, {attribute.name: attribute for attribute in node.attribute}

    def with_array(self, name: str, values: Any) -> bytes:
        model, found = self.attributes()
        found[name].t.CopyFrom(numpy_helper.from_array(values))
        data: bytes = model.SerializeToString()
        return data

    def array(self, name: str) -> Any:
        return numpy_helper.to_array(self.attributes()[1][name].t).copy()

    def ints(self, name: str) -> list[int]:
        return list(self.attributes()[1][name].ints)

    def with_ints(self, changes: dict[str, list[int]]) -> bytes:
        model, found = self.attributes()
        for name, values in changes.items():
            found[name].ints[:] = values
        data: bytes = model.SerializeToString()
        return data


@pytest.fixture(scope="module")
def gate(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(made, tmp_path_factory.mktemp("gate"))


def thresholds(gate: Gate) -> list[int]:
    return [place for place, mode in enumerate(gate.array("nodes_modes").tolist()) if mode == 0]


def test_the_unchanged_graph_passes(gate: Gate) -> None:
    assert gate.passes(gate.lowered.onnx)
    assert len(thresholds(gate)) >= 10


@pytest.mark.parametrize("towards", [np.inf, -np.inf])
def test_every_threshold_moved_by_one_ulp_is_seen(gate: Gate, towards: float) -> None:
    splits = gate.array("nodes_splits")
    for place in thresholds(gate):
        changed = splits.copy()
        changed[place] = np.nextafter(changed[place], towards)
        assert not gate.passes(gate.with_array("nodes_splits", changed)), f"node {place}"


def test_every_turned_nan_flag_is_seen(gate: Gate) -> None:
    flags = gate.ints("nodes_missing_value_tracks_true")
    features, amount = gate.ints("nodes_featureids"), 0
    seen = 0
    for place in thresholds(gate):
        changed = flags.copy()
        changed[place] = 1 - changed[place]
        red = not gate.passes(gate.with_ints({"nodes_missing_value_tracks_true": changed}))
        seen += red
        assert red or not reachable_with_nan(gate, place), f"node {place} on feature {features[place]}"
    assert seen >= 5
    assert amount in features


def reachable_with_nan(gate: Gate, place: int) -> bool:
    """Whether a missing value gets to an inner node at all: no split above it on the same column sends it away."""
    features, modes = gate.ints("nodes_featureids"), gate.array("nodes_modes")
    flags = gate.ints("nodes_missing_value_tracks_true")
    node = place
    while True:
        parents = [
            (parent, side)
            for side in ("true", "false")
            for parent, (child, leaf) in enumerate(
                zip(gate.ints(f"nodes_{side}nodeids"), gate.ints(f"nodes_{side}leafs"), strict=True)
            )
            if child == node and not leaf
        ]
        if not parents:
            return True
        parent, side = parents[0]
        if features[parent] == features[place] and modes[parent] == 0 and (flags[parent] == 1) != (side == "true"):
            return False
        node = parent


def test_every_pair_of_swapped_children_is_seen(gate: Gate) -> None:
    names = ("nodes_truenodeids", "nodes_trueleafs", "nodes_falsenodeids", "nodes_falseleafs")
    true, true_leaf, false, false_leaf = (gate.ints(name) for name in names)
    for place in range(len(true)):
        changed = [list(part) for part in (true, true_leaf, false, false_leaf)]
        changed[0][place], changed[2][place] = false[place], true[place]
        changed[1][place], changed[3][place] = false_leaf[place], true_leaf[place]
        assert not gate.passes(gate.with_ints(dict(zip(names, changed, strict=True)))), f"node {place}"


def test_every_category_that_leaves_its_set_is_seen(gate: Gate) -> None:
    sets = gate.array("membership_values")
    kept = [place for place, value in enumerate(sets.tolist()) if not np.isnan(value)]
    assert len(kept) >= 10
    for place in kept:
        changed = sets.copy()
        changed[place] = -1.0
        assert not gate.passes(gate.with_array("membership_values", changed)), f"member {place}"


def judge(**changes: Any) -> Any:
    scores = np.array([0.2, 0.4, 0.7])
    arrays: dict[str, Any] = {
        "native_scores": scores,
        "native_labels": np.array([0, 0, 1]),
        "native_failed": np.zeros(3, dtype=bool),
        "scores": scores,
        "labels": np.array([0, 1, 1]),
        "accepted": np.ones(3, dtype=bool),
    }
    parts = {**arrays, **changes}
    return compare(
        name="rows",
        native=binary(parts["native_scores"], parts["native_labels"]),
        failed=parts["native_failed"],
        found=binary(parts["scores"], parts["labels"]),
        accepted=parts["accepted"],
        widths=(2,),
        threshold=0.4,
    )


def binary(scores: Any, labels: Any) -> Answer:
    return Answer(np.stack([1.0 - scores, scores], axis=1), labels.reshape(-1, 1))


def test_nan_is_never_within_tolerance() -> None:
    assert judge().passed
    found = judge(scores=np.array([0.2, np.nan, 0.7]))
    assert (found.passed, found.not_finite, found.worst) == (False, 1, 1)
    nan = np.full(3, np.nan)
    assert not judge(scores=nan, native_scores=nan).passed


def test_a_label_flip_fails_even_within_tolerance() -> None:
    found = judge(labels=np.array([0, 0, 1]))
    assert (found.passed, found.label_flips, found.max_error) == (False, 1, 0.0)
    assert judge(native_labels=np.array([0, 1, 1])).label_flips == 1


def test_a_row_that_only_the_original_refuses_fails() -> None:
    failed = np.array([False, True, False])
    gone = np.array([0.2, np.nan, 0.7])
    assert judge(native_scores=gone, native_failed=failed).refused_by_original == 1
    assert not judge(native_scores=gone, native_failed=failed).passed
    both = judge(native_scores=gone, native_failed=failed, accepted=~failed)
    assert (both.passed, both.refused, both.compared) == (True, 1, 2)


def test_no_rows_compared_is_no_proof() -> None:
    none, flags = np.zeros(0), np.zeros(0, dtype=bool)
    answers = binary(none, none.astype(np.int64))
    found = compare(
        name="rows", native=answers, failed=flags, found=answers, accepted=flags, widths=(2,), threshold=0.5
    )
    assert not found.passed


def several(native: Any, found: Any, native_labels: Any, labels: Any, widths: tuple[int, ...] = (3,)) -> Any:
    rows = len(native)
    return compare(
        name="rows",
        native=Answer(np.array(native), np.array(native_labels).reshape(rows, -1)),
        failed=np.zeros(rows, dtype=bool),
        found=Answer(np.array(found), np.array(labels).reshape(rows, -1)),
        accepted=np.ones(rows, dtype=bool),
        widths=widths,
        threshold=0.5,
    )


def test_of_several_classes_another_class_is_a_flip_but_for_an_exact_tie() -> None:
    rows = [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]
    assert several(rows, rows, [1, 0], [1, 1]).passed
    assert several(rows, rows, [1, 0], [2, 0]).label_flips == 1


def test_each_target_is_judged_by_its_own_classes() -> None:
    rows = [[0.6, 0.4, 0.1, 0.2, 0.7]]
    assert several(rows, rows, [[0, 2]], [[0, 2]], widths=(2, 3)).passed
    assert several(rows, rows, [[0, 2]], [[1, 2]], widths=(2, 3)).label_flips == 1
    assert several(rows, rows, [[0, 2]], [[0, 1]], widths=(2, 3)).label_flips == 1


def test_numbers_beyond_one_are_compared_by_their_share() -> None:
    native = [[1e6], [0.5]]
    assert several(native, [[1e6 * (1 + 5e-13)], [0.5]], [[], []], [[], []], widths=()).passed
    assert not several(native, [[1e6 * (1 + 5e-12)], [0.5]], [[], []], [[], []], widths=()).passed
    assert not several(native, [[1e6], [0.5 + 5e-12]], [[], []], [[], []], widths=()).passed
    assert not several([[np.inf]], [[np.inf]], [[]], [[]], widths=()).passed
