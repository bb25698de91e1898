"""B5, findings by people: rows that somebody recorded are answered as expected.

Every row is asked, closed findings too, so it is an exact count: none may be answered otherwise. ``policies/
<model>.findings.jsonl`` has them; where it has any, a model must pass this even if its policy does not name it.
"""

from __future__ import annotations

import numpy as np

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example, example_of
from mintage.certify.finding import AnsweredFinding
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number

__all__ = ["CHECK", "Findings"]

_MOST = 20


class Findings:
    """The check."""

    id = "B5"
    version = 0
    title = "findings by people"
    samples = False
    measured = False
    requirement_type = Requirement

    def run(
        self, evidence: Evidence, requirement: Requirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Count the findings that are not answered as expected."""
        findings = evidence.findings
        if not findings:
            reason = "not applicable: nobody has recorded a finding"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        unmet = [item for item in findings if not item.met]
        named = "; ".join(f"{item.finding} expects {item.expect}, not {item.answer}" for item in unmet[:3])
        return conclude(
            self,
            requirement,
            title="findings not answered as expected",
            measurement=exact(float(len(unmet)), rows=len(findings)),
            gate=Gate(direction="at_most", threshold=0),
            details={item.finding: item.answer for item in unmet[:_MOST]},
            also=f", of {len(findings)}" + (f": {named}" if named else ""),
            examples=[_example(item) for item in unmet[:MOST_EXAMPLES] if item.row],
        )


def _example(item: AnsweredFinding) -> Example:
    return example_of(
        {name: np.array([value], dtype=object) for name, value in item.row.items()},
        0,
        of="finding",
        answered=item.answer,
        expected=item.expect,
        about=f"{item.finding}{item.about and ': '}{item.about}",
    )


CHECK = Findings()
