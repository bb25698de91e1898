"""A result that is told and not required, because the hold-out differs from training on purpose."""

from __future__ import annotations

import msgspec

from mintage.certify.check import CheckResult

__all__ = ["reported_by_time"]


def reported_by_time(result: CheckResult) -> CheckResult:
    """The result with its numbers and without a verdict: a later hold-out is not like training, and should not be."""
    value = result.reason.split(", required ")[0]
    tail = result.reason.partition("; ")[2]
    told = f"{value}{'; ' if tail else ''}{tail}"
    reason = f"{told}; told, not required: the hold-out is later than training"
    return msgspec.structs.replace(
        result, verdict="NOT_APPLICABLE", gate=None, reason=reason, needed=None, needed_unit=None
    )
