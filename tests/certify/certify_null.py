"""Fault-free models in a made-up world whose truth is known, and policies whose requirements they truly meet.

Rows are independent, or belong to groups that share a part of an input and a part of the chance that makes the label:
each row by itself has the same law either way, so the truth is the same, and a row-by-row interval is too narrow for
groups. ``true_model`` knows the law. ``plain_model`` lacks an input and is too sure; what it is worth is computed on a
large sample, so that a policy can ask exactly that: there a false failure is most likely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
from certify_behave import CLASSES, INPUTS, accepts, answer_by, fault_free, replace_input, slope
from certify_evidence import DOMAIN, ROOT, latency_run
from certify_real import declared
from numpy.typing import NDArray
from scipy import special

from mintage.certify.answers import Answers, Task
from mintage.certify.certify import Outcome, certify
from mintage.certify.check import CheckResult, Resampling
from mintage.certify.checks.c1 import CHECK as C1
from mintage.certify.checks.c1 import CalibrationRequirement
from mintage.certify.checks.r3 import CHECK as R3
from mintage.certify.checks.r3 import WorstRowsRequirement
from mintage.certify.conformal import oddness
from mintage.certify.evidence import Champion, Evidence, Native, Split
from mintage.certify.latency import RecordedLatency
from mintage.certify.metric import MetricName, find_metric
from mintage.certify.perturb import with_missing, with_noise
from mintage.certify.policy import Policy, parse_policy
from mintage.certify.served import Columns, Served

__all__ = ["TASKS", "Audits", "audit_edge", "audit_met", "edge_policy", "edge_world", "met_policy", "met_world"]

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
_GROUPS, _SIZE, _LARGE = 60, 40, 400_000
_SHARED = 0.15
_RANGE = 2.0
_METRICS: dict[Task, tuple[MetricName, ...]] = {
    "binary": ("roc_auc", "log_loss", "accuracy", "f1", "average_precision", "brier"),
    "multiclass": ("roc_auc", "log_loss", "accuracy", "f1"),
    "regression": ("r2", "mae", "rmse", "median_ae"),
}
_LOSS = {"binary": "log_loss, max: 0.7", "multiclass": "log_loss, max: 1.0", "regression": "mae, max: 1.9"}
_SAMPLED = Resampling(confidence=0.95, draws=200, seed=0)


@dataclass
class Audits:
    """What a number of certificates of fault-free models said: how often each verdict, by requirement, and how many of
    them failed (or were left open by) any."""

    count: int = 0
    failed: int = 0
    open: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, outcome: Outcome, *, false: Callable[[CheckResult], bool] = lambda _: True) -> None:
        """Count a certificate; a FAIL that is not ``false`` counts as what it is: right."""
        found = {
            item.requirement: "right" if item.verdict == "FAIL" and not false(item) else item.verdict
            for item in outcome.results
        }
        self.count += 1
        self.failed += "FAIL" in found.values()
        self.open += "INCONCLUSIVE" in found.values()
        self.verdicts.update(found.items())


def audit_met(task: Task, *, grouped: bool, seeds: Iterable[int]) -> Audits:
    """Certify models that clearly meet the policy."""
    audits = Audits()
    for seed in seeds:
        policy = met_policy(task, like=seed % 6 == 0)
        audits.add(certify(met_world(task, seed, grouped=grouped), policy))
    return audits


def audit_edge(task: Task, *, grouped: bool, seeds: Iterable[int], multiplicity: str = "none") -> Audits:
    """Certify models that meet each requirement by nothing."""
    policy, audits = edge_policy(task, multiplicity=multiplicity), Audits()

    for seed in seeds:
        evidence = edge_world(task, seed, grouped=grouped)
        audits.add(certify(evidence, policy), false=partial(_is_false, evidence))
    return audits


def _is_false(evidence: Evidence, result: CheckResult) -> bool:
    """Whether the model truly meets what failed. What its sets cover depends on the validation rows that they were made
    from, and what noise is on the quartiles of training: there the truth is that of this model file."""
    if result.requirement == "c2":
        most = result.details["oddness at most"]
        assert isinstance(most, float) and result.gate is not None
        return true_coverage(evidence.task, most) >= result.gate.threshold
    if result.requirement == "r1":
        assert result.gate is not None
        return _loss(evidence.task, noisy_like(evidence.train.columns)) <= result.gate.threshold
    return True


def plain_model(task: Task) -> Callable[[Columns], Answers]:
    """A model without the input ``kind``, a little too sure of itself."""

    def answer(columns: Columns) -> Answers:
        without = {**columns, "kind": np.full(len(columns["kind"]), "y", dtype=object)}
        return answer_by(task, (1.0 if task == "regression" else 1.2) * (slope(without) + 0.4))

    return answer


def met_world(task: Task, seed: int, *, grouped: bool) -> Evidence:
    """A fault-free model: it knows the law, and its champion is a plain one."""
    return _world(task, seed, grouped=grouped, model=fault_free(task), champion=plain_model(task))


def edge_world(task: Task, seed: int, *, grouped: bool) -> Evidence:
    """The plain model, whose champion knows the law; a 46th of its rows have ``a`` beyond the declared range."""
    return _world(task, seed, grouped=grouped, model=plain_model(task), champion=fault_free(task), beyond=_RANGE)


def _world(
    task: Task,
    seed: int,
    *,
    grouped: bool,
    model: Callable[[Columns], Answers],
    champion: Callable[[Columns], Answers],
    beyond: float | None = None,
) -> Evidence:
    rng = np.random.default_rng([seed, TASKS.index(task), grouped])
    train, validation, holdout = (
        _split(rng, task, model, name=name, rows=_GROUPS * _SIZE, start=start, grouped=grouped)
        for name, start in (("training", 0), ("validation", 10_000), ("hold-out", 20_000))
    )
    inputs = {**INPUTS, "a": replace_input("a", monotone="increasing", range=None if beyond is None else (-9, beyond))}
    values = holdout.answers.values
    return Evidence(
        model="late",
        root=ROOT,
        domain=DOMAIN,
        classes=CLASSES[task],
        group_key="day" if grouped else None,
        train=train,
        holdout=holdout,
        validation=validation,
        native=Native(holdout=values, edge=values[:9], edge_served=values[:9]),
        latency=RecordedLatency(latency_run(rng.gamma(4, 0.0003, size=2000))),
        champion=Champion(root=ROOT, answers=champion(holdout.columns)),
        served=Served(model, accepts=accepts),
        spec=declared(train, inputs=inputs),
        formats={"model.onnx": "onnx"},
    )


def _split(
    rng: np.random.Generator,
    task: Task,
    model: Callable[[Columns], Answers],
    *,
    name: str,
    rows: int,
    start: int = 0,
    grouped: bool = False,
) -> Split:
    group = np.arange(rows) // _SIZE

    def shared(part: float) -> NDArray[np.float64]:
        """Normal numbers, of which the rows of a group share ``part`` of the variance."""
        own, common = rng.normal(size=rows), rng.normal(size=group[-1] + 1)[group]
        return np.sqrt(1 - part) * own + np.sqrt(part) * common if grouped else own

    a, b, chance = shared(2 * _SHARED), rng.normal(size=rows), shared(_SHARED)
    columns: dict[str, NDArray[Any]] = {
        "a": a,
        "b": np.where(rng.random(rows) < 0.05, np.nan, b),
        "c": rng.integers(0, 10, rows).astype(np.float64),
        "kind": rng.choice(["x", "y", "z"], size=rows).astype(object),
        "ticket": rng.permutation(rows).astype(np.float64),
    }
    truth, percentile = answer_by(task, slope(columns)).values, special.ndtr(chance)
    if task == "regression":
        labels: NDArray[Any] = truth + 2 * chance
    elif task == "binary":
        labels = (percentile < truth).astype(np.int64)
    else:
        labels = (truth.cumsum(axis=1) < percentile[:, None]).sum(axis=1).clip(0, 2)
    places = np.arange(start, start + rows)
    return Split(
        name=name,
        columns=columns,
        labels=labels,
        answers=model(columns),
        groups=np.array([f"{name}-{place:05d}" for place in group], dtype=object) if grouped else None,
        extra={"id": places.astype(object), "group": np.array([f"{name}-{place}" for place in group], dtype=object)},
    )


@cache
def _large(task: Task) -> tuple[Split, Answers]:
    """Many rows of the law, with the plain model's answers, and its champion's."""
    split = _split(np.random.default_rng(7), task, plain_model(task), name="hold-out", rows=_LARGE)
    return split, fault_free(task)(split.columns)


def true_coverage(task: Task, oddness_at_most: float) -> float:
    """How many rows of the law the plain model's conformal sets with this cut hold."""
    return float((oddness(_large(task)[0]) <= oddness_at_most).mean())


def _loss(task: Task, perturb: Callable[[Columns], Columns]) -> float:
    """The share of its usual metric that the plain model loses on perturbed rows of the law."""
    split, metric = _large(task)[0], find_metric(_METRICS[task][0], task)
    after = plain_model(task)(perturb(split.columns))
    return 1 - metric.value(split.labels, after) / metric.value(split.labels, split.answers)


def noisy_like(train: Columns) -> Callable[[Columns], Columns]:
    """R1's noise, by the quartiles of ``train``."""
    return lambda columns: with_noise(columns, train, INPUTS, share=0.2, rng=np.random.default_rng(3))


def _lossy(columns: Columns) -> Columns:
    """R2's losses."""
    names = [name for name in sorted(columns) if INPUTS[name].nullable]
    return with_missing(columns, names, share=0.2, rng=np.random.default_rng(4))


@cache
def edge_policy(task: Task, *, multiplicity: str = "none") -> Policy:
    """What the plain model truly is, asked exactly: each threshold is the truth."""
    split, champion = _large(task)
    lines = []
    for name in _METRICS[task]:
        metric = find_metric(name, task)
        value = metric.value(split.labels, split.answers)
        lines.append(f"id: f1.{name}, check: F1, metric: {name}, {'min' if metric.sign > 0 else 'max'}: {value!r}")
    usual = find_metric(_METRICS[task][0], task)
    own, rival = (usual.value(split.labels, answers) for answers in (split.answers, champion))
    outside = float(1 - special.ndtr(_RANGE))
    worst = R3.run(_evidence_of(split), WorstRowsRequirement(id="r", check="R3", max=1e9), **_given()).estimate
    lines += [
        f"id: f3, check: F3, margin: {rival - own!r}",
        "id: f5, check: F5, max: 0.0",
        f"id: d1, check: D1, max_share: {outside!r}",
        f"id: r1, check: R1, shares: [0.2], max_loss: {_loss(task, noisy_like(split.columns))!r}",
        f"id: r2, check: R2, shares: [0.2], max_loss: {_loss(task, _lossy)!r}",
        f"id: r3, check: R3, max: {worst!r}",
        f"id: t1, check: T1, max_ms: {0.3 * float(special.gammaincinv(4, 0.99))!r}",
        "id: c2, check: C2, margin: 0.0",
    ]
    if task != "regression":
        flips = float(((champion.labels == split.labels) & (split.answers.labels != split.labels)).mean())
        wide = CalibrationRequirement(id="c", check="C1", max_error=1.0, slope=(0.01, 100))
        found = C1.run(_evidence_of(split), wide, **_given()).details
        lines += [
            f"id: f4, check: F4, max_share: {flips!r}",
            f"id: c1.slope, check: C1, slope: [{found['slope']!r}, 9], max_error: 1",
            f"id: c1.error, check: C1, slope: [0.01, 9], max_error: {found['error']!r}",
        ]
    return _policy(lines, multiplicity, draws=400 if multiplicity == "none" else 2000)


@cache
def met_policy(task: Task, *, like: bool) -> Policy:
    """All checks, as a careful owner of the risk would ask them of a good model; with ``like`` L6 too, which takes most
    of the time."""
    numbers = task == "regression"
    lines = [
        f"id: f1, check: F1, metric: {_METRICS[task][0]}, min: {0.4 if numbers else 0.65}",
        f"id: f1.loss, check: F1, metric: {_LOSS[task]}",
        "id: f2, check: F2",
        "id: f3, check: F3, margin: 0.01",
        "id: f5, check: F5, max: 0.05",
        "id: l1, check: L1",
        "id: l2, check: L2",
        "id: l4, check: L4",
        "id: l5, check: L5, rows: 60",
        "id: d1, check: D1",
        "id: d2, check: D2, columns: [a, b, c, kind]",
        "id: d3, check: D3, columns: [kind]",
        "id: d4, check: D4, max_share: 0.4",
        "id: d5, check: D5",
        "id: s1, check: S1, control_share: 0.1",
        "id: b1, check: B1, irrelevant: [ticket]",
        "id: b4, check: B4",
        "id: b5, check: B5",
        "id: c2, check: C2, margin: 0.06",
        "id: r1, check: R1",
        f"id: r2, check: R2, shares: [0.05], max_loss: {0.15 if numbers else 0.05}",
        f"id: r3, check: R3, max: {5 if numbers else 4}",
        "id: t1, check: T1, max_ms: 25",
        "id: v1, check: V1",
        "id: z1, check: Z1",
        "id: z3, check: Z3",
    ]
    if like:
        lines.append("id: l6, check: L6")
    if task != "multiclass":
        lines.append("id: b2, check: B2")
    if not numbers:
        lines += ["id: c1, check: C1, slope: [0.6, 1.6], max_error: 0.1", "id: f4, check: F4, max_share: 0.15"]
    return _policy(lines, "none", draws=400)


def _policy(lines: list[str], multiplicity: str, *, draws: int) -> Policy:
    head = (
        f"model: late\nowner: x\nstatistics: {{seed: 5, draws: {draws}, multiplicity: {multiplicity}}}\nrequirements:\n"
    )
    return parse_policy((head + "".join(f"  - {{{line}}}\n" for line in lines)).encode(), where="policies/late.yaml")


def _given() -> dict[str, Any]:
    return {"resampling": _SAMPLED, "latency": None}


def _evidence_of(split: Split) -> Evidence:
    return Evidence(model="late", root=ROOT, domain=DOMAIN, train=split, holdout=split, classes=CLASSES[split.task])
