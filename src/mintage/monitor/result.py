"""The result of a look, and its record: what the store keeps, a report draws and a retrain names as its reason.

See docs/spec/decision.md.
"""

from __future__ import annotations

import msgspec

from mintage.errors import RecordInvalidError
from mintage.monitor.evidence import Budget, Decision, DriftEvidence, Gain, LossEvidence, Stakes
from mintage.monitor.series import DayPoint, DriftPoint, LossPoint
from mintage.record.envelope import Record, decode

__all__ = ["Course", "LabelState", "MonitorResult", "decode_decision"]

KIND = "decision"
VERSION = 0


class LabelState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far labels have come: predictions looked at, of them labelled, and the days whose labels are mature.

    ``unmatched`` labels belong to no prediction of this model before the look; ``repeated_predictions`` were logged
    twice and counted once.
    """

    predictions: int
    labelled: int
    mature_days: int
    mature_until: str | None
    immature_days_with_labels: int
    unmatched: int
    repeated_predictions: int


class Course(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changed over time, to be drawn."""

    loss_by_month: tuple[LossPoint, ...]
    drift: tuple[DriftPoint, ...]
    days: tuple[DayPoint, ...]


class MonitorResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One look at one model: the decision and all that it rests on."""

    model: str
    root: str
    as_of: str
    decision: Decision
    budget: Budget
    stakes: Stakes
    drift: DriftEvidence
    loss: LossEvidence | None
    gain: Gain | None
    labels: LabelState
    course: Course

    def to_record(self, *, upstream: tuple[str, ...]) -> Record:
        """The record of the decision; ``upstream`` names what it was made from: model, prediction log, labels."""
        return Record(kind=KIND, version=VERSION, upstream=upstream, body=msgspec.to_builtins(self))


def decode_decision(data: bytes) -> MonitorResult:
    """The result in a decision's record; raises RecordInvalidError."""
    record = decode(data, kind=KIND)
    try:
        return msgspec.convert(record.body, MonitorResult)
    except msgspec.ValidationError as error:
        raise RecordInvalidError("malformed decision", found=str(error)) from error
