"""Every check that is found passes the suite that is shipped for checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import pytest

from mintage.certify.registry import find_checks
from mintage.check import CheckResult, Evidence, Gate, Requirement, Resampling, conclude, exact
from mintage.check.suite import CheckSuite

KEYS: Mapping[str, Mapping[str, Any]] = {
    "B3": {"relations": "checks/x.py"},
    "F1": {"metric": "accuracy", "min": 0.5},
    "F3": {"margin": 0.02},
    "F5": {"max": 0.1},
    "H1": {"asks": "Has a person looked at it?"},
    "R3": {"max": 5},
    "T1": {"max_ms": 25},
    "own": {"file": "checks/x.py", "max": 1},
}
"""What a requirement of each check must have."""
TASKS: Mapping[str, tuple[str, ...]] = {
    "B2": ("binary", "regression"),
    "C1": ("binary", "multiclass"),
    "D4": ("binary", "multiclass"),
    "F1": ("binary", "multiclass"),
    "F4": ("binary", "multiclass"),
}
"""The tasks of each check that is not for all."""
SLOW = {"D4", "F2", "L6", "S1"}
"""They fit models, or search: many seconds on all cases."""


def suite_of(name: str) -> type[CheckSuite]:
    kept = {"check": find_checks([])[name], "keys": KEYS.get(name, {})}
    return type(f"Suite{name}", (CheckSuite,), kept | ({"tasks": TASKS[name]} if name in TASKS else {}))


@pytest.mark.parametrize("test", [name for name in vars(CheckSuite) if name.startswith("test_")])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in find_checks([])]
)
def test_a_check_passes_the_shipped_suite(name: str, test: str) -> None:
    getattr(suite_of(name)(), test)()


class Lax(Requirement, frozen=True, kw_only=True):
    """A requirement of a third party."""


class Faulty:
    """A third party's check with one fault."""

    id, version, title, samples, measured = "X9", 0, "faulty", False, False
    requirement_type = Lax
    runs = 0

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def run(self, evidence: Evidence, requirement: Lax, *, resampling: Resampling, latency: Any) -> CheckResult:
        self.runs += 1
        rows = evidence.holdout.rows
        if self.fault == "breaks" and rows < 30:
            raise ZeroDivisionError
        value = self.runs if self.fault == "counts" else rows
        result = conclude(
            self,
            requirement,
            title="x",
            measurement=exact(value, rows=rows),
            gate=Gate(direction="at_least", threshold=900),
        )
        if self.fault == "claims":
            return msgspec.structs.replace(result, verdict="PASS")
        return msgspec.structs.replace(result, reason=" ") if self.fault == "silent" else result


class SuiteOfFaulty(CheckSuite):
    check: ClassVar[Any]


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("none", None),
        ("breaks", "test_hard_cases_get_a_result_and_never_an_exception"),
        ("counts", "test_the_same_evidence_gives_the_same_bits"),
        ("claims", "test_each_task_that_it_claims_gets_a_result"),
        ("silent", "test_each_task_that_it_claims_gets_a_result"),
    ],
)
def test_the_suite_finds_a_planted_fault(fault: str, test: str | None) -> None:
    failed = set()
    for name in (name for name in vars(CheckSuite) if name.startswith("test_")):
        suite = SuiteOfFaulty()
        suite.check = Faulty(fault)  # type: ignore[misc]
        try:
            getattr(suite, name)()
        except Exception:  # noqa: BLE001 - a faulty check may end in any way
            failed.add(name)
    assert failed == set() if test is None else test in failed
