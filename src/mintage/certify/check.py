"""What a check is: the requirement it reads, the evidence it looks at, the result it gives.

A check is one object in a module of its own, found through the entry point group ``mintage.checks``. It promises the
same result for the same evidence, requirement and resampling; only one that is ``measured`` (wall times) may differ.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta

from mintage.certify.answers import Task
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example
from mintage.certify.judge import Gate, Severity, Verdict
from mintage.certify.latency import LatencyRun
from mintage.stats.interval import Interval

__all__ = ["Check", "CheckResult", "Requirement", "Resampling", "Tier"]

Tier = Literal["pull-request", "release"]
"""How much is asked: what is asked of a pull request is asked of a release too."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a policy. A check's own keys are fields of a subclass.

    ``controls`` names clauses of catalogues (``aia:15.1``); ``about`` says to people why it is asked for; ``tier`` is
    the first that asks for it.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    check: str
    severity: Severity = "must"
    about: str | None = None
    controls: tuple[str, ...] = ()
    tier: Tier = "pull-request"

    def check_task(self, task: Task) -> None:
        """Raise PolicyUnfitError if a model of the task cannot be asked for this."""


class Resampling(msgspec.Struct, frozen=True, kw_only=True):
    """How each interval is made: its confidence (after the policy's correction), draws and seed."""

    confidence: float
    draws: int
    seed: int


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verdict of one requirement, and the numbers it rests on.

    ``interval`` has confidence 1 when the number is an exact count over all rows. ``needed`` is about how many
    ``needed_unit`` would settle an INCONCLUSIVE. ``details`` holds numbers and texts of the check's own, ``examples``
    at most five rows that show what it found.
    """

    requirement: str
    check: str
    check_version: int
    title: str
    severity: Severity
    verdict: Verdict
    reason: str
    estimate: float | None = None
    interval: Interval | None = None
    gate: Gate | None = None
    unit: str = ""
    rows: int | None = None
    groups: int | None = None
    needed: int | None = None
    needed_unit: str | None = None
    details: dict[str, float | int | str | bool | None] = {}
    controls: tuple[str, ...] = ()
    examples: Annotated[tuple[Example, ...], Meta(max_length=MOST_EXAMPLES)] = ()


R_contra = TypeVar("R_contra", bound=Requirement, contravariant=True)


class Check(Protocol[R_contra]):
    """One check. ``samples`` says that its interval comes from a sample, so that it counts for multiplicity;
    ``measured`` that it rests on wall times."""

    id: str
    version: int
    title: str
    samples: bool
    measured: bool
    requirement_type: type[Any]

    def run(
        self, evidence: Evidence, requirement: R_contra, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Judge ``evidence``; ``latency`` is given to checks that are ``measured``, if there is a probe."""
        ...
