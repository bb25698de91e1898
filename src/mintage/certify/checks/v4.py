"""V4, order: the policy is older than the evidence.

Three states: proven is PASS, violated is FAIL, not proven is INCONCLUSIVE "order not proven"; the requirement's
severity says whether that blocks. The facts come from Git and the audit log; see ``mintage.certify.order``.
"""

from __future__ import annotations

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Verdict
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import without_number
from mintage.certify.order import OrderState, order_reason, order_state

__all__ = ["CHECK", "PolicyFirst"]

_VERDICTS: dict[OrderState, Verdict] = {"proven": "PASS", "violated": "FAIL", "not proven": "INCONCLUSIVE"}


class PolicyFirst:
    """The check."""

    id = "V4"
    version = 0
    title = "policy older than the evidence"
    samples = False
    measured = False
    requirement_type = Requirement

    def run(
        self, evidence: Evidence, requirement: Requirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Judge the order."""
        state = order_state(evidence.order)
        return without_number(self, requirement, verdict=_VERDICTS[state], reason=order_reason(evidence.order))


CHECK = PolicyFirst()
