"""Z2, pickles: the files of the run that hold pickles name only what a fitted model needs.

A pickle is a program for an unpickler. None is opened here: its steps are followed (``certify.pickles``), and each
global that it names must be on a list. What cannot be followed to its end counts against it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number
from mintage.certify.pickles.allowed import is_allowed

__all__ = ["CHECK", "Pickles", "PicklesRequirement"]

_SHOWN = 5
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.(\*|[A-Za-z_]\w*)$")]


class PicklesRequirement(Requirement, frozen=True, kw_only=True):
    """``allow`` lets further globals in: names as ``shop.features.Ratio``, or packages as ``shop.features.*``."""

    allow: tuple[_Name, ...] = ()


class Pickles:
    """The check."""

    id = "Z2"
    version = 0
    title = "pickles that name only what a fitted model needs"
    samples = False
    measured = False
    requirement_type = PicklesRequirement

    def run(
        self, evidence: Evidence, requirement: PicklesRequirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Count the globals that are not let in, and what cannot be followed."""
        pickles = evidence.pickles
        if pickles is None:
            reason = f"{self.title}: not known, the files of the run were not looked at"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        bad = [
            f"{path}: {said}"
            for path, scan in sorted(pickles.scans.items())
            for said in (*(name for name in scan.names if not is_allowed(name, requirement.allow)), *scan.problems)
        ]
        named = {name for scan in pickles.scans.values() for name in scan.names}
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        also = f"; {len(pickles.scans)} of {pickles.files} files of the run hold pickles"
        return conclude(
            self,
            requirement,
            title="globals of pickles that are not let in, or pickles that cannot be followed",
            measurement=exact(float(len(bad)), rows=pickles.files),
            gate=Gate(direction="at_most", threshold=0.0),
            details={
                "files of the run": pickles.files,
                "with pickles": ", ".join(sorted(pickles.scans)) or None,
                "globals": len(named),
                **{f"not let in, {number}": said for number, said in enumerate(bad[:_SHOWN], 1)},
            },
            also=also + (f"; {'; '.join(bad[:_SHOWN])}{more}" if bad else ""),
        )


CHECK = Pickles()
