"""Models made by hand, of every task: small trees over a text of 100 categories, of which a split takes more than 64.

``hand_made(task)`` is a Package that is in no folder, as exports and runtimes take it; its golden answers are those of
the runtime of record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from runtime_suite import onnxruntime_answers

from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, emit
from mintage.model.golden import Golden, encode_golden
from mintage.model.package import Package
from mintage.model.signature import Input, Output, Signature, encode_signature

TASKS = ("binary", "multiclass", "regression", "two regressions", "two targets")
ORIGINS = (*(f"Flughafen {place:03}" for place in range(99)), "Åre 'Ö' \"\U0001f6eb\"")
CARRIERS = ("UA", "DL", "B6")
INPUTS = (
    Input(name="origin", datatype="BYTES", categories=ORIGINS, about="where it starts | <b>"),
    Input(name="carrier", datatype="BYTES", nullable=False, categories=CARRIERS, closed=True),
    Input(name="dep delay", datatype="FP64", range=(-60.0, 600.0), limits=(-1e9, 1e9), unit="min"),
    Input(name="seats", datatype="FP64", nullable=False, integer=True, range=(1.0, None)),
)


def hand_made(task: str, *, threshold: float = 0.4, shift: float = 0.0, rows: int = 200) -> Package:
    """A model; ``shift`` is added to a split of its first tree."""
    targets: tuple[str, ...] = ("late", "cause") if task.startswith("two") else ("late",)
    signature = Signature(
        model="flights",
        task={"two regressions": "regression", "two targets": "multiclass"}.get(task, task),
        target=targets if len(targets) > 1 else targets[0],
        inputs=INPUTS,
        outputs=_outputs(task),
        threshold=threshold,
    )
    onnx = _graph(task, threshold, shift)
    columns = table(rows)
    found = onnxruntime_answers(onnx, signature, columns)
    golden = Golden(columns=columns, values=found.values, labels=found.labels, tolerance=1e-12)
    inputs, expected = encode_golden(golden)
    files = {
        "CARD.md": b"# flights\n",
        "model.onnx": onnx,
        "signature.json": encode_signature(signature),
        "golden/inputs.json": inputs,
        "golden/expected.json": expected,
    }
    return Package(folder=Path("no folder"), root="b3:" + "07" * 32, key_id=None, signature=signature, files=files)


def table(rows: int, seed: int = 5) -> dict[str, Any]:
    """Rows that validation accepts: known, unseen and missing values."""
    rng = np.random.default_rng(seed)
    origin, carrier = np.empty(rows, dtype=object), np.empty(rows, dtype=object)
    known = (*ORIGINS, None, "never seen", "", "Flughafen 00", "日本\n")
    origin[:] = [known[place] for place in rng.integers(0, len(known), rows)]
    carrier[:] = [CARRIERS[place] for place in rng.integers(0, 3, rows)]
    delay = np.where(rng.random(rows) < 0.1, np.nan, np.round(rng.normal(20, 60, rows), 1))
    return {"origin": origin, "carrier": carrier, "dep delay": delay, "seats": rng.integers(1, 400, rows) * 1.0}


def _outputs(task: str) -> tuple[Output, ...]:
    two, three = ("no", "yes"), (1, 2, 3)
    match task:
        case "binary":
            return _classes("", two)
        case "multiclass":
            return _classes("", three)
        case "two targets":
            return (*_classes(".late", two), *_classes(".cause", three))
    return (Output(name="value", datatype="FP64", shape=(-1, 2 if task == "two regressions" else 1)),)


def _classes(tail: str, classes: tuple[Any, ...]) -> tuple[Output, ...]:
    return (
        Output(name=f"probabilities{tail}", datatype="FP64", shape=(-1, len(classes))),
        Output(name=f"label{tail}", datatype="INT64", shape=(-1,), classes=classes),
    )


def _graph(task: str, threshold: float, shift: float) -> bytes:
    graph = Graph()
    columns = [graph.input(item.name, text=item.datatype == "BYTES") for item in INPUTS]
    for place, known in ((0, ORIGINS), (1, CARRIERS)):
        columns[place] = graph.add_ml(
            "LabelEncoder",
            [columns[place]],
            keys_strings=list(known),
            values_tensor=np.arange(len(known), dtype=np.float64),
            default_tensor=np.array([float(len(known))]),
        )
    features = graph.concat(columns)
    margins = [
        _margin(graph, features, seed, shift if seed == 0 else 0.0)
        for seed in {"multiclass": (1, 2, 3), "two regressions": (0, 1), "two targets": (0, 1, 2, 3)}.get(task, (0,))
    ]
    match task:
        case "binary":
            return graph.model(outputs=_two(graph, margins[0], threshold))
        case "multiclass":
            return graph.model(outputs=_three(graph, margins))
        case "two targets":
            late, cause = _two(graph, margins[0], threshold), _three(graph, margins[1:])
            parts = {"late": late, "cause": cause}
            return graph.model(
                outputs={f"{name}.{target}": part[name] for target, part in parts.items() for name in part}
            )
    return graph.model(outputs={"value": (graph.concat(margins), "double", len(margins))})


def _three(graph: Graph, margins: list[str]) -> dict[str, tuple[str, str, int | None]]:
    exps = [graph.add("Exp", [margin]) for margin in margins]
    total = graph.add("Add", [graph.add("Add", exps[:2]), exps[2]])
    three = graph.concat([graph.add("Div", [exp, total]) for exp in exps])
    label = graph.add("ArgMax", [three], axis=1, keepdims=0)
    return {"probabilities": (three, "double", 3), "label": (label, "int64", None)}


def _two(graph: Graph, margin: str, threshold: float) -> dict[str, tuple[str, str, int | None]]:
    positive = graph.add("Sigmoid", [margin])
    negative = graph.add("Sub", [graph.constant(np.array([[1.0]])), positive])
    above = graph.add("GreaterOrEqual", [positive, graph.constant(np.array([[threshold]]))])
    label = graph.add("Squeeze", [graph.add("Cast", [above], to=7), graph.constant(np.array([1]))])
    return {"probabilities": (graph.concat([negative, positive]), "double", 2), "label": (label, "int64", None)}


def _margin(graph: Graph, features: str, seed: int, shift: float) -> str:
    """Trees of three splits: 70 of the origins, then the delay, then the carrier or the seats."""
    rng = np.random.default_rng(seed)
    trees = []
    for number in range(5):
        origins = tuple(sorted(int(place) for place in rng.permutation(101)[:70]))
        delay = float(np.round(rng.normal(20, 40), 1)) + (shift if number == 0 else 0.0)
        leaves = rng.normal(size=4)
        trees.append(
            Tree(
                feature=np.array([0, 2, 1 if number % 2 else 3, 0, 0, 0, 0]),
                threshold=np.array([0.0, delay, 200.0, 0, 0, 0, 0]),
                members=(origins, None, (0, 2) if number % 2 else None, None, None, None, None),
                missing_left=np.array([False, number % 2 == 0, False, *[False] * 4]),
                left=np.array([1, 3, 5, 0, 0, 0, 0]),
                right=np.array([2, 4, 6, 0, 0, 0, 0]),
                is_leaf=np.array([False, False, False, True, True, True, True]),
                value=np.array([0.0, 0.0, 0.0, *leaves]),
            )
        )
    total, _ = emit(graph, trees, features)
    assert total is not None
    return total
