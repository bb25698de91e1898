"""Find the commit, or the version of one data path, since which a metric is bad: by halving, through the cache.

Every version is run in a work tree beside the user's; HEAD and branches stay where they are. One whose run fails is
skipped, as ``git bisect skip`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mintage.errors import BusyError, MintageError, RefusedError, RunError
from mintage.pipeline.change.differences import content_at, data_differences, differences_of
from mintage.pipeline.change.metric import metric_or_raise
from mintage.pipeline.change.parts import DATA, PARTS
from mintage.pipeline.change.recorded import targets_of
from mintage.pipeline.change.search import Judgement, last_good, next_probe, suspects
from mintage.pipeline.change.side import Side, read_side, remember_results
from mintage.pipeline.change.trial import Run, Trial, composed, pure, run_trial
from mintage.pipeline.change.versions import Version
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["Bound", "Found", "Probe", "bisect"]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """When a metric is bad: below, or above, a limit.

    >>> Bound(metric="auc", limit=0.8, below=True).is_bad(0.79)
    True
    """

    metric: str
    limit: float
    below: bool

    def is_bad(self, value: float) -> bool:
        """Whether the value is on the bad side."""
        return value < self.limit if self.below else value > self.limit

    def __str__(self) -> str:
        return f"{self.metric} {'below' if self.below else 'above'} {self.limit:g}"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One version that was judged: its number, the metric, or why it was skipped; ``ran`` if a command was run."""

    number: int
    judgement: Judgement
    value: float | None = None
    why: str = ""
    ran: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """The versions of which one is the first bad one (one only, unless some were skipped), the last good one before
    them if there is one, what differs between those by part, and all probes in their order."""

    suspects: tuple[Version, ...]
    good: Version | None
    probes: tuple[Probe, ...]
    differences: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def ran(self) -> int:
        """How many versions had to be run; the others were in the cache."""
        return sum(probe.ran for probe in self.probes)


def bisect(
    workspace: Workspace,
    versions: Sequence[Version],
    bound: Bound,
    *,
    run: Run,
    path: str | None = None,
    base: str | None = None,
    on_probe: Callable[[Version, Probe], None] = lambda version, probe: None,
) -> Found:
    """Search ``versions``, oldest first; with ``path`` they are of that data, all else being as in the commit ``base``.
    The caller holds the run lock.

    Raises RefusedError if the last one is not bad, or nothing could be judged.
    """
    judge = _Judge(workspace=workspace, versions=versions, bound=bound, run=run, path=path, base=base)
    judged: dict[int, Judgement] = {}
    probes: list[Probe] = []

    def look(number: int) -> Probe:
        probe = judge.look(number)
        judged[number] = probe.judgement
        probes.append(probe)
        on_probe(versions[number], probe)
        return probe

    last = len(versions) - 1
    if (probe := look(last)).judgement != "bad":
        raise _not_bad(bound, probe, versions[last])
    while (number := next_probe(len(versions), judged)) is not None:
        look(number)
    named = suspects(len(versions), judged)
    before = last_good(len(versions), judged)
    return Found(
        suspects=tuple(versions[number] for number in named),
        good=None if before is None else versions[before],
        probes=tuple(probes),
        differences={} if before is None else judge.differences(before, named[-1]),
    )


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """Runs versions, and keeps what each gave."""

    workspace: Workspace
    versions: Sequence[Version]
    bound: Bound
    run: Run
    path: str | None
    base: str | None
    trials: dict[int, Trial] = field(default_factory=dict)
    sides: dict[str, Side] = field(default_factory=dict)

    def look(self, number: int) -> Probe:
        try:
            trial = self._trial(number)
            stage, key = metric_or_raise(self.bound.metric, trial.metrics, where=self.versions[number].commit[:12])
        except BusyError:
            raise
        except MintageError as error:
            if number == len(self.versions) - 1:
                raise
            return Probe(
                number=number, judgement="skip", why=error.message.splitlines()[0], ran=isinstance(error, RunError)
            )
        value = trial.metrics[stage][key]
        judgement: Judgement = "bad" if self.bound.is_bad(value) else "good"
        return Probe(number=number, judgement=judgement, value=value, ran=bool(trial.ran))

    def _trial(self, number: int) -> Trial:
        version, side = self.versions[number], self._side(number)
        single = {self.path: version.content} if self.path is not None and version.content is not None else {}
        targets = targets_of(Store(self.workspace.store_dir), [side], self.bound.metric)
        with composed(self.workspace, pure(side), data=single) as tree:
            trial = self.trials[number] = run_trial(tree, self.run, targets)
        return trial

    def _side(self, number: int) -> Side:
        """The commit of a version; of data always the same, ``base``."""
        name = self.base or self.versions[number].commit
        if name not in self.sides:
            self.sides[name] = read_side(self.workspace, name)
            remember_results(self.workspace, self.sides[name])
        return self.sides[name]

    def differences(self, good: int, bad: int) -> dict[str, list[str]]:
        """What differs between two versions that were run, by part."""
        if self.path is not None:
            pair = self.versions[good].content, self.versions[bad].content
            return {DATA: data_differences(self.workspace, self.path, *pair)}
        sides = self._side(good), self._side(bad)
        found = differences_of(sides, self.trials[good], self.trials[bad])
        found |= {DATA: [self._within(path, sides) for path in found[DATA]]} if DATA in found else {}
        return {part: found[part] for part in PARTS if part in found}

    def _within(self, path: str, sides: tuple[Side, Side]) -> str:
        """The data ``path``, and what differs in it."""
        store = Store(self.workspace.store_dir)
        pair = [content_at(store, side.data([path]).get(path, {}), path) for side in sides]
        return path if None in pair else f"{path}: {'; '.join(data_differences(self.workspace, path, *pair))}"


def _not_bad(bound: Bound, probe: Probe, version: Version) -> RefusedError:
    return RefusedError(
        f"{bound.metric} is not bad at the end: there is nothing to find",
        expected=str(bound),
        found=f"{probe.value:g} at {version.commit[:12]}" if probe.value is not None else probe.why,
        hint="name a commit where it is bad as the second one, or another limit",
    )
