"""See the calls that split, fit, score and save, in libraries as they are imported; nothing is imported for it.

Only the outermost call counts: what an estimator calls inside is its own business. A failure in here is swallowed, and
the user's call goes on as if this were not there.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from . import LIBRARIES
from .columns import columns_of
from .ledger import Ledger

__all__ = ["start"]

_FITS = ("fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample")
_ANSWERS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score", "inplace_predict", "eval_metrics"),
    *("staged_predict", "staged_predict_proba", "staged_predict_log_proba", "staged_decision_function"),
)
_TRIALS = ("cross_val_score", "cross_validate", "cross_val_predict", "learning_curve", "validation_curve")
_BOOSTED = {"xgboost.training": "xgboost", "lightgbm.engine": "lightgbm", "catboost.core": "catboost"}
_HOLDERS = ("DMatrix", "QuantileDMatrix", "Dataset", "Pool")
_MARK = "_mintage_seen"


class _Watch:
    """The one watcher of a process: notes outermost calls in its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.lock = threading.Lock()
        self.inside = False
        self.holders: dict[int, Any] = {}

    def call(self, function: Callable[..., Any], arguments: Any, named: Any, *, before: Any, after: Any) -> Any:
        """Call ``function`` with ``before`` and ``after`` it, unless within such a call."""
        if self.inside or not self.lock.acquire(blocking=False):
            return function(*arguments, **named)
        self.inside = True
        try:
            begun = _quietly(before, *arguments, **named)
            made = function(*arguments, **named)
            _quietly(after, begun, made, *arguments, **named)
            return made
        finally:
            self.inside = False
            self.lock.release()

    def wrap(self, function: Any, *, before: Any = lambda *_, **__: None, after: Any = lambda *_, **__: None) -> Any:
        """``function``, seen."""

        @functools.wraps(function)
        def seen(*arguments: Any, **named: Any) -> Any:
            return self.call(function, arguments, named, before=before, after=after)

        setattr(seen, _MARK, True)
        return seen

    # what a class has

    def watch_class(self, kind: type) -> None:
        """See the methods that ``kind`` itself defines."""
        for name, member in list(vars(kind).items()):
            about = self._about(name, kind)
            if about is None or getattr(member, _MARK, False):
                continue
            inner = vars(member).get("fn") if hasattr(member, "__dict__") and not callable(member) else None
            try:
                if inner is not None:  # a method of scikit-learn that is there only if its condition holds
                    member.fn = self.wrap(inner, **about)
                    setattr(member, _MARK, True)
                elif callable(member) and not isinstance(member, type):
                    setattr(kind, name, self.wrap(member, **about))
            except (AttributeError, TypeError):
                continue

    def _about(self, name: str, kind: type) -> dict[str, Any] | None:
        if name in _FITS:
            return {"before": functools.partial(self._learns, name), "after": functools.partial(self._learnt, name)}
        if name in _ANSWERS:
            return {"after": functools.partial(self._answered, name)}
        if name == "transform":
            return {"after": self._transformed}
        if name == "update" and kind.__name__ == "Booster":
            return {"before": self._updated}
        if name == "save_model":
            return {"after": lambda _, __, who, path, *___, **____: self.ledger.save(who, path)}
        return None

    def _learns(self, name: str, who: Any, *arguments: Any, **named: Any) -> Any:
        given = list(arguments)
        data = given.pop(0) if given else named.pop("X", None)
        labels = given.pop(0) if given else named.pop("y", None)
        others = [value for more in (*given, *named.values()) for value in self._tables(more)]
        if id(data) in self.holders:
            data, labels = self.holders[id(data)]
        return self.ledger.fit(who, name, data, labels, others)

    def _learnt(self, name: str, begun: Any, made: Any, who: Any, *arguments: Any, **named: Any) -> None:
        if begun is None:
            return
        number = self.ledger.fitted(who, begun)
        if name == "fit_transform":
            self.ledger.known.derive(begun[3][0], number, made)
        if name == "fit_resample" and begun[3][1] is not None:
            self.ledger.known.resample(begun[3][0], made[0])
            self.ledger.known.resample(begun[3][1], made[1])

    def _answered(self, name: str, _: Any, __: Any, who: Any, *arguments: Any, **named: Any) -> None:
        data = arguments[0] if arguments else named.get("X", named.get("data"))
        data = self.holders[id(data)][0] if id(data) in self.holders else data
        self.ledger.score(who, name, data)

    def _transformed(self, _: Any, made: Any, who: Any, *arguments: Any, **named: Any) -> None:
        data = arguments[0] if arguments else named.get("X", named.get("y"))
        self.ledger.transformed(self.ledger.number_of(who), data, made)

    def _tables(self, value: Any, depth: int = 0) -> list[Any]:
        """The tables in an argument, such as those of ``eval_set=[(X, y)]``."""
        if id(value) in self.holders:
            return [self.holders[id(value)][0]]
        columns = columns_of(value)
        if columns is not None:
            return [value] if len(columns.values) > 1 else []
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)) and depth < 3 and len(value) < 100:
            return [found for each in value for found in self._tables(each, depth + 1)]
        return []

    # what a module has

    def watch_module(self, module: Any) -> None:
        """See what a module of one of the libraries defines."""
        name = module.__name__
        for member in list(vars(module).values()):
            if isinstance(member, type) and member.__module__ == name:
                self.watch_class(member)
                if member.__name__ in _HOLDERS and name.partition(".")[0] != "sklearn":
                    self._watch_holder(member)
        if name == "sklearn.base":
            self._watch_children(module.BaseEstimator)
        if name == "sklearn.model_selection._split":
            self._replace(module, "train_test_split", after=self._split)
        if name == "sklearn.model_selection._validation":
            for trial in _TRIALS:
                self._replace(module, trial, before=functools.partial(self._tried, trial))
        if name in _BOOSTED:
            self._watch_boosting(module, _BOOSTED[name])
        if name == "joblib.parallel":
            self._watch_parallel(module.Parallel)
        if name in ("joblib.numpy_pickle", "skops.io._persist"):
            self._replace(module, "dump", before=self._dumped)

    def _watch_boosting(self, module: Any, library: str) -> None:
        """See the functions that train a booster; CatBoost's ``train`` is a fit in any case."""
        if library != "catboost":
            before = functools.partial(self._trains, f"{library}.train")
            self._replace(module, "train", before=before, after=self._trained)
        self._replace(module, "cv", before=functools.partial(self._tries, f"{library}.cv"))

    def _replace(self, module: Any, name: str, **about: Any) -> None:
        if hasattr(module, name):
            setattr(module, name, self.wrap(getattr(module, name), **about))

    def _watch_children(self, base: Any) -> None:
        """See the methods of estimators that are written elsewhere, the user's own among them."""

        def __init_subclass__(cls: Any, **named: Any) -> None:
            super(base, cls).__init_subclass__(**named)
            if cls.__module__.partition(".")[0] != "sklearn":
                _quietly(self.watch_class, cls)

        base.__init_subclass__ = classmethod(__init_subclass__)  # type: ignore[arg-type]

    def _watch_holder(self, kind: Any) -> None:
        """Remember which rows a DMatrix, Dataset or Pool was made of."""
        plain = kind.__init__

        @functools.wraps(plain)
        def made(holder: Any, data: Any = None, label: Any = None, *more: Any, **named: Any) -> None:
            plain(holder, data, label, *more, **named)
            if not self.inside and not isinstance(data, (str, os.PathLike)):
                _quietly(self._hold, holder, data, label)

        kind.__init__ = made

    def _hold(self, holder: Any, data: Any, label: Any) -> None:
        weakref.finalize(holder, self.holders.pop, id(holder), None).atexit = False
        self.holders[id(holder)] = (data, label)

    def _watch_parallel(self, kind: Any) -> None:
        """Note work that the user's own code hands to other processes, where it is not seen."""
        plain = kind.__call__

        @functools.wraps(plain)
        def seen(parallel: Any, *arguments: Any, **named: Any) -> Any:
            if not self.inside and getattr(parallel, "n_jobs", 1) not in (None, 1):
                _quietly(self._unseen, sys._getframe(1).f_code.co_filename)
            return plain(parallel, *arguments, **named)

        kind.__call__ = seen

    def _unseen(self, caller: str) -> None:
        if self.ledger.is_ours(caller):
            self.ledger.note("unseen", who="joblib.Parallel gave work to other processes")

    def _split(self, _: Any, made: Any, *arrays: Any, **__: Any) -> None:
        self.ledger.split(arrays, made)

    def _tried(self, name: str, who: Any, *arguments: Any, **named: Any) -> None:
        given = [*arguments, named.get("X"), named.get("y")]
        event = self.ledger.fit(who, name, given[0], given[1] if len(arguments) > 1 else named.get("y"), [])[0]
        event |= {"predicts": False, "id": self.ledger.next_number(), "kind": name}

    def _updated(self, *_: Any, **__: Any) -> None:
        self.ledger.note("unseen", who="a Booster was trained round by round")

    def _trains(self, name: str, *arguments: Any, **named: Any) -> Any:
        rest = list(arguments[1:])  # the parameters come first
        rows = rest.pop(0) if rest else named.pop("dtrain", named.pop("train_set", None))
        data, labels = self.holders.get(id(rows), (None, None))
        others = [value for more in (*rest, *named.values()) for value in self._tables(more)]
        event, *begun = self.ledger.fit(_train, "train", data, labels, others)
        event["kind"] = name
        return (event, *begun)

    def _tries(self, name: str, *arguments: Any, **named: Any) -> None:
        """Boosters are compared by folds of rows: whichever of the arguments holds some."""
        held = [self.holders[id(each)] for each in (*arguments, *named.values()) if id(each) in self.holders]
        for data, labels in held or [(None, None)]:
            event = self.ledger.fit(_train, name, data, labels, [])[0]
            event |= {"predicts": False, "id": self.ledger.next_number(), "kind": name}

    def _trained(self, begun: Any, made: Any, *_: Any, **__: Any) -> None:
        if begun is not None:
            self.ledger.fitted(made, begun)

    def _dumped(self, what: Any, file: Any, *_: Any, **__: Any) -> None:
        path = file if isinstance(file, os.PathLike) else getattr(file, "name", file)  # a Path has a name too
        if isinstance(path, (str, bytes, os.PathLike)):
            self.ledger.save(what, path)

    def watch_pickle(self) -> None:
        """See ``pickle.dump``, which every Python has loaded or loads itself."""
        import pickle

        self._replace(pickle, "dump", before=self._dumped)


def _train() -> None:
    """Stands for the functions that train a booster."""


def _quietly(function: Any, *arguments: Any, **named: Any) -> Any:
    """Call ``function``; what fails is noted, since it may have been what would have told against a hold-out."""
    try:
        return function(*arguments, **named)
    except Exception as error:  # noqa: BLE001 this runs inside the user's program, which must not notice
        _failures.append(f"{type(error).__name__} ({str(error)[:100]})")
        return None


_failures: list[str] = []


class _Finder:
    """Comes before the other finders, asks them, and has the module looked at once it is loaded."""

    def __init__(self, watch: _Watch) -> None:
        self.watch = watch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in LIBRARIES:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(name, path, target)
            if spec is not None:
                _quietly(self._follow, spec.loader)
                return spec
        return None

    def _follow(self, loader: Any) -> None:
        if loader is None:  # a folder that is a package without code
            return
        plain = loader.exec_module

        def exec_module(module: Any) -> None:
            plain(module)
            _quietly(self.watch.watch_module, module)

        loader.exec_module = exec_module


def start(folder: str, work: str) -> _Finder:
    """Watch this process, and write what it did below ``folder`` when it ends; ``work`` has its scripts."""
    ledger = Ledger(folder, work, _failures)
    watch = _Watch(ledger)
    watch.watch_pickle()
    finder = _Finder(watch)
    sys.meta_path.insert(0, finder)
    atexit.register(_quietly, ledger.close)
    return finder
