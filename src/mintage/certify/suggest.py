"""Suggest what a model must prove, from what its file and its validation data say. Pure.

The built-in default policy and ``mintage policy init`` both come from here: the first without thresholds of the
model's own, because nobody has said what is good enough; the second with those that ``Thresholds`` proposes. The
hold-out is not asked: whoever sets a threshold by it has looked at the answer.

>>> facts = PolicyFacts(
...     grouped=False, repeatable=False, rarer_share=0.02, in_float32=False, can_serve=False, has_baselines=False
... )
>>> [(item.id, item.check, item.severity) for item in suggest_requirements(facts)][:2]
[('performance.auc', 'F1', 'must'), ('performance.probabilities', 'F2', 'should')]
>>> suggest_requirements(facts)[0].keys
{'metric': 'roc_auc', 'min': 0.5}
>>> assumptions_of(facts)[0]
'rows are independent of each other, for no group_key is declared'
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mintage.certify.answers import Task
from mintage.certify.check import CheckResult
from mintage.certify.judge import Severity
from mintage.model.parity import ROUNDED, TOLERANCE

__all__ = [
    "PolicyFacts",
    "Suggested",
    "Thresholds",
    "assumptions_of",
    "propose_ceiling",
    "propose_floor",
    "suggest_requirements",
]

RARE = 0.40
"""A class is rare under this share of its part: 0.2 of two classes, 0.1 of four."""
GAP = 0.10
SLOWEST_MS = 50


@dataclass(frozen=True)
class _Asked:
    """What is asked of a task: the requirement's name, metric and its ``label``, the ``floor`` that a model without
    skill reaches and what it is, and why the metric is asked."""

    id: str
    metric: str
    label: str
    floor: float
    floor_is: str
    why: str


_ASKED: dict[Task, _Asked] = {
    "binary": _Asked(
        "performance.auc", "roc_auc", "AUC", 0.5, "0.5 is chance", "The model must tell the classes apart."
    ),
    "multiclass": _Asked(
        "performance.auc",
        "roc_auc",
        "macro AUC",
        0.5,
        "0.5 is chance, as the mean over the classes of each against the rest",
        "The model must tell each class from the others.",
    ),
    "regression": _Asked(
        "performance.r2",
        "r2",
        "R²",
        0.0,
        "0 is what the mean of the true values reaches",
        "The model must explain some of what differs between rows.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class PolicyFacts:
    """What the suggestion rests on.

    ``task``: what the model does. ``grouped``: a group key is declared. ``repeatable``: all inputs are texts or whole
    numbers, so that equal rows happen by chance. ``rarer_share``: of the rarest of ``classes`` among the validation
    rows, None if it is not known, and of a regression. ``in_float32``: what was fitted computes its answers in float32,
    as a network does. ``can_serve`` and ``has_baselines``: the extras are installed that measure latency and fit
    trivial models.
    """

    grouped: bool
    repeatable: bool
    rarer_share: float | None
    in_float32: bool
    can_serve: bool
    has_baselines: bool
    task: Task = "binary"
    classes: int = 2


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Proposed thresholds, each with the figure that it comes from; None where no figure was to be had."""

    floor: tuple[float, str] | None = None
    gap: tuple[float, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """One requirement: its check's own ``keys``, ``why`` it is asked, and the ``basis`` of threshold and severity."""

    id: str
    check: str
    severity: Severity
    keys: dict[str, float | int | str | list[str]]
    why: str
    basis: str


def suggest_requirements(facts: PolicyFacts, thresholds: Thresholds | None = None) -> tuple[Suggested, ...]:
    """The requirements, in the order in which a reader wants them."""
    known, asked = thresholds or Thresholds(), _ASKED[facts.task]
    found = [
        _floor(known, asked),
        *_trivial(facts, asked),
        _champion(asked),
        _gap(known, asked),
        _shared(facts),
        _parity(facts),
    ]
    if facts.can_serve:
        found.append(_latency())
    found.append(_order())
    return tuple(found)


def assumptions_of(facts: PolicyFacts) -> tuple[str, ...]:
    """What was taken for granted, or left out because of what is missing, one sentence each."""
    found = []
    if not facts.grouped:
        found.append("rows are independent of each other, for no group_key is declared")
    if facts.rarer_share is None and facts.task != "regression":
        found.append("the classes are balanced, for no validation data tell")
    if not facts.can_serve:
        found.append("latency is not asked for, because the extra `serve`, which measures it, is not installed")
    if not facts.has_baselines:
        plainest = "the mean" if facts.task == "regression" else "the base rate"
        found.append(f"trivial models but {plainest} are not compared with, because scikit-learn is not installed")
    return tuple(found)


def propose_floor(result: CheckResult, task: Task = "binary") -> float | None:
    """A floor for a metric of which more is better: twice as far below the estimate as its interval reaches, down to a
    hundredth, and no less than a model without skill reaches.

    Twice, because the interval on other rows must lie above the floor as a whole for a PASS.
    """
    if result.interval is None or result.estimate is None:
        return None
    low = result.estimate - 2 * (result.estimate - result.interval.low)
    return max(_ASKED[task].floor, math.floor(low * 100 + 1e-9) / 100)


def propose_ceiling(result: CheckResult) -> float | None:
    """A ceiling for a gap, in the same way upwards; at least 0.02."""
    if result.interval is None or result.estimate is None:
        return None
    high = result.estimate + 2 * (result.interval.high - result.estimate)
    return max(0.02, math.ceil(high * 100 - 1e-9) / 100)


def _floor(known: Thresholds, asked: _Asked) -> Suggested:
    floor, basis = known.floor or (asked.floor, f"{asked.floor_is}: nobody has said yet what is good enough")
    return Suggested(
        id=asked.id,
        check="F1",
        severity="must",
        keys={"metric": asked.metric, "min": floor},
        why=asked.why,
        basis=basis,
    )


def _trivial(facts: PolicyFacts, asked: _Asked) -> list[Suggested]:
    found = []
    if facts.rarer_share is not None and facts.rarer_share < RARE / facts.classes:
        share = "under 1 %" if facts.rarer_share < 0.01 else f"{facts.rarer_share:.0%}"
        found.append(
            Suggested(
                id="performance.probabilities",
                check="F2",
                severity="should",
                keys={"metric": "log_loss", "against": ["prior"]},
                why="Where one class is rare, a good order of rows says little about the probabilities themselves.",
                basis=f"the {'rarer' if facts.classes == 2 else 'rarest'} class is {share} of the validation rows; "
                "weights of classes make it fail on purpose",
            )
        )
    if facts.has_baselines:
        found.append(
            Suggested(
                id="performance.trivial",
                check="F2",
                severity="should",
                keys={"metric": asked.metric, "against": ["tree", "one_feature"]},
                why="A model that is no better than a trivial one is not worth its upkeep.",
                basis="wished for: where one column carries the signal, a simple model is as good",
            )
        )
    return found


def _champion(asked: _Asked) -> Suggested:
    return Suggested(
        id="performance.champion",
        check="F3",
        severity="must",
        keys={"metric": asked.metric, "margin": 0.01},
        why="Whoever replaces the champion must not be worse; it does not apply to the first model.",
        basis=f"0.01 of {asked.label} may be lost, as much as nobody notices; what a loss costs is yours to say",
    )


def _gap(known: Thresholds, asked: _Asked) -> Suggested:
    ceiling, basis = known.gap or (
        GAP,
        f"0.10 of {asked.label}: with a larger gap the model knows its training rows",
    )
    return Suggested(
        id="overfitting.gap",
        check="F5",
        severity="must" if known.gap is not None else "should",
        keys={"metric": asked.metric, "max": ceiling},
        why="What was learnt from the training rows must hold on others.",
        basis=basis,
    )


def _shared(facts: PolicyFacts) -> Suggested:
    basis = "one row in a thousand may be the same by chance"
    if facts.repeatable:
        basis = "wished for: all inputs are texts or whole numbers, so equal rows happen by chance"
    return Suggested(
        id="leakage.shared-rows",
        check="L1",
        severity="should" if facts.repeatable else "must",
        keys={"max_share": 0.001},
        why="A training row in the hold-out flatters every figure above.",
        basis=basis,
    )


def _parity(facts: PolicyFacts) -> Suggested:
    if facts.in_float32:
        tolerance, basis = ROUNDED, f"{ROUNDED:g}, because the original computes its answers in float32"
    else:
        tolerance, basis = TOLERANCE, f"{TOLERANCE:g} is what double precision allows"
    return Suggested(
        id="export.parity",
        check="Z3",
        severity="must",
        keys={"tolerance": tolerance},
        why="What is served is what was fitted, on every hold-out row and on edge rows.",
        basis=basis,
    )


def _latency() -> Suggested:
    return Suggested(
        id="latency.p99",
        check="T1",
        severity="should",
        keys={"quantile": 0.99, "max_ms": SLOWEST_MS},
        why="Who asks for a prediction waits for it.",
        basis=f"wished for: measured on this machine; {SLOWEST_MS} ms is what a page can wait",
    )


def _order() -> Suggested:
    return Suggested(
        id="order.policy-first",
        check="V4",
        severity="should",
        keys={},
        why="Requirements that are written after the figures are known prove little.",
        basis="make it `must` once somebody else holds the audit log's checkpoints",
    )
