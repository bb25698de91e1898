"""The planted faults: what is changed in the sound model of ``certify_planted``, and what must fail.

One fault each, as it happens in practice. ``fails`` is all that may fail; where it is more than one requirement ``why``
says why the fault cannot show in one alone. ``open`` is what the fault leaves INCONCLUSIVE by the check's own rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from certify_evidence import latency_run
from certify_planted import INPUTS, Rows, accepts, answers, flights, make, numbers, raw, sound, spec_of, twin
from numpy.typing import NDArray
from scipy import special

from mintage.certify.answers import Answers
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Champion, Evidence, Native, Role, Split
from mintage.certify.finding import AnsweredFinding
from mintage.certify.latency import RecordedLatency
from mintage.certify.served import Columns, Served
from mintage.repo.modelfile import InputSpec

__all__ = ["FAULTS", "POWER", "Fault", "page_rows", "weak_slice"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault: what it is, what it makes of the evidence, and the requirements that fail; ``twin`` is without it."""

    what: str
    plant: Callable[[], Evidence]
    fails: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    why: str = ""
    twin: Callable[[], Evidence] = twin


def _rng() -> np.random.Generator:
    return np.random.default_rng(17)


def _with_labels(split: Split, labels: NDArray[Any]) -> Split:
    return replace(split, labels=labels)


def _holdout(**changes: Any) -> Evidence:
    """The twin with other columns in its hold-out, to which the sound model answers."""
    split = twin().holdout
    columns = {**split.columns, **changes}
    found = replace(split, columns=columns, answers=sound(columns))
    return replace(twin(), holdout=found, native=_native(found), champion=_champion(found.answers.values))


def _native(split: Split) -> Native:
    values = split.answers.values
    return Native(holdout=values, edge=values[:50], edge_served=values[:50])


def _champion(values: NDArray[np.float64]) -> Champion:
    return Champion(root=twin().root, answers=answers(special.logit(values)))


# -- performance -----------------------------------------------------------------------------------


def _low_threshold() -> Evidence:
    return make(lambda columns: answers(raw(columns), threshold=0.15), champion=None)


def _prior() -> Evidence:
    rate = float(flights()["training"].labels.mean())
    return make(lambda columns: answers(np.full(len(columns["origin"]), special.logit(rate))), champion=None)


def _small_tree() -> Evidence:
    from sklearn.tree import DecisionTreeClassifier

    rows = flights()["training"]
    tree = DecisionTreeClassifier(max_depth=2, min_samples_leaf=100, random_state=1)
    tree.fit(np.nan_to_num(numbers(rows.columns), nan=-1), rows.labels)

    def model(columns: Columns) -> Answers:
        table = numbers({**columns, "visib": np.full(len(columns["visib"]), 10.0)})
        return Answers(task="binary", values=tree.predict_proba(np.nan_to_num(table, nan=-1))[:, 1])

    return make(model, champion=None)


def _better_champion() -> Evidence:
    split = twin().holdout
    moved = special.logit(split.scores) + 0.6 * (split.labels - 0.5)
    same = np.where(split.answers.labels == 1, np.maximum(moved, 1e-3), np.minimum(moved, -1e-3))
    return replace(twin(), champion=Champion(root=twin().root, answers=answers(same)))


def _flipping_champion() -> Evidence:
    split, rng = twin().holdout, _rng()
    wrong = split.answers.labels != split.labels
    flipped = rng.random(split.rows) < np.where(wrong, 0.7, 0.4)
    return replace(twin(), champion=_champion(np.where(flipped, 1 - split.scores, split.scores)))


def _overfit() -> Evidence:
    from sklearn.ensemble import RandomForestClassifier

    rows = flights()["training"]
    forest = RandomForestClassifier(n_estimators=60, max_depth=16, random_state=1, n_jobs=1)

    def table(columns: Columns) -> NDArray[np.float64]:
        blind = {**columns, "visib": np.zeros(len(columns["visib"]))}  # so that its direction holds
        return np.nan_to_num(numbers(blind), nan=-1)

    forest.fit(table(rows.columns), rows.labels)
    return make(
        lambda columns: Answers(task="binary", values=forest.predict_proba(table(columns))[:, 1]), champion=None
    )


# -- leakage ---------------------------------------------------------------------------------------


def _copied(share: float) -> Callable[[], Evidence]:
    def plant() -> Evidence:
        rows, rng = dict(flights()), _rng()
        hold, train = rows["hold-out"], rows["training"]
        count = round(share * len(hold.labels))
        into, of = (rng.permutation(len(part.labels))[:count] for part in (hold, train))
        columns = {name: column.copy() for name, column in hold.columns.items()}
        for name, column in columns.items():
            column[into] = train.columns[name][of]
        labels = hold.labels.copy()
        labels[into] = train.labels[of]
        return make(sound, rows=rows | {"hold-out": replace(hold, columns=columns, labels=labels)})

    return plant


def _shared_entity() -> Evidence:
    rows = dict(flights())
    ids = rows["hold-out"].ids.copy()
    ids[5] = rows["training"].ids[9]
    return make(sound, rows=rows | {"hold-out": replace(rows["hold-out"], ids=ids)})


def _timed(*, by_time: bool) -> Callable[[], Evidence]:
    def plant() -> Evidence:
        later = {"training": 0, "validation": 400, "hold-out": 400} if by_time else {}

        def dated(split: Split) -> Split:
            assert split.groups is not None
            times = (split.groups + later.get(split.name, 0)).astype(object)
            extra: dict[Role, NDArray[Any]] = {**split.extra, "time": times}
            return replace(split, extra=extra)

        base = twin()
        return replace(base, train=dated(base.train), holdout=dated(base.holdout), spec=spec_of(INPUTS, time="day"))

    return plant


def _with_input(name: str, make_column: Callable[[Rows], NDArray[Any]], spec: InputSpec, known: float) -> Evidence:
    """A model that knows one more column, as it is known only afterwards; ``known`` is what it is worth."""
    rows = {key: replace(part, columns={**part.columns, name: make_column(part)}) for key, part in flights().items()}

    def model(columns: Columns) -> Answers:
        column = columns[name]
        told = np.array([value is not None for value in column.tolist()]) if column.dtype.kind == "O" else column > 0
        return answers(raw(columns) + known * (np.asarray(told, dtype=np.float64) - 0.5))

    inputs = {**INPUTS, name: spec}

    def lets_in(columns: Columns) -> NDArray[np.bool_]:
        column = columns[name]
        let_in = accepts(columns)
        return let_in if spec.nullable else np.asarray(let_in & ~np.isnan(column.astype(np.float64)))

    return make(model, rows=rows, champion=None, spec=spec_of(inputs), served=Served(model, accepts=lets_in))


def _after_outcome() -> Evidence:
    def column(rows: Rows) -> NDArray[Any]:
        return np.where(_rng().random(len(rows.labels)) < 0.01, 1 - rows.labels, rows.labels).astype(np.float64)

    return _with_input("delay_code", column, InputSpec(type="float", range=(0, 1), nullable=False), 8.0)


def _null_flag() -> Evidence:
    def column(rows: Rows) -> NDArray[Any]:
        noted = np.where(_rng().random(len(rows.labels)) < 0.01, 1 - rows.labels, rows.labels) == 1
        return np.array(["note" if late else None for late in noted.tolist()], dtype=object)

    return _with_input("delay_note", column, InputSpec(type="string", categories=("note",)), 6.0)


def _scaled_by_batch() -> Evidence:
    def model(columns: Columns) -> Answers:
        wind = np.nan_to_num(columns["wind_speed"].astype(np.float64))
        return answers(raw(columns) + 0.004 * (wind - wind.mean()) * (len(wind) > 1))

    return make(model, champion=None)


# -- data ------------------------------------------------------------------------------------------


def _untied() -> Evidence:
    columns = twin().holdout.columns
    order, winds = np.argsort(columns["minute_of_day"], kind="stable"), np.sort(columns["wind_speed"])
    joined = np.empty(len(winds))
    joined[order] = winds
    return _holdout(wind_speed=joined)


def _shifted() -> Evidence:
    split, rng = twin().holdout, _rng()
    wind = split.columns["wind_speed"]
    return _holdout(wind_speed=np.where(rng.random(split.rows) < 0.4, wind + 14, wind))


def _out_of_domain() -> Evidence:
    split = twin().holdout
    return _holdout(
        distance=np.where(_rng().random(split.rows) < 0.03, split.columns["distance"] + 9000, split.columns["distance"])
    )


def _segment_lost() -> Evidence:
    rows = dict(flights())
    train = rows["training"]
    kept = ~((train.columns["origin"] == "JFK") & (train.columns["weekday"] >= 6))
    return make(sound, rows=rows | {"training": train[kept]})


def _segment_unseen() -> Evidence:
    rows = dict(flights())
    hold = rows["hold-out"]
    few = np.flatnonzero(hold.columns["carrier"] == "US")
    kept = np.ones(len(hold.labels), dtype=bool)
    kept[few[250:]] = False
    return make(sound, rows=rows | {"hold-out": hold[kept]})


def _labelled_twice() -> Evidence:
    rows, rng = dict(flights()), _rng()
    train = rows["training"]
    again = train[rng.random(len(train.labels)) < 0.9]
    both = Rows(
        columns={name: np.concatenate([column, again.columns[name]]) for name, column in train.columns.items()},
        labels=np.concatenate([train.labels, 1 - again.labels]),
        days=np.concatenate([train.days, again.days]),
        ids=np.concatenate([train.ids, again.ids + 1_000_000]),
    )
    return replace(make(sound, rows=rows | {"training": both}), train=_sound_train(both))


def _sound_train(rows: Rows) -> Split:
    extra: dict[Role, NDArray[Any]] = {"id": rows.ids.astype(object), "group": rows.days.astype(object)}
    return Split(
        name="training",
        columns=rows.columns,
        labels=rows.labels,
        answers=sound(rows.columns),
        groups=rows.days,
        extra=extra,
    )


def weak_slice(carrier: str, origin: str) -> Evidence:
    """Errors three times as frequent for one carrier at one airport."""
    split = twin().holdout
    inside = (split.columns["carrier"] == carrier) & (split.columns["origin"] == origin)
    wrong = split.answers.labels != split.labels
    more = (min(3 * wrong[inside].mean(), 0.95) - wrong[inside].mean()) / (1 - wrong[inside].mean())
    moved = inside & ~wrong & (_rng().random(split.rows) < more)
    return replace(twin(), holdout=_with_labels(split, np.where(moved, 1 - split.labels, split.labels)))


# -- behaviour -------------------------------------------------------------------------------------


def _by_flight() -> Evidence:
    return make(lambda columns: answers(raw(columns) + 0.03 * (np.nan_to_num(columns["flight"]) % 2)))


def _sign_broken() -> Evidence:
    def model(columns: Columns) -> Answers:
        leaf = (columns["visib"] >= 9.9) & (columns["origin"] == "EWR")
        return answers(raw(columns) + 0.4 * np.where(leaf, 1.0, 0.0))

    return make(model)


def _breaks_on(fault: str) -> Callable[[], Evidence]:
    def model(columns: Columns) -> Answers:
        if fault == "unseen" and "never-seen-before" in columns["dest"].tolist():
            raise KeyError("never-seen-before")
        if fault == "null" and (np.isnan(columns["humid"]) & np.isnan(columns["wind_speed"])).tolist() == [True]:
            raise ValueError("cannot convert float NaN to integer")
        return sound(columns)

    return lambda: make(model)


def _finding_unmet() -> Evidence:
    found = AnsweredFinding(
        finding="f-40130e385c",
        expect="label=late",
        answer="on time",
        met=False,
        is_open=True,
        author="ana@example.org",
        at="2026-11-01T12:00:00Z",
        about="a storm",
        row={"carrier": "B6", "visib": 0.5},
    )
    return replace(twin(), findings=(found,))


def _finding_met() -> Evidence:
    (found,) = _finding_unmet().findings
    return replace(twin(), findings=(msgspec.structs.replace(found, met=True, answer="late"),))


def _too_sure() -> Evidence:
    return make(lambda columns: answers(3 * raw(columns)))


def _flattered() -> Evidence:
    split = twin().validation
    assert split is not None
    easy = np.where(_rng().random(split.rows) < 0.7, split.answers.labels, split.labels)
    return replace(twin(), validation=_with_labels(split, easy))


def _looked_up() -> Evidence:
    def model(columns: Columns) -> Answers:
        humid = np.nan_to_num(columns["humid"].astype(np.float64))
        known = np.abs(humid - np.round(humid, 2)) < 1e-9
        return answers(np.where(known, raw(columns), -1.2))

    return make(model)


def _missing_is_huge() -> Evidence:
    def model(columns: Columns) -> Answers:
        lost = np.isnan(columns["humid"].astype(np.float64)) | np.isnan(columns["wind_speed"].astype(np.float64))
        return answers(raw(columns) + 9.0 * lost)

    return make(model)


def _far_off() -> Evidence:
    split = twin().holdout
    late = np.flatnonzero(split.labels == 1)
    hopeless = set(_rng().permutation(late)[:100].tolist())
    values = split.scores.copy()
    values[list(hopeless)] = 1e-15
    found = replace(split, answers=Answers(task="binary", values=values))
    return replace(twin(), holdout=found, native=_native(found), champion=None)


# -- the artifact, and the proof -------------------------------------------------------------------


def _rounded() -> Evidence:
    split = twin().holdout
    values = split.scores.astype(np.float32).astype(np.float64)
    return replace(twin(), holdout=replace(split, answers=Answers(task="binary", values=values)))


def _slow_calls() -> Evidence:
    rng = np.random.default_rng(3)
    times = rng.gamma(4, 0.0003, size=2000)
    times[rng.permutation(2000)[:40]] += 0.050
    return replace(twin(), latency=RecordedLatency(latency_run(times)))


def _random() -> Evidence:
    rng = _rng()
    served = Served(sound, accepts=accepts, reload=lambda: lambda columns: answers(raw(columns) + rng.normal() * 1e-3))
    return replace(twin(), served=served)


def _policy_edited() -> Evidence:
    return replace(twin(), order=msgspec.structs.replace(twin().order, policy_unchanged=False))


FAULTS: Mapping[str, Fault] = {
    "low threshold": Fault(what="a threshold of 0.15 where 0.5 was meant", plant=_low_threshold, fails=("f1",)),
    "majority": Fault(
        what="a constant: the training rate for every row",
        plant=_prior,
        fails=("f2", "s1"),
        why="all rows are answered alike, so slices with more late flights are wrong more often than rows like them",
    ),
    "small tree": Fault(what="a tree of depth 2 sold as a model", plant=_small_tree, fails=("f2",)),
    "better champion": Fault(
        what="a champion that ranks better, with the same labels", plant=_better_champion, fails=("f3",)
    ),
    "flips": Fault(
        what="a worse champion that had 15 % of the rows right which are wrong now",
        plant=_flipping_champion,
        fails=("f4",),
    ),
    "overfit": Fault(what="a deep forest that knows its training rows by heart", plant=_overfit, fails=("f5",)),
    "copied 0.5 %": Fault(what="0.5 % of the hold-out copied from training", plant=_copied(0.005), fails=("l1",)),
    "copied 5 %": Fault(what="5 % of the hold-out copied from training", plant=_copied(0.05), fails=("l1",)),
    "copied 20 %": Fault(what="20 % of the hold-out copied from training", plant=_copied(0.2), fails=("l1",)),
    "entity": Fault(what="one flight in both splits", plant=_shared_entity, fails=("l2",)),
    "shuffled": Fault(
        what="a split by time, shuffled", plant=_timed(by_time=False), fails=("l3",), twin=_timed(by_time=True)
    ),
    "after outcome": Fault(what="an input that is written after arrival", plant=_after_outcome, fails=("l4",)),
    "null flag": Fault(what="a note that only late flights have", plant=_null_flag, fails=("l4",)),
    "batch": Fault(what="wind scaled by the mean of the batch", plant=_scaled_by_batch, fails=("l5",)),
    "untied": Fault(
        what="winds joined to the hold-out in sorted order: the same values, by the hour", plant=_untied, fails=("l6",)
    ),
    "domain": Fault(what="3 % of distances in another unit", plant=_out_of_domain, fails=("d1",)),
    "segment lost": Fault(what="no weekends at JFK in training", plant=_segment_lost, fails=("d2",)),
    "segment unseen": Fault(what="a carrier of which the hold-out has 250 rows", plant=_segment_unseen, open=("d3",)),
    "labels": Fault(
        what="nine of ten training rows entered twice, with both labels", plant=_labelled_twice, fails=("d4",)
    ),
    "drift": Fault(what="four in ten winds of the hold-out 14 mph stronger", plant=_shifted, fails=("d5",)),
    "weak slice": Fault(
        what="errors three times as often for B6 at JFK", plant=lambda: weak_slice("B6", "JFK"), fails=("s1",)
    ),
    "by id": Fault(what="answers that depend on the flight's number", plant=_by_flight, fails=("b1",)),
    "sign": Fault(what="one leaf that rises with visibility", plant=_sign_broken, fails=("b2",)),
    "unseen text": Fault(what="a crash on a destination never seen", plant=_breaks_on("unseen"), fails=("b4",)),
    "two nulls": Fault(
        what="a crash where humidity and wind are missing together", plant=_breaks_on("null"), fails=("b4",)
    ),
    "finding": Fault(
        what="a row that a person found, still answered wrongly", plant=_finding_unmet, fails=("b5",), twin=_finding_met
    ),
    "too sure": Fault(what="log-odds times three", plant=_too_sure, fails=("c1",)),
    "flattered": Fault(what="validation rows of which most are labelled by the model", plant=_flattered, fails=("c2",)),
    "looked up": Fault(what="a table of known humidities, to two decimals", plant=_looked_up, fails=("r1",)),
    "missing": Fault(what="missing humidity or wind taken for a huge one", plant=_missing_is_huge, fails=("r2",)),
    "hopeless": Fault(
        what="100 late flights called impossible",
        plant=_far_off,
        fails=("c1", "r3"),
        why="a probability of nearly nothing that comes true is wrongly calibrated too",
    ),
    "pickle": Fault(
        what="a file of no known format in the folder",
        plant=lambda: replace(twin(), formats={"model.onnx": "onnx", "x.pkl": None}),
        fails=("z1",),
    ),
    "rounding": Fault(what="an export rounded to float32", plant=_rounded, fails=("z3",)),
    "slow calls": Fault(what="50 ms more in 2 % of the calls", plant=_slow_calls, fails=("t1.p99",)),
    "random": Fault(what="another answer by the model loaded again", plant=_random, fails=("v1",)),
    "edited policy": Fault(what="a policy changed after the model's commit", plant=_policy_edited, fails=("v4",)),
}
POWER = (("US", "EWR"), ("UA", "LGA"), ("MQ", "LGA"))
"""Slices of 1.3, 2.2 and 5.1 % of the hold-out; `min_share` is 1 %."""


def page_rows(fault: Fault, found: Mapping[str, CheckResult]) -> list[str]:
    """The lines of docs/planted-faults.md for a fault and what its certificate says."""
    lines, what = [], fault.what
    for name in (*fault.fails, *fault.open):
        verdict = "" if found[name].verdict == "FAIL" else f"{found[name].verdict}: "
        also = f" ({fault.why})" if fault.why and name == fault.fails[-1] else ""
        reason = found[name].reason.replace("|", "/")
        lines.append(f"| {what} | {name.upper()} | {verdict}{reason}{also} |\n")
        what = ""
    return lines
