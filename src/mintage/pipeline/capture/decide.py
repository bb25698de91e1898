"""Say on which rows the estimator in a file was fitted, and which others are an honest hold-out. Pure.

Rows are held out if one ``train_test_split`` (or a choice of rows that is as good as one) put them aside, nothing was
fitted on them or looked at them while it was fitted, and no other estimator than the one in the file answered for
them: who compares by rows, chooses by them. Where something cannot be seen there is no hold-out, and ``why`` says what
was in the way.

>>> origin = Origin(part=None, how="unknown")
>>> fit = Fit(where="a.py:3", kind="Ridge", method="fit", predicts=True, data=origin, id=1)
>>> decide([fit], {"1": Tables(targets=("y",))}, path="model.joblib").why.split(", ")[0]
'no train_test_split made the rows that Ridge at a.py:3 was fitted on'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mintage.pipeline.capture.events import Event, Fit, Origin, Save, Score, Split, Tables, Unseen

__all__ = ["Decision", "Side", "decide"]

_LEARN_NOTHING = frozenset(
    (
        *("LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "FunctionTransformer", "Normalizer", "Binarizer"),
        *("HashingVectorizer", "FeatureHasher", "PolynomialFeatures"),
    )
)
_KNOWN = ("same", "columns", "rows", "resampled")


@dataclass(frozen=True, kw_only=True)
class Side:
    """A table that was stored, and what its rows are, in words."""

    table: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """``fit`` None: not known which estimator is in the file. Without ``holdout``, ``why`` is the reason; ``unsplit``
    if that is that no rows were seen to be put aside at all."""

    fit: Fit | None = None
    train: Side | None = None
    validation: Side | None = None
    holdout: Side | None = None
    targets: tuple[str, ...] = ()
    why: str = ""
    unsplit: bool = False


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """All that is asked about one candidate: the events, the fit in the file, and the splits by number."""

    events: Sequence[Event]
    fit: Fit
    splits: Mapping[int, Split]


def decide(events: Sequence[Event], tables: Mapping[str, Tables], *, path: str) -> Decision:
    """The rows of the estimator that was written to ``path``."""
    fit = _saved(events, path)
    if fit is None:
        return Decision(why=f"it was not seen which estimator was written to {path}")
    stored = tables.get(str(fit.id))
    if stored is None:
        return Decision(fit=fit, why=f"the rows that {_name(fit)} was fitted on are no plain table with labels")
    train = Side(table=f"{fit.id}-fit", source=f"the rows that {_name(fit)} was fitted on{_through(fit, events)}")
    seen = _Seen(events=events, fit=fit, splits={event.id: event for event in events if isinstance(event, Split)})
    why = _obstacle(seen)
    if why:
        return Decision(fit=fit, train=train, targets=stored.targets, why=why, unsplit=not seen.splits)
    holdout, validation, why = _sides(seen, stored)
    return Decision(fit=fit, train=train, validation=validation, holdout=holdout, targets=stored.targets, why=why)


def _saved(events: Sequence[Event], path: str) -> Fit | None:
    """The fit of the estimator in the file; where no save was seen, the only one that predicts."""
    fits = {event.id: event for event in events if isinstance(event, Fit) and event.id is not None}
    saves = [event.fit for event in events if isinstance(event, Save) and event.path == path]
    if saves:
        return fits.get(saves[-1])
    continued = {fit.continues for fit in fits.values()}
    ends = [fit for fit in fits.values() if fit.predicts and fit.id not in continued]
    elsewhere = {event.fit for event in events if isinstance(event, Save)}
    return ends[0] if len(ends) == 1 and ends[0].id not in elsewhere else None


def _obstacle(seen: _Seen) -> str:
    """Why no split can be seen to have put rows aside for this fit; empty if one can."""
    fit, origin = seen.fit, seen.fit.data
    unseen = next((event for event in seen.events if isinstance(event, Unseen)), None)
    if not seen.splits:
        return (
            f"no train_test_split made the rows that {_name(fit)} was fitted on, and none that it answered for are "
            "all the others of the same table"
        )
    if unseen is not None:
        return f"not all was seen: {unseen.who} at {unseen.where}"
    last = list(seen.splits.values())[-1]
    if origin.part is None:
        return (
            f"{_name(fit)} was fitted on other rows than {last.name} gave; what comes between "
            "belongs before the split, or into a Pipeline with the estimator"
        )
    split = seen.splits[_split_of(origin.part)]
    if origin.how not in _KNOWN or (fit.labels is not None and fit.labels.how == "changed"):
        return (
            f"the rows of {split.name} were changed in place before {_name(fit)} was fitted on "
            "them; do that before the split, or in a Pipeline with the estimator"
        )
    if fit.labels is None or fit.labels.part != origin.part:
        return f"the labels that {_name(fit)} was fitted on are not those of {split.name}"
    return ""


def _sides(seen: _Seen, stored: Tables) -> tuple[Side | None, Side | None, str]:
    """The hold-out and the validation rows among the parts that the fit did not see, and why there is no hold-out."""
    mine = str(seen.fit.data.part)
    parts = [part for part in _leaves(seen) if not _within(part, mine, seen) and part != mine]
    kept: list[Side] = []
    watched: list[Side] = []
    why = f"{seen.splits[_split_of(mine)].name} left no other rows"
    for part in parts:
        learnt, compared = next(_learnt(part, seen), ""), next(_compared(part, seen), "")
        made = stored.rest.get(part)
        size = f"the {_rows(part, seen)}rows that {seen.splits[_split_of(part)].name} held out"
        if learnt or made is None:
            why = learnt or (
                f"{size} were never made into what {_name(seen.fit)} takes, or were changed in place; "
                "do that before the split, or in a Pipeline with the estimator"
            )
        elif compared:
            watched.append(Side(table=made, source=f"{size}; {compared}"))
            why = f"{compared}, which makes the rows that train_test_split held out validation rows"
        else:
            kept.append(Side(table=made, source=f"{size}; nothing was fitted on them; {_scored(part, seen)}"))
    if not kept:
        return None, (watched or [None])[0], why  # type: ignore[list-item]
    return kept[0], ([*watched, *kept[1:]] or [None])[0], ""  # type: ignore[list-item]


def _learnt(part: str, seen: _Seen) -> Iterator[str]:
    """What learnt from the rows of ``part``, or may have, in words."""
    root = seen.splits[_root(part, seen)]
    begun = False
    for event in seen.events:
        begun = begun or event is root
        if not isinstance(event, Fit) or event is seen.fit or event.kind in _LEARN_NOTHING:
            continue
        if event.data.part is None:
            if not begun:
                yield f"{_name(event)} was fitted on rows that are held out: before {root.name}"
            else:
                yield f"{_name(event)} was fitted on rows that cannot be told from those held out"
        elif _root(event.data.part, seen) != _root(part, seen):
            again = seen.splits[_split_of(event.data.part)].where
            yield f"the rows were split at {root.where} and at {again}, and {_name(event)} was fitted after the other"
        elif event.data.part == part or _within(part, event.data.part, seen):
            yield f"{_name(event)} was fitted on rows that are held out"


def _compared(part: str, seen: _Seen) -> Iterator[str]:
    """How something was chosen by the rows of ``part``, in words."""
    for event in seen.events:
        if not isinstance(event, Fit):
            continue
        for other in event.others:
            if other.part is None:
                yield f"{_name(event)} looked at rows while it was fitted that cannot be told from these"
            elif _touches(part, other, seen):
                yield f"{_name(event)} looked at them while it was fitted"
    asked = {event.fit or event.other: event for event in _asked(part, seen)}
    for event in seen.events:
        if isinstance(event, Score) and event.data.part is None and event.fit != seen.fit.id:
            yield f"{event.kind} at {event.where} answered for rows that cannot be told from them"
    others = [event for who, event in asked.items() if who != seen.fit.id]
    if others:
        names = " and ".join(f"{event.kind} at {event.where}" for event in list(asked.values())[:3])
        alone = "" if len(asked) > 1 else ", which is not the one that was saved"
        yield f"{names} answered for them{alone}"


def _asked(part: str, seen: _Seen) -> list[Score]:
    return [event for event in seen.events if isinstance(event, Score) and _touches(part, event.data, seen)]


def _scored(part: str, seen: _Seen) -> str:
    lines = list(dict.fromkeys(event.where for event in _asked(part, seen)))
    if not lines:
        return "no estimator answered for them"
    return f"the one that was saved answered for them at {', '.join(lines[:3])}, and no other"


def _touches(part: str, other: Origin, seen: _Seen) -> bool:
    return other.part is not None and (other.part == part or _within(part, other.part, seen))


def _leaves(seen: _Seen) -> list[str]:
    """The parts of the fit's first split and of those below it that were not split again, in their order."""
    above = {split.of.part for split in seen.splits.values()}
    parts = [f"{number}{side}" for number in seen.splits for side in "rt"]
    root = _root(str(seen.fit.data.part), seen)
    return [part for part in parts if part not in above and _root(part, seen) == root]


def _within(part: str, other: str, seen: _Seen) -> bool:
    """Whether ``part`` was split off ``other``."""
    above = seen.splits[_split_of(part)].of.part
    return above is not None and (above == other or _within(above, other, seen))


def _root(part: str, seen: _Seen) -> int:
    above = seen.splits[_split_of(part)].of.part
    return _split_of(part) if above is None else _root(above, seen)


def _split_of(part: str) -> int:
    return int(part[:-1])


def _rows(part: str, seen: _Seen) -> str:
    sizes = seen.splits[_split_of(part)].rows
    size = sizes["tr".index(part[-1])] if len(sizes) == 2 else None
    return "" if size is None else f"{size:,} "


def _through(fit: Fit, events: Sequence[Event]) -> str:
    made = [event for event in events if isinstance(event, Fit) and event.id in fit.data.via]
    return f", as {' and '.join(map(_name, made))} made them" if made else ""


def _name(fit: Fit) -> str:
    return f"{fit.kind} at {fit.where}"
