"""Z1, formats: each file of the model's folder has one of those that hold data and no program.

A list of what is allowed, not a search for what is bad: what is not known is refused.
"""

from __future__ import annotations

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number

__all__ = ["CHECK", "KnownFormats"]

_SHOWN = 5


class KnownFormats:
    """The check."""

    id = "Z1"
    version = 0
    title = "formats that hold no program"
    samples = False
    measured = False
    requirement_type = Requirement

    def run(
        self, evidence: Evidence, requirement: Requirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Count the files of no known format."""
        formats = evidence.formats
        if not formats:
            reason = f"{self.title}: not known, the model's files were not looked at"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        unknown = sorted(path for path, found in formats.items() if found is None)
        known = sorted({found for found in formats.values() if found is not None})
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        also = f"; {len(formats)} files" + (f", not known: {', '.join(unknown[:_SHOWN])}{more}" if unknown else "")
        return conclude(
            self,
            requirement,
            title="files of a format that may hold a program",
            measurement=exact(float(len(unknown)), rows=len(formats)),
            gate=Gate(direction="at_most", threshold=0.0),
            details={"formats": ", ".join(known), **dict.fromkeys(unknown[:_SHOWN], "not known")},
            also=also,
        )


CHECK = KnownFormats()
