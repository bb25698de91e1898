"""What an estimator gives: probabilities of the classes of each target, or numbers.

Answers are one table of numbers, all targets side by side, and one table of labels, each the place of a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .boosters import label_count
from .refused import Refused
from .ties import last_of, tied_rows
from .writer import type_name

__all__ = ["Face", "answer", "face_of"]

Array = Any
MESSAGES = 20
VOTING = ("sklearn.svm._classes.NuSVC", "sklearn.svm._classes.SVC")
"""These label by votes, which may contradict their own probabilities; here the label follows the probabilities."""


@dataclass(frozen=True)
class Face:
    """``task`` is classifier or regressor; ``classes`` has a list for each target of a classifier."""

    task: str
    classes: tuple[tuple[Any, ...], ...]


def face_of(estimator: Any) -> Face:
    """The face of a fitted estimator; refused if it gives neither probabilities nor numbers."""
    kind = type_name(type(estimator))
    classes = getattr(estimator, "classes_", None)
    if hasattr(estimator, "predict_proba") and classes is not None:
        last = last_of(estimator)[0]
        labels = len(classes) if _has_several_labels(last) else label_count(last)
        if labels > 1:
            return Face("classifier", ((0, 1),) * labels)
        several = isinstance(classes, list) and any(isinstance(part, np.ndarray | list) for part in classes)
        found = tuple(tuple(np.asarray(part).tolist()) for part in (classes if several else [classes]))
        if any(len(part) < 2 for part in found):
            raise Refused("the estimator has seen one class only; two are expected at least")
        return Face("classifier", found)
    if (classes is not None and len(classes)) or getattr(estimator, "_estimator_type", None) == "classifier":
        raise Refused(
            f"{kind} gives labels without probabilities; fit it with probabilities, or calibrate it "
            "(CalibratedClassifierCV)"
        )
    if hasattr(estimator, "fit_predict"):  # of what is fitted without labels
        raise Refused(f"{kind} predicts no column of a table: it groups rows, or says how unusual they are")
    if not hasattr(estimator, "predict"):
        raise Refused(f"{kind} is not a fitted classifier or regressor")
    return Face("regressor", ())


def _has_several_labels(model: Any) -> bool:
    """Whether a row may have several labels, each of which is a target of two classes then."""
    binarizer = getattr(model, "_label_binarizer", getattr(model, "label_binarizer_", None))
    return str(getattr(binarizer, "y_type_", "")).startswith("multilabel")


def answer(estimator: Any, rows: Any, count: int, face: Face) -> tuple[dict[str, Array], list[Any]]:
    """``values`` float64 [rows, W], ``labels`` int64 [rows, targets], ``failed`` and ``tied`` bool [rows]; and the
    first errors.

    Rows that the estimator refuses are found by halving; they have NaN and -1, and so have those to which it gives
    something that is no finite number.
    """
    parts: list[tuple[int, int, Array, Array]] = []
    failed, tied = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    messages: list[Any] = []
    pending = [(0, count)]
    while pending:
        first, last = pending.pop()
        if first == last:
            continue
        try:
            part = rows.iloc[first:last] if hasattr(rows, "iloc") else rows[first:last]
            parts.append((first, last, *_ask(estimator, part, face)))
            tied[first:last] = tied_rows(estimator, part, last - first)
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001 the user's code: any failure is an answer
            if last - first > 1:
                middle = (first + last) // 2
                pending += [(middle, last), (first, middle)]
                continue
            failed[first] = True
            if len(messages) < MESSAGES:
                messages.append([first, f"{type(error).__name__}: {error}"[:500]])
    width = parts[0][2].shape[1] if parts else max(1, sum(len(part) for part in face.classes))
    values = np.full((count, width), np.nan)
    labels = np.full((count, len(face.classes)), -1, dtype=np.int64)
    for first, last, some, places in parts:
        values[first:last], labels[first:last] = some, places
    endless = ~failed & ~np.isfinite(values).all(axis=1)
    values[endless], labels[endless], failed[endless] = np.nan, -1, True
    messages += [[row, "the answer is no finite number"] for row in np.flatnonzero(endless).tolist()]
    return {"values": values, "labels": labels, "failed": failed, "tied": tied & ~failed}, messages[:MESSAGES]


def _ask(estimator: Any, part: Any, face: Face) -> tuple[Array, Array]:
    """Values and labels of some rows."""
    predicted = np.asarray(estimator.predict(part))
    rows = len(predicted)
    if face.task == "regressor":
        return predicted.reshape(rows, -1).astype(np.float64), np.empty((rows, 0), dtype=np.int64)
    found = estimator.predict_proba(part)
    if isinstance(found, list):
        values = np.concatenate([np.asarray(block, dtype=np.float64) for block in found], axis=1)
    else:
        values = np.asarray(found, dtype=np.float64)
        if len(face.classes) > 1:  # several targets, of each the probability of its second class
            values = np.stack([1.0 - values, values], axis=2).reshape(rows, -1)
    if type_name(type(last_of(estimator)[0])) in VOTING and values.shape[1] == len(estimator.classes_):
        predicted = np.asarray(estimator.classes_)[values.argmax(axis=1)]
    predicted = predicted.reshape(rows, -1)
    labels = np.empty((rows, len(face.classes)), dtype=np.int64)
    for target, classes in enumerate(face.classes):
        places = {value: place for place, value in enumerate(classes)}
        labels[:, target] = [places[value] for value in predicted[:, target].tolist()]
    if values.shape[1] != sum(len(classes) for classes in face.classes):
        raise Refused(f"gives {values.shape[1]} probabilities for {sum(map(len, face.classes))} classes")
    return values, labels
