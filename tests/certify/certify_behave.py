"""Evidence of a model that can be asked: of each task a fault-free one, and a place to plant a fault in its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from certify_evidence import DOMAIN, ROOT
from certify_real import declared
from numpy.typing import NDArray

from mintage.certify.answers import Answers, Task
from mintage.certify.evidence import Evidence, Split
from mintage.certify.served import Columns, Served
from mintage.repo.modelfile import InputSpec

Model = Callable[[Columns], Answers]
INPUTS = {
    "a": InputSpec(type="float", range=(-6.0, 6.0)),
    "b": InputSpec(type="float", range=(-6.0, 6.0)),
    "c": InputSpec(type="int", range=(0.0, 9.0)),
    "kind": InputSpec(type="string"),
    "ticket": InputSpec(type="float", nullable=False),
}
CLASSES = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high"), "regression": ()}


def replace_input(name: str, **changes: Any) -> InputSpec:
    """An input declared with other words."""
    return msgspec.structs.replace(INPUTS[name], **changes)


def slope(columns: Columns) -> NDArray[np.float64]:
    """What the true model is made of: missing numbers count as 0, texts that are not known as others."""
    kind = np.array([0.8 if value == "x" else -0.4 for value in columns["kind"].tolist()])
    a, b, c = (np.nan_to_num(columns[name].astype(np.float64)) for name in ("a", "b", "c"))
    return np.asarray(1.2 * a + 1.2 * b + 0.02 * c + kind)


def answer_by(task: Task, raw: NDArray[np.float64]) -> Answers:
    """The answers of a model of the task whose slope is ``raw``."""
    if task == "regression":
        return Answers(task=task, values=20 + 3 * raw)
    if task == "binary":
        return Answers(task=task, values=1 / (1 + np.exp(-raw)))
    lifted = np.exp(np.column_stack([-raw, np.zeros(len(raw)), raw]))
    return Answers(task=task, values=lifted / lifted.sum(axis=1, keepdims=True))


def fault_free(task: Task) -> Model:
    """The model that knows the truth."""
    return lambda columns: answer_by(task, slope(columns))


def make_split(
    rng: np.random.Generator, task: Task, model: Model, *, name: str, rows: int, grouped: bool = False
) -> Split:
    """Rows whose labels are drawn from the true probabilities, and the model's answers to them."""
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    columns: dict[str, NDArray[Any]] = {
        "a": np.where(rng.random(rows) < 0.02, np.nan, a),
        "b": b,
        "c": rng.integers(0, 10, rows).astype(np.float64),
        "kind": rng.choice(["x", "y", "z"], size=rows).astype(object),
        "ticket": rng.permutation(rows).astype(np.float64),
    }
    truth = answer_by(task, slope(columns)).values
    if task == "regression":
        labels: NDArray[Any] = truth + 2 * rng.normal(size=rows)
    elif task == "binary":
        labels = (rng.random(rows) < truth).astype(np.int64)
    else:
        labels = (truth.cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1).clip(0, 2)
    groups = np.array([f"{name}-{row // 40}" for row in range(rows)], dtype=object) if grouped else None
    return Split(name=name, columns=columns, labels=labels, answers=model(columns), groups=groups)


def accepts(columns: Columns) -> NDArray[np.bool_]:
    """What the signature lets in: a ticket is never missing, a count is a whole number."""
    whole = columns["c"]
    return np.asarray(~np.isnan(columns["ticket"]) & (np.isnan(whole) | (whole == np.round(whole))))


def make_behaving(
    task: Task,
    *,
    model: Model | None = None,
    seed: int = 1,
    rows: int = 4000,
    grouped: bool = False,
    served: Served | None = None,
    **changes: Any,
) -> Evidence:
    """Evidence of ``model``, by default of the fault-free one; ``served`` replaces what is asked."""
    own = model or fault_free(task)
    rng = np.random.default_rng(seed)
    train = make_split(rng, task, own, name="training", rows=rows, grouped=grouped)
    holdout = make_split(rng, task, own, name="hold-out", rows=rows, grouped=grouped)
    parts: dict[str, Any] = {
        "model": "late",
        "root": ROOT,
        "domain": DOMAIN,
        "classes": CLASSES[task],
        "group_key": "day" if grouped else None,
        "train": train,
        "holdout": holdout,
        "validation": make_split(rng, task, own, name="validation", rows=rows, grouped=grouped),
        "served": served or Served(own, accepts=accepts),
        "spec": declared(train, inputs=INPUTS),
        "formats": {"model.onnx": "onnx", "card.json": "json"},
    }
    return Evidence(**(parts | changes))
