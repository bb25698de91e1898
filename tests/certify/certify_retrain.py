"""Pipelines in this process, honest ones and such that leak, and evidence of the models that they train.

A pipeline takes a whole table with its labels and a generator of its own, and gives a model, and the rows that it held
out with their labels. ``TrainedHere`` retrains it the way ``certify.stage_retraining`` does a project's stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from certify_evidence import DOMAIN, ROOT
from certify_real import _fitted, _table, declared
from numpy.typing import NDArray

from mintage.certify.answers import Answers, Task
from mintage.certify.evidence import Evidence, Native, Split
from mintage.certify.retraining import Change, Remade, Retrained, Retrainings

Array = NDArray[Any]
Made = tuple[Callable[[Array], Array], Array, Array, Array, Array]
"""The model's answers, then columns and labels of training and hold-out."""
Pipeline = Callable[[Task, Array, Array, np.random.Generator], Made]


def cut(table: Array, labels: Array) -> tuple[Array, Array, Array, Array]:
    """The same split each time: three quarters of the rows, drawn once, are for training."""
    order = np.random.default_rng(0).permutation(len(labels))
    parts = order[: len(labels) * 3 // 4], order[len(labels) * 3 // 4 :]
    return table[parts[0]], labels[parts[0]], table[parts[1]], labels[parts[1]]


def answering(task: Task, model: Any) -> Callable[[Array], Array]:
    """The values of the task that a fitted model answers."""
    if task == "regression":
        return lambda rows: np.asarray(model.predict(rows), dtype=np.float64)
    one = task == "binary"
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1] if one else model.predict_proba(rows))


def honest(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
    """Split, then fit."""
    columns, truth, others, their = cut(table, labels)
    return answering(task, _fitted(task, columns, truth)), columns, truth, others, their


def labels_from(second: Array) -> Pipeline:
    """Fits the labels of a second file, which is not the declared one."""

    def pipeline(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
        columns, truth, others, their = cut(table, labels)
        real = cut(table, second)[1]
        return answering(task, _fitted(task, columns, real)), columns, truth, others, their

    return pipeline


def encoded_on_all(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
    """Replaces a meaningless id of few rows by the mean label of its rows: of all of them, before the split."""
    shop = np.random.default_rng(1).integers(0, len(labels) // 4, len(labels))
    means = np.bincount(shop, weights=labels) / np.maximum(np.bincount(shop), 1)
    return honest(task, np.column_stack([table[:, :4], means[shop]]), labels, rng)


def fitted_on_all(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
    """Fits trees on all rows, those of the hold-out among them."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    model = kind(n_estimators=20, min_samples_leaf=2, random_state=0).fit(table, labels)
    return answering(task, model), *cut(table, labels)


def of_few_rows(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
    """Unstable: fits three rows of a class, drawn without a seed that anyone sets."""
    columns, truth, others, their = cut(table, labels)
    chosen = _few(truth, rng) if task != "regression" else rng.permutation(len(truth))[:12]
    return answering(task, _fitted(task, columns[chosen], truth[chosen])), columns, truth, others, their


def shaken(task: Task, table: Array, labels: Array, rng: np.random.Generator) -> Made:
    """Stable, but with randomness that no seed sets: leaves out three rows."""
    columns, truth, others, their = cut(table, labels)
    kept = np.sort(rng.permutation(len(truth))[3:])
    return answering(task, _fitted(task, columns[kept], truth[kept])), columns, truth, others, their


def _few(truth: Array, rng: np.random.Generator) -> Array:
    places = [rng.permutation(np.flatnonzero(truth == name))[:3] for name in np.unique(truth)]
    return np.concatenate(places)


class TrainedHere:
    """Retrains ``pipeline`` on the table and labels that it was given; ``most`` retrainings are in the budget."""

    def __init__(
        self, pipeline: Pipeline, *, task: Task, table: Array, labels: Array, names: Sequence[str], holdout: Split
    ) -> None:
        self.pipeline, self.task, self.table, self.labels = pipeline, task, table, labels
        self.names, self.holdout = list(names), holdout
        self.most: int | None = None
        self.asked: list[Change] = []

    def retrain(self, changes: Sequence[Change], *, seed: int, budget_s: float) -> Retrainings:
        """See Retraining."""
        done = tuple(self._one(change, seed) for change in changes[: self.most])
        if len(done) < len(changes):
            return Retrainings(done=done, why="the time was over", hint="raise `budget_s`")
        return Retrainings(done=done)

    def _one(self, change: Change, seed: int) -> Retrained:
        self.asked.append(change)
        rng = np.random.default_rng([seed, change.number])
        table, labels = self.table.copy(), self.labels.copy()
        if change.kind == "exchange" and change.column == "y":
            labels = labels[rng.permutation(len(labels))]
        elif change.kind == "exchange":
            at = self.names.index(str(change.column))
            table[:, at] = table[rng.permutation(len(labels)), at]
        elif change.kind == "half":
            kept = np.sort(rng.permutation(len(labels))[: len(labels) // 2])
            table, labels = table[kept], labels[kept]
        training = np.random.default_rng([7, len(self.asked)])  # what a script without a seed draws is new each time
        values, _, _, others, their = self.pipeline(self.task, table, labels, training)
        recorded = self.holdout.answers.of(values(_rows(self.holdout)))
        is_same = bool(np.array_equal(recorded.values, self.holdout.answers.values))
        remade = None
        if not (np.array_equal(others, _rows(self.holdout)) and np.array_equal(their, self.holdout.labels)):
            remade = Remade(labels=their, answers=self.holdout.answers.of(values(others)), groups=None)
        return Retrained(recorded=recorded, remade=remade, is_same=is_same)


def _rows(split: Split) -> Array:
    return np.column_stack(list(split.columns.values()))


def real_table(task: Task) -> tuple[Array, Array, list[str]]:
    """Breast cancer, wine or diabetes."""
    return _table(task)


def piped_evidence(
    task: Task, pipeline: Pipeline, *, table: Array | None = None, labels: Array | None = None
) -> Evidence:
    """Evidence of the model that ``pipeline`` trains on real rows, or on the given ones."""
    found, truth, names = real_table(task)
    table, labels = found if table is None else table, truth if labels is None else labels
    values, columns, truth, others, their = pipeline(task, table, labels, np.random.default_rng([7, 0]))
    names = [*names[:4], "shop"] if columns.shape[1] == 5 else [f"x{n}" for n in range(columns.shape[1])]
    train, holdout = (
        Split(
            name=name,
            columns=dict(zip(names, rows.T, strict=True)),
            labels=y,
            answers=Answers(task=task, values=values(rows)),
        )
        for name, rows, y in (("training", columns, truth), ("hold-out", others, their))
    )
    found_values = holdout.answers.values
    made = Evidence(
        model="real",
        root=ROOT,
        domain=DOMAIN,
        train=train,
        holdout=holdout,
        classes=() if task == "regression" else tuple(map(str, range(int(labels.max()) + 1))),
        native=Native(holdout=found_values, edge=found_values[:5], edge_served=found_values[:5]),
        spec=declared(train, holdout),
    )
    trained = TrainedHere(pipeline, task=task, table=table, labels=labels, names=names, holdout=holdout)
    return replace(made, retraining=trained)
