"""Evidence of plain models on scikit-learn's own data sets, split by chance, with a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from certify_evidence import DOMAIN, ROOT
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Evidence, Native, Role, Split
from mintage.certify.policy import parse_policy
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

HEAD = "model: real\nowner: risk@example.org\nstatistics: {seed: 3, draws: 1000}\nrequirements:\n"
TASKS = ("binary", "multiclass", "regression")


def real_evidence(task: str, *, seed: int = 0, by_time: bool = False) -> Evidence:
    """Breast cancer, wine or diabetes: three quarters train a model, the others judge it."""
    table, labels, names = _table(task)
    order = np.arange(len(labels)) if by_time else np.random.default_rng(seed).permutation(len(labels))
    cut = len(labels) * 3 // 4
    parts = order[:cut], order[cut:]
    model = _fitted(task, table[parts[0]], labels[parts[0]])
    train, holdout = (
        _split(
            name,
            task=task,
            columns=dict(zip(names, table[part].T, strict=True)),
            labels=labels[part],
            model=model,
            places=part,
        )
        for name, part in zip(("training", "hold-out"), parts, strict=True)
    )
    values = holdout.answers.values
    return Evidence(
        model="real",
        root=ROOT,
        domain=DOMAIN,
        train=train,
        holdout=holdout,
        classes=() if task == "regression" else tuple(map(str, range(int(labels.max()) + 1))),
        native=Native(holdout=values, edge=values[:5], edge_served=values[:5]),
        spec=declared(train, holdout),
    )


def declared(train: Split, *others: Split, **changes: Any) -> ModelSpec:
    """A model file whose ranges are those of the splits, a tenth wider, and whose categories are theirs."""
    inputs = {}
    for name in train.columns:
        column = np.concatenate([split.columns[name] for split in (train, *others)])
        if column.dtype.kind == "O":
            known = tuple(sorted({value for value in column.tolist() if value is not None}))
            inputs[name] = InputSpec(type="string", categories=known, nullable=bool((column == None).any()))  # noqa: E711
        else:
            low, high = float(np.nanmin(column)), float(np.nanmax(column))
            width = 0.1 * (high - low)
            inputs[name] = InputSpec(
                type="float", range=(low - width, high + width), nullable=bool(np.isnan(column).any())
            )
    parts: dict[str, Any] = {
        "model": "real",
        "task": train.task,
        "target": "y",
        "purpose": "x",
        "owner": "x",
        "inputs": inputs,
        "data": DataFiles(train="a", validation="b", holdout="c"),
        "time": "seen",
        "id": "row",
    }
    return ModelSpec(**(parts | changes))


def results(evidence: Evidence, *requirements: str) -> dict[str, CheckResult]:
    """The results of the given requirements, one line of YAML each, by id."""
    text = HEAD + "".join(f"  - {{{line}}}\n" for line in requirements)
    return {item.requirement: item for item in certify(evidence, parse_policy(text.encode(), where="p")).results}


def with_columns(
    evidence: Evidence, change: Callable[[Split], dict[str, NDArray[Any]]], *, splits: tuple[str, ...]
) -> Evidence:
    """The evidence after ``change`` gave new columns (of the inputs) to the named splits."""
    found = {
        name: replace(part, columns={**part.columns, **change(part)}) if name in splits else part
        for name, part in (("train", evidence.train), ("holdout", evidence.holdout))
    }
    return replace(evidence, **found)  # type: ignore[arg-type]


def taken(split: Split, rows: NDArray[Any]) -> Split:
    """Some rows of a split."""
    return replace(
        split,
        columns={name: column[rows] for name, column in split.columns.items()},
        labels=split.labels[rows],
        answers=split.answers[rows],
        groups=None if split.groups is None else split.groups[rows],
        extra={role: column[rows] for role, column in split.extra.items()},
    )


def _table(task: str) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

    found = {"binary": load_breast_cancer, "multiclass": load_wine, "regression": load_diabetes}[task]()
    names = [name.replace(" ", "_") for name in list(found.feature_names)[:8]]
    return found.data[:, :8], found.target, names


def _fitted(task: str, table: NDArray[Any], labels: NDArray[Any]) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = LinearRegression() if task == "regression" else LogisticRegression(C=0.1)
    return make_pipeline(StandardScaler(), last).fit(table, labels)


def _split(
    name: str, *, task: Any, columns: dict[str, NDArray[Any]], labels: NDArray[Any], model: Any, places: NDArray[Any]
) -> Split:
    table = np.column_stack(list(columns.values()))
    if task == "regression":
        values = model.predict(table)
    else:
        values = model.predict_proba(table)
        values = values[:, 1] if task == "binary" else values
    extra: dict[Role, NDArray[Any]] = {"time": places.astype(object), "id": places.astype(object)}
    answers = Answers(task=task, values=values)
    return Split(name=name, columns=columns, labels=labels, answers=answers, extra=extra)
