"""Null audits: models without a fault, whose certificates fail no more often than their confidence allows."""

from __future__ import annotations

from collections import Counter

import pytest
from certify_null import TASKS, audit_edge, audit_met
from scipy import stats

pytest.importorskip("sklearn")


def most(trials: int, rate: float) -> int:
    """The most failures that chance explains, but once in a thousand times."""
    return int(stats.binom.ppf(0.999, trials, rate))


@pytest.mark.parametrize("grouped", [False, True])
def test_few_models_that_meet_a_policy_of_all_checks_fail_none(grouped: bool) -> None:
    audits = audit_met("binary", grouped=grouped, seeds=range(1, 3))
    assert (audits.count, audits.failed) == (2, 0), audits.verdicts
    assert len({name for name, _ in audits.verdicts}) > 25


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_models_that_meet_a_policy_of_all_checks_fail_no_more_often_than_alpha(task: str, grouped: bool) -> None:
    audits = audit_met(task, grouped=grouped, seeds=range(34))  # type: ignore[arg-type]
    assert audits.failed <= most(audits.count, 0.05), audits.verdicts


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_models_that_meet_each_requirement_by_nothing_fail_it_no_more_often_than_half_of_alpha(
    task: str, grouped: bool
) -> None:
    audits = audit_edge(task, grouped=grouped, seeds=range(1000, 1060))  # type: ignore[arg-type]
    failed = Counter({name: often for (name, verdict), often in audits.verdicts.items() if verdict == "FAIL"})
    assert {name: often for name, often in failed.items() if often > most(audits.count, 0.025)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_with_bonferroni_all_requirements_met_by_nothing_fail_no_more_often_than_alpha(
    task: str, grouped: bool
) -> None:
    audits = audit_edge(task, grouped=grouped, seeds=range(20), multiplicity="bonferroni")  # type: ignore[arg-type]
    assert audits.failed <= most(audits.count, 0.05), audits.verdicts
