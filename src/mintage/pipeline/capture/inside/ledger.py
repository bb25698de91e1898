"""What the user's program did with rows: splits, fits, scores, saves, in their order; written when it ends.

Held until then: the parts that splits made, and the rows of the latest fit of each estimator that is still alive. Only
when an estimator was fitted are files written: ``events.json``, and the tables that it names.
"""

from __future__ import annotations

import json
import os
import sys
import weakref
from typing import Any

from .columns import columns_of
from .rows import Known, Origin, Part
from .storing import store_table

__all__ = ["Ledger"]

_MOST_SCORES = 200
_MOST_EVENTS = 20_000
_MOST_PARTS = 20


class _Fit:
    def __init__(self, number: int, event: dict[str, Any], data: Any, labels: Any, origins: Any) -> None:
        self.number = number
        self.event = event
        self.data = data
        self.labels = labels
        self.origins = origins


class Ledger:
    """The notes of one process; ``work`` is the folder that its scripts are in."""

    def __init__(self, folder: str, work: str, failures: list[str]) -> None:
        self.failures = failures
        self.folder = folder
        self.work = work
        self.start = os.getcwd()
        self.process = os.getpid()
        self.known = Known()
        self.events: list[dict[str, Any]] = []
        self.fits: dict[int, _Fit] = {}
        self.owner: dict[int, int] = {}
        self.scores: dict[Any, int] = {}
        self.splits: list[tuple[Part, Part]] = []
        self.parents: list[Part | None] = []
        self.kept: list[Any] = []
        self.count = 0

    def where(self) -> str:
        """The line of the project that is running, as file:line."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            if self.is_ours(frame.f_code.co_filename):
                return f"{os.path.relpath(self.path(frame.f_code.co_filename), self.work)}:{frame.f_lineno}"
            frame = frame.f_back
        return "?"

    def is_ours(self, file: str) -> bool:
        """Whether a file of code is the project's."""
        path = self.path(file)
        return path.startswith(self.work + os.sep) and "site-packages" not in path

    def path(self, file: str) -> str:
        """Where a file of code is; a notebook's cell is named from the project's folder, wherever it is executed."""
        return os.path.join(self.work if ".ipynb, cell " in file else self.start, file)

    def note(self, what: str, **more: Any) -> dict[str, Any]:
        """Add an event."""
        event = {"what": what, "where": self.where(), **more}
        if len(self.events) < _MOST_EVENTS:
            self.events.append(event)
        elif len(self.events) == _MOST_EVENTS:
            self.events.append({"what": "unseen", "where": self.where(), "who": "a loop of many calls"})
        return event

    def split(self, arrays: Any, made: Any) -> None:
        """``train_test_split`` gave ``made`` for ``arrays``: two a piece, first those to train on."""
        number = len(self.splits)
        above = [self.known.of(array) for array in arrays]
        self.parents.append(above[0].part)
        both = (Part(f"{number}t", list(made[0::2])), Part(f"{number}r", list(made[1::2])))
        self.splits.append(both)
        self.known.parts += both
        sizes = [columns.rows if columns else None for columns in (part.columns(0) for part in both)]
        self.note("split", id=number, of=above[0].said(), rows=sizes)

    def fit(self, who: Any, name: str, data: Any, labels: Any, others: list[Any]) -> Any:
        """``who`` is about to learn from ``data`` and ``labels``, looking at ``others`` too."""
        origin = self.known.of(data)
        origins = (origin, None if labels is None else self.known.labels(origin, data, labels))
        columns = columns_of(data)
        event = self.note(
            "fit",
            kind=type(who).__name__ if not callable(who) or hasattr(who, "fit") else getattr(who, "__name__", "?"),
            method=name,
            predicts=hasattr(type(who), "predict") or not hasattr(who, "fit"),
            rows=columns.rows if columns else None,
            data=origins[0].said(),
            labels=origins[1] and origins[1].said(),
            others=[self.known.of(other).said() for other in others],
        )
        return (event, data, labels, origins)

    def fitted(self, who: Any, begun: Any) -> int:
        """It has; returns the fit's number."""
        event, data, labels, origins = begun
        earlier = self.fits.get(self.owner.get(id(who), -1))
        number = event["id"] = self.next_number()
        event["continues"] = earlier.number if earlier and event["method"] == "partial_fit" else None
        if earlier is not None:
            earlier.data = earlier.labels = None
        self.fits[number] = _Fit(number, event, data, labels, origins)
        self.owner[id(who)] = number
        try:
            weakref.finalize(who, self._forget, id(who), number).atexit = False
        except TypeError:  # of a type that knows no weak references: it is kept, so that its identity stays its own
            self.kept.append(who)
        return number

    def next_number(self) -> int:
        """A number for a fit."""
        self.count += 1
        return self.count

    def _forget(self, identity: int, number: int) -> None:
        """The estimator is gone: nobody can save it any more."""
        if self.owner.get(identity) == number:
            del self.owner[identity]
        if not any(event.get("fit") == number for event in self.events if event["what"] == "save"):
            self.fits[number].data = self.fits[number].labels = None

    def number_of(self, who: Any) -> int | None:
        """The latest fit of an estimator, or of the search that it is the best of."""
        if id(who) in self.owner:
            return self.owner[id(who)]
        for number, search in self._searches():
            if search is who:
                return number
        return None

    def _searches(self) -> list[tuple[int, Any]]:
        import gc

        kinds = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "BayesSearchCV")
        if not any(fit.event["kind"] in kinds for fit in self.fits.values()):
            return []
        found = [each for each in gc.get_objects() if type(each).__name__ in kinds and id(each) in self.owner]
        return [(self.owner[id(each)], getattr(each, "best_estimator_", None)) for each in found]

    def score(self, who: Any, name: str, data: Any) -> None:
        """``who`` answered for ``data``."""
        number, where = self.number_of(who), self.where()
        key = (number, name, where)
        self.scores[key] = self.scores.get(key, 0) + 1
        if self.scores[key] > _MOST_SCORES:
            return
        origin = self.known.of(data)
        other = None if number is not None else f"{type(who).__name__}#{id(who)}"
        self.note("score", fit=number, other=other, kind=type(who).__name__, method=name, data=origin.said())

    def transformed(self, number: int | None, data: Any, made: Any) -> None:
        """The transformer of that fit made ``made`` of ``data``."""
        if number is not None:
            self.known.derive(self.known.of(data), number, made)

    def save(self, what: Any, path: Any) -> None:
        """An estimator was written to ``path``; a dict or list that has one counts for it."""
        inside = (
            list(what.values()) if isinstance(what, dict) else list(what) if isinstance(what, (list, tuple)) else [what]
        )
        numbers = [self.number_of(each) for each in inside]
        found = [n for n in numbers if n is not None and self.fits[n].event["predicts"]]
        place = os.path.abspath(os.fsdecode(os.fspath(path)))
        if place.startswith(self.work + os.sep) and len(found) == 1:
            self.note("save", fit=found[0], path=os.path.relpath(place, self.work).replace(os.sep, "/"))

    def close(self) -> None:
        """Write it all down."""
        if os.getpid() != self.process or not self.fits or not any(f.event["predicts"] for f in self.fits.values()):
            return
        for failure in self.failures[:1]:
            self.note("unseen", who=f"the watcher failed with {failure}")
        folder = os.path.join(self.folder, str(self.process))
        os.makedirs(folder, exist_ok=True)
        tables: dict[str, Any] = {}
        for number in self._wanted():
            self._store_fit(folder, self.fits[number], tables)
        with open(os.path.join(folder, "events.json"), "w", encoding="utf-8") as stream:
            json.dump({"events": self.events, "tables": tables}, stream)

    def _wanted(self) -> list[int]:
        """The fits that were saved, or else the only one that predicts and is alive."""
        saved = sorted({event["fit"] for event in self.events if event["what"] == "save"})
        alive = [n for n, fit in self.fits.items() if fit.event["predicts"] and fit.data is not None]
        return [n for n in saved if self.fits[n].data is not None] or (alive if len(alive) == 1 else [])

    def _store_fit(self, folder: str, fit: _Fit, tables: dict[str, Any]) -> None:
        data, labels = columns_of(fit.data), None if fit.labels is None else columns_of(fit.labels)
        if data is None or labels is None:
            return
        names, targets, (origin, label) = self._names(fit, data), self._label_names(fit, labels), fit.origins
        fitted = [list(zip(names, data.values)), list(zip(targets, labels.values))]
        known = origin.part is not None and label is not None and label.part is origin.part
        whole = fit.event["method"] == "partial_fit"  # what it was given last is no more than a batch
        if known and not origin.via and (whole or origin.how in ("same", "columns")):
            fitted = self._rest(origin.part, fit, names, targets) or fitted
        elif whole:
            return
        self._store(folder, f"{fit.number}-fit", *fitted)
        said: dict[str, Any] = {"targets": targets, "rest": {}}
        tables[str(fit.number)] = said
        for part in self._others(origin.part) if known else ():
            rest = self._rest(part, fit, names, targets)
            if rest is not None:
                said["rest"][part.id] = f"{fit.number}-{part.id}"
                self._store(folder, said["rest"][part.id], *rest)

    def _others(self, mine: Part) -> list[Part]:
        """Parts of the same rows as ``mine`` is, that were not split on."""
        parts = [p for p in self.known.parts if p is not mine and p not in self.parents]
        return [part for part in parts if self._root(part) == self._root(mine)][-_MOST_PARTS:]

    def _root(self, part: Part) -> int:
        number = next(i for i, both in enumerate(self.splits) if part in both)
        above = self.parents[number]
        return number if above is None else self._root(above)

    def _rest(self, part: Part, fit: _Fit, names: list[str], targets: list[str]) -> Any:
        """The rows of ``part`` as the fit took its own, columns and labels by its names; None if there are none."""
        data = self._alike(part, fit.origins[0])
        labels = self._alike(part, fit.origins[1])
        if data is None or labels is None or len(data) != len(names) or len(labels) != len(targets):
            return None
        named = columns_of(fit.data).names[0] is not None and not fit.origins[0].via  # type: ignore[union-attr]
        return [
            [*zip(names, data), *(self._extra(part, set(names)) if named else ())],
            list(zip(targets, labels)),
        ]

    def _store(self, folder: str, name: str, data: list[Any], labels: list[Any]) -> None:
        taken = {label for label, _ in labels}
        seen: set[str] = set()
        kept = [(n, v) for n, v in data if n not in taken and not (n in seen or seen.add(n))]  # type: ignore[func-returns-value]
        store_table(folder, name, [*kept, *labels])

    def _alike(self, part: Part, origin: Origin) -> Any:
        """The columns of ``part`` that answer to those of a value of ``origin``."""
        if origin.via:
            made = [value for known, value, _ in self.known.derived if known.part is part and known.via == origin.via]
            columns = columns_of(made[-1]) if made else None
            return None if columns is None else columns.values
        found = []
        for place, column in origin.places:
            columns = part.columns(place) if place < len(part.arrays) else None
            if columns is None or column >= len(columns.values) or part.changed(place):
                return None
            found.append(columns.values[column])
        return found

    def _extra(self, part: Part, taken: set[Any]) -> list[Any]:
        """Columns of the part that the estimator does not take: a group, a time, an id."""
        found = []
        for place in range(len(part.arrays)):
            columns = part.columns(place)
            if columns is not None:
                found += [(n, v) for n, v in zip(columns.names, columns.values) if n is not None and n not in taken]
        return found

    def _names(self, fit: _Fit, data: Any) -> list[str]:
        origin = fit.origins[0]
        names = data.names
        if names[0] is None and origin.part is not None and not origin.via and origin.places:
            names = [origin.part.columns(place).names[column] for place, column in origin.places]
        if any(name is None for name in names) or len(set(names)) != len(names):
            return [f"x{i}" for i in range(len(names))]
        return list(names)

    def _label_names(self, fit: _Fit, labels: Any) -> list[str]:
        origin, names = fit.origins[1], list(labels.names)
        if names[0] is None and origin.part is not None and origin.places:
            names = [origin.part.columns(place).names[column] for place, column in origin.places]
        taken = set(self._names(fit, columns_of(fit.data)))
        plain = ["target"] if len(names) == 1 else [f"target_{i}" for i in range(len(names))]
        chosen = plain if any(name is None or name in taken for name in names) else names
        return [name + "_" if name in taken else name for name in chosen]
