"""What is suggested to be required, from what facts; and that it can be read back."""

from __future__ import annotations

import pytest
from certify_evidence import DOMAIN, make_evidence
from hypothesis import given
from hypothesis import strategies as st

from mintage.certify.checks.f1 import CHECK, PrimaryMetricRequirement
from mintage.certify.checks.f5 import CHECK as GAP
from mintage.certify.checks.f5 import OverfittingGapRequirement
from mintage.certify.policy import Statistics, parse_policy
from mintage.certify.policy_text import render_policy
from mintage.certify.suggest import (
    PolicyFacts,
    Thresholds,
    assumptions_of,
    propose_ceiling,
    propose_floor,
    suggest_requirements,
)

FACTS = st.builds(
    PolicyFacts,
    grouped=st.booleans(),
    repeatable=st.booleans(),
    rarer_share=st.none() | st.floats(0, 0.5),
    in_float32=st.booleans(),
    can_serve=st.booleans(),
    has_baselines=st.booleans(),
    task=st.sampled_from(["binary", "multiclass", "regression"]),
    classes=st.integers(2, 9),
)


@given(FACTS, st.text(min_size=1), st.booleans())
def test_whatever_is_suggested_reads_back_as_the_same_policy(facts: PolicyFacts, owner: str, proposed: bool) -> None:
    thresholds = Thresholds(floor=(0.71, "x"), gap=(0.04, "y")) if proposed else None
    suggested = suggest_requirements(facts, thresholds)
    printable = "".join(letter for letter in owner if letter.isprintable()) or "nobody"
    text = render_policy(
        model="no", owner=printable, domain=DOMAIN, requirements=suggested, head=["What it must prove."]
    )
    policy = parse_policy(text.encode(), where="policies/no.yaml")
    assert (policy.model, policy.owner, policy.domain) == ("no", printable, DOMAIN)
    read = [(item.id, item.check, item.severity, item.about) for item in policy.requirements]
    assert read == [(item.id, item.check, item.severity, item.why) for item in suggested]


def _facts(**changes: object) -> PolicyFacts:
    usual = {"grouped": True, "repeatable": False, "rarer_share": 0.4, "in_float32": False}
    return PolicyFacts(**({**usual, "can_serve": True, "has_baselines": True} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "wanted", "unwanted"),
    [
        ({}, "latency.p99", "performance.probabilities"),
        ({"rarer_share": 0.03}, "performance.probabilities", None),
        ({"can_serve": False}, "export.parity", "latency.p99"),
        ({"has_baselines": False}, "export.parity", "performance.trivial"),
    ],
)
def test_requirements_follow_the_facts(changes: dict[str, object], wanted: str, unwanted: str | None) -> None:
    ids = [item.id for item in suggest_requirements(_facts(**changes))]
    assert wanted in ids and unwanted not in ids


def test_a_model_that_computes_in_float32_is_not_asked_for_the_digits_of_doubles() -> None:
    def tolerance(*, in_float32: bool) -> object:
        suggested = suggest_requirements(_facts(in_float32=in_float32))
        return next(item.keys["tolerance"] for item in suggested if item.check == "Z3")

    assert (tolerance(in_float32=False), tolerance(in_float32=True)) == (1e-12, 1e-5)


def test_equal_rows_are_only_wished_away_where_they_happen_by_chance() -> None:
    def severity(**changes: object) -> str:
        return next(item.severity for item in suggest_requirements(_facts(**changes)) if item.check == "L1")

    assert (severity(), severity(repeatable=True)) == ("must", "should")


def test_all_that_was_assumed_is_said() -> None:
    assert assumptions_of(_facts()) == ()
    poor = _facts(grouped=False, rarer_share=None, can_serve=False, has_baselines=False)
    assert len(assumptions_of(poor)) == 4


def test_proposed_thresholds_pass_on_fresh_rows_and_not_for_a_model_without_skill() -> None:
    resampling = Statistics(draws=400).resampling(comparisons=1)

    def results(seed: int) -> tuple:
        evidence = make_evidence(seed)
        asked = PrimaryMetricRequirement(id="a", check="F1", metric="roc_auc", min=0.0)
        gap = OverfittingGapRequirement(id="g", check="F5", max=1.0)
        return (
            CHECK.run(evidence, asked, resampling=resampling, latency=None),
            GAP.run(evidence, gap, resampling=resampling, latency=None),
        )

    auc, gap = results(1)
    floor, ceiling = propose_floor(auc), propose_ceiling(gap)
    assert floor is not None and ceiling is not None and floor > 0.6
    passed = 0
    for seed in range(2, 12):
        fresh_auc, fresh_gap = results(seed)
        assert fresh_auc.interval is not None and fresh_gap.interval is not None
        passed += fresh_auc.interval.low >= floor and fresh_gap.interval.high <= ceiling
    assert passed >= 7
