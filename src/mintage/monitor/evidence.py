"""What a look at a model found, as frozen values: what ``decide`` reads and what a decision's record keeps.

All evidence is a natural logarithm of an e-value summed over possible starts (a Shiryaev-Roberts e-detector); None
where there is not enough traffic to have any. Losses are means a prediction in the units of the declared loss.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from mintage.stats.interval import Interval

__all__ = [
    "Action",
    "Budget",
    "CandidatePlan",
    "Decision",
    "DriftEvidence",
    "Gain",
    "LossChange",
    "LossEvidence",
    "Stakes",
    "Status",
    "StreamEvidence",
]

Action = Literal["none", "warn", "retrain"]
Status = Literal["moved", "suspected", "steady"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a look."""


class Budget(_Part, frozen=True, kw_only=True):
    """How many false alarms a year are accepted, over how many streams, and the evidence that this asks for."""

    false_alarms_per_year: float
    streams: int

    @property
    def alarm(self) -> float:
        """Log evidence at which one stream raises an alarm: a mean time to a false one of a year over the budget."""
        return math.log(max(365.0 / self.false_alarms_per_year, 1.0) * self.streams)

    @property
    def suspicion(self) -> float:
        """Log evidence at which a stream is suspected: four false suspicions are accepted for each false alarm."""
        return math.log(max(365.0 / (4.0 * self.false_alarms_per_year), 1.0) * self.streams)

    def status(self, log_evidence: float | None) -> Status:
        """What that much evidence makes of a stream."""
        if log_evidence is None or log_evidence < self.suspicion:
            return "steady"
        return "moved" if log_evidence >= self.alarm else "suspected"


class StreamEvidence(_Part, frozen=True, kw_only=True):
    """One input, or the score, of recent traffic against the profile.

    ``log_evidence`` is the highest of the recent days, ``now`` that of the last, ``since`` the first recent day over
    the alarm. ``effect`` is the Jensen-Shannon distance (0 to 1); ``gained`` and ``lost`` name the bins whose share
    rose and fell most, with the share before and now; ``loss_shift`` is what the shift alone does to the mean loss.
    ``reference_worth`` is how many independent rows the reference is worth for this stream, ``radius`` (nats) how far
    traffic may be from it, for materiality and for the reference's own error, before it counts as evidence.
    """

    name: str
    status: Status
    log_evidence: float | None
    now: float | None
    since: str | None
    effect: float
    gained: tuple[str, float, float]
    lost: tuple[str, float, float]
    loss_shift: float | None
    clustering: float
    reference_worth: float
    radius: float | None


class DriftEvidence(_Part, frozen=True, kw_only=True):
    """All streams, those that moved most first. ``recent`` is the first and last of the days looked at."""

    streams: tuple[StreamEvidence, ...]
    days: int
    rows: int
    recent: tuple[str, str] | None
    reference_groups: int

    def named(self, status: Status) -> tuple[str, ...]:
        """Names of the streams with that status, in their rank."""
        return tuple(stream.name for stream in self.streams if stream.status == status)


class LossChange(_Part, frozen=True, kw_only=True):
    """The change of the mean loss, split exactly: other scores (``mix``), other truth at equal score (``within``)."""

    mix: float
    within: float


class LossEvidence(_Part, frozen=True, kw_only=True):
    """Realised loss of the recent mature days against the reference days.

    ``bound`` is the one-sided 95 % upper limit of the reference's mean, against which evidence is gathered.
    """

    status: Status
    log_evidence: float | None
    loss: str
    rows: int
    days: tuple[str, ...]
    mean: float
    interval: Interval | None
    reference: float
    reference_interval: Interval | None
    bound: float | None
    change: LossChange


class CandidatePlan(_Part, frozen=True, kw_only=True):
    """Which candidate to train and where to judge it: trained to ``train_until``, judged on ``evaluate_days``.

    The other days after ``train_until`` up to ``labels_until`` stay closed, for certification.
    """

    train_until: str
    labels_until: str
    evaluate_days: tuple[str, ...]


class Gain(_Part, frozen=True, kw_only=True):
    """Loss of the champion minus loss of the candidate, a prediction, on rows that neither has seen.

    ``lower`` is the one-sided 95 % lower confidence limit, whole days resampled; ``interval`` the two-sided one.
    ``sufficient`` says whether there are enough days and rows for a limit to decide on.
    """

    candidate: str
    plan: CandidatePlan
    rows: int
    days: int
    champion_loss: float
    candidate_loss: float
    estimate: float
    lower: float
    interval: Interval
    sufficient: bool


class Stakes(_Part, frozen=True, kw_only=True):
    """What a retrain costs and what a unit of loss is worth, from the model file. ``declared`` is False if assumed."""

    currency: str
    loss_unit: float
    horizon_predictions: int
    retrain: dict[str, float]
    declared: bool

    @property
    def total(self) -> float:
        """The cost of one retrain."""
        return math.fsum(self.retrain.values())

    @property
    def per_prediction(self) -> float:
        """The gain in loss a prediction at which a retrain pays for itself."""
        return self.total / (self.loss_unit * self.horizon_predictions)

    def worth(self, gain: float) -> float:
        """What a gain in loss a prediction is worth over the horizon, in currency."""
        return gain * self.loss_unit * self.horizon_predictions


class Decision(_Part, frozen=True, kw_only=True):
    """What to do about a model, why, in numbers, and what would change it.

    ``expected`` is the worth of the gain over the horizon (estimate, lower limit, upper limit), ``net`` that estimate
    less the cost; None while no candidate was judged.
    """

    action: Action
    sentence: str
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    cost: float
    cost_per_prediction: float
    currency: str
    gain_per_prediction: float | None
    gain_lower: float | None
    expected: tuple[float, float, float] | None
    net: float | None
