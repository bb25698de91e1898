"""Attribute the change of metrics between two commits to code, data, parameters and environment.

Each combination of parts from the one and the other is run through the cache, and the change is shared out by Shapley
values over the parts that differ: the shares add up to the change. Combinations that fail join the parts that cannot be
swapped apart. The share of an environment that is not here any more is what the recorded metrics differ by beyond what
is measured in the environment of now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mintage.errors import BusyError, MintageError
from mintage.pipeline.change.differences import differences_of
from mintage.pipeline.change.metric import metric_or_raise
from mintage.pipeline.change.parts import ENVIRONMENT, PARTS, package_differences
from mintage.pipeline.change.recorded import Recorded, recorded, targets_of
from mintage.pipeline.change.side import Side, read_side, remember_results
from mintage.pipeline.change.trial import Run, Trial, composed, pure, run_trial
from mintage.repo.workspace import Workspace
from mintage.stats.shapley import joined, shapley, unions
from mintage.store.local import Store

__all__ = ["Explained", "Failed", "MetricChange", "Share", "explain_change"]

Swapped = frozenset[str]
Place = tuple[str, str]
_NOISE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Share:
    """What ``parts`` (one, or more that cannot be swapped apart) add to the change of a metric."""

    parts: tuple[str, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """One metric at both commits, and the shares of its change, which add up to ``new - old``."""

    stage: str
    metric: str
    old: float
    new: float
    shares: tuple[Share, ...]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A combination that gave no metric: the parts taken from the new commit, and the reason."""

    swapped: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class Explained:
    """The commits, what differs in each part, the metrics; ``combinations`` were looked at, ``ran`` commands run for
    them."""

    old: str
    new: str
    differences: Mapping[str, Sequence[str]]
    metrics: tuple[MetricChange, ...]
    combinations: int
    ran: int
    failed: tuple[Failed, ...]
    remarks: tuple[str, ...]


def explain_change(
    workspace: Workspace,
    *,
    old: str,
    new: str | None,
    metric: str | None,
    run: Run,
    on_event: Callable[[str], None] = lambda _: None,
) -> Explained:
    """Explain ``metric`` (None: each that changed) between two revisions, or one and the work tree as it is (None).
    The caller holds the run lock.

    Raises UnknownNameError for a revision or metric that is not there, and what a run of one of the two raises.
    """
    store = Store(workspace.store_dir)
    sides = read_side(workspace, old), read_side(workspace, new)
    for side in sides:
        remember_results(workspace, side)
    swap = _Swap(workspace, sides, run, targets_of(store, sides, metric), on_event)
    first, last = swap.end(0), swap.end(1)
    differences = differences_of(sides, first, last)
    then = recorded(store, sides[0], first), recorded(store, sides[1], last)
    places = _places(metric, sides, first, last, then)
    names = [part for part in PARTS if part in differences]
    failed = swap.through(names, places)
    groups = joined(names, failed)
    lost = _environment_lost(then)
    metrics = []
    for place in places:
        values = {union: _value(swap.trials[union], place) for union in unions(groups)}
        metrics.append(_change(place, values, groups, then if lost else None))
    if lost:
        differences[ENVIRONMENT] = _lost_packages(then) or ["environment"]
    return Explained(
        old=sides[0].commit,
        new=sides[1].commit,
        differences={part: differences[part] for part in PARTS if part in differences},
        metrics=tuple(metrics),
        combinations=len(swap.trials) + len(failed),
        ran=sum(len(trial.ran) for trial in swap.trials.values()),
        failed=tuple(Failed(swapped=_named(swapped), why=why) for swapped, why in failed.items()),
        remarks=tuple(_remarks(sides, then, groups, lost=lost)),
    )


class _Swap:
    """Runs combinations, named by the parts that come from the new commit."""

    def __init__(
        self,
        workspace: Workspace,
        sides: tuple[Side, Side],
        run: Run,
        targets: Sequence[str],
        on_event: Callable[[str], None],
    ) -> None:
        self.workspace, self.sides, self.run, self.targets, self.tell = workspace, sides, run, targets, on_event
        self.trials: dict[Swapped, Trial] = {}

    def end(self, index: int) -> Trial:
        """All of one commit."""
        side = self.sides[index]
        self.tell(f"all of {side.name}")
        try:
            with composed(self.workspace, pure(side)) as tree:
                trial = run_trial(tree, self.run, self.targets)
        except MintageError as error:
            error.message = f"{side.name} cannot be run: {error.message}"
            raise
        self.trials[frozenset(PARTS if index else ())] = trial
        return trial

    def through(self, names: Sequence[str], places: Sequence[Place]) -> dict[Swapped, str]:
        """Run what is left of the combinations of ``names``; returns those that gave no metric, with the reason."""
        self.trials[frozenset(names)] = self.trials.pop(frozenset(PARTS)) if names else self.trials[frozenset()]
        failed: dict[Swapped, str] = {}
        for swapped in unions([frozenset([name]) for name in names]):
            if swapped in self.trials:
                continue
            chosen = {part: self.sides[part in swapped] for part in PARTS}
            self.tell(f"{self.sides[1].name}'s {' and '.join(p for p in names if p in swapped)}, all else as before")
            try:
                with composed(self.workspace, chosen) as tree:
                    trial = run_trial(tree, self.run, self.targets)
            except BusyError:
                raise
            except MintageError as error:
                failed[swapped] = error.message.splitlines()[0]
                continue
            absent = [key for stage, key in places if key not in trial.metrics.get(stage, {})]
            if absent:
                failed[swapped] = f"does not report {absent[0]}"
            else:
                self.trials[swapped] = trial
        return failed


def _places(
    metric: str | None, sides: tuple[Side, Side], first: Trial, last: Trial, then: tuple[Recorded, Recorded]
) -> list[Place]:
    """The metric that was asked for, or all that both have and that changed, then or now."""
    if metric is not None:
        metric_or_raise(metric, first.metrics, where=sides[0].name)
        place = metric_or_raise(metric, last.metrics, where=sides[1].name)
        metric_or_raise(f"{place[0]}:{place[1]}", first.metrics, where=sides[0].name)
        return [place]
    found = []
    for stage, own in last.metrics.items():
        for key, value in own.items():
            before = first.metrics.get(stage, {}).get(key)
            recorded_change = then[0].metrics.get(stage, {}).get(key) != then[1].metrics.get(stage, {}).get(key)
            if before is not None and (before != value or (recorded_change and _environment_lost(then))):
                found.append((stage, key))
    return found


def _value(trial: Trial, place: Place) -> float:
    return trial.metrics[place[0]][place[1]]


def _change(
    place: Place,
    values: Mapping[Swapped, float],
    groups: Sequence[Swapped],
    then: tuple[Recorded, Recorded] | None,
) -> MetricChange:
    old, new = values[frozenset()], values[frozenset().union(*groups)]
    shares = {_named(group): share for group, share in shapley(values, groups).items()}
    if then is not None:
        before, after = (_then(own, place, value) for own, value in zip(then, (old, new), strict=True))
        shares[ENVIRONMENT,] = shares.get((ENVIRONMENT,), 0.0) + (after - before) - (new - old)
        old, new = before, after
    noise = _NOISE * max(abs(old), abs(new), 1.0)
    return MetricChange(
        stage=place[0],
        metric=place[1],
        old=old,
        new=new,
        shares=tuple(
            Share(parts=parts, share=0.0 if abs(share) < noise else share)
            for parts, share in sorted(shares.items(), key=lambda pair: PARTS.index(pair[0][0]))
        ),
    )


def _then(own: Recorded, place: Place, now: float) -> float:
    """What was recorded, where that was measured with other packages; else what is measured now."""
    return own.metrics.get(place[0], {}).get(place[1], now) if own.lost else now


def _named(group: Swapped) -> tuple[str, ...]:
    return tuple(part for part in PARTS if part in group)


def _environment_lost(then: tuple[Recorded, Recorded]) -> bool:
    """Whether a metric was made in an environment that is gone, and not in the same one on both sides."""
    names = {name for own in then for name in own.lost}
    return any(then[0].environments.get(name) != then[1].environments.get(name) for name in names)


def _lost_packages(then: tuple[Recorded, Recorded]) -> list[str]:
    names = [name for name in then[0].frozen if name in then[1].frozen]
    found = [text for name in names for text in package_differences(then[0].frozen[name], then[1].frozen[name])]
    return list(dict.fromkeys(found))


def _remarks(
    sides: tuple[Side, Side], then: tuple[Recorded, Recorded], groups: Sequence[Swapped], *, lost: bool
) -> list[str]:
    said = []
    for side, own in zip(sides, then, strict=True):
        if own.lost and lost:
            said.append(
                f"the environment in which {side.name} was run is not here any more: the share of the environment is "
                "what the recorded metric differs by from one measured with the packages of now"
            )
        elif own.lost:
            said.append(f"{side.name} was run with other packages than those of now, with which it was run again")
    for group in groups:
        if len(group) > 1:
            said.append(f"{' and '.join(_named(group))} cannot be swapped apart: the one fails alone")
    return said
