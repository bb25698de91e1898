"""V3, provenance: all that is needed to make the model again is recorded, and still there.

Commit, run, hardware; of each stage between the data and the model its key, the digests of what it read and wrote, its
environment; the seed of the stage that fitted the model; the signed statement; the digests of all rows looked at. The
number is an exact count of what is missing.
"""

from __future__ import annotations

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number

__all__ = ["CHECK", "Provenance"]

_SHOWN = 5


class Provenance:
    """The check."""

    id = "V3"
    version = 0
    title = "provenance is complete"
    samples = False
    measured = False
    requirement_type = Requirement

    def run(
        self, evidence: Evidence, requirement: Requirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Count what is missing."""
        if evidence.provenance is None:
            reason = f"{self.title}: not known, the record of the run was not looked at"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        splits = [evidence.train, evidence.holdout, *([evidence.validation] if evidence.validation else [])]
        facts = {**evidence.provenance, **{f"digest of the {split.name} rows": split.digest for split in splits}}
        missing = [name for name, value in facts.items() if value is None]
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        told = f"; missing: {', '.join(missing[:_SHOWN])}{more}" if missing else ""
        return conclude(
            self,
            requirement,
            title="parts of the provenance that are missing",
            measurement=exact(float(len(missing)), rows=len(facts)),
            gate=Gate(direction="at_most", threshold=0.0),
            details={name: value or "missing" for name, value in facts.items()},
            also=f" (of {len(facts)}){told}",
        )


CHECK = Provenance()
