"""One look at a model in production: traffic against its profile, losses, the gain of a candidate, the decision.

``watch`` is what a face calls, with everything that it needs: nothing is read, trained or written here but through
``inputs.make_candidate``. The same inputs give the same result, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mintage.monitor.attribute import loss_shift
from mintage.monitor.decide import decide
from mintage.monitor.drift import measure_drift
from mintage.monitor.evidence import Budget, Gain, Stakes
from mintage.monitor.gain import CandidateMaker, candidate_scores, measure_gain
from mintage.monitor.labels import parse_time
from mintage.monitor.loss import LOSSES, Reference, measure_loss
from mintage.monitor.result import Course, LabelState, MonitorResult
from mintage.monitor.series import loss_course, traffic_course
from mintage.monitor.traffic import Traffic, join_traffic
from mintage.monitor.windows import DayChoice, MatureDays, bin_stream, count_days, even_day, mature_days, plan_candidate
from mintage.profile.profile import SCORE, Profile
from mintage.repo.modelfile import ModelSpec

__all__ = ["WatchInputs", "watch"]

_DRAWS = 4000
_RECENT_DAYS = 31


@dataclass(frozen=True, kw_only=True)
class WatchInputs:
    """What one look needs.

    ``root`` is the champion's id, ``profile`` the one in its package, ``reference`` its scores and labels on the rows
    of that profile, ``seen_until`` the last day of which it saw rows (None: none of the traffic's). ``predictions`` and
    ``labels`` are the tables of ``read_predictions`` and ``read_labels``. ``as_of`` is a date or an RFC 3339 time;
    ``last_look`` the one before (None: a month ago). ``make_candidate`` is None to skip the gain; ``open_retrain``
    names a retrain under way. ``decides_on`` says of an ISO date whether a candidate may be judged on it.
    """

    spec: ModelSpec
    root: str
    profile: Profile
    reference: Reference
    predictions: pa.Table
    labels: pa.Table
    as_of: str
    seen_until: str | None
    make_candidate: CandidateMaker | None
    open_retrain: str | None = None
    last_look: str | None = None
    decides_on: DayChoice = even_day
    seed: int = 20130101


def watch(inputs: WatchInputs) -> MonitorResult:
    """Look at the model as of ``inputs.as_of`` and decide."""
    as_of = parse_time(inputs.as_of)
    traffic = join_traffic(inputs.predictions, inputs.labels, root=inputs.root, as_of=as_of)
    days = mature_days(traffic, as_of=_day(as_of), delay_days=inputs.spec.monitor.label_delay_days)
    known = days.of(traffic)
    recent_from = _day(parse_time(inputs.last_look) if inputs.last_look else as_of - timedelta(days=_RECENT_DAYS))
    budget = Budget(
        false_alarms_per_year=inputs.spec.monitor.false_alarms_per_year, streams=len(inputs.profile.streams) + 1
    )
    losses = LOSSES[inputs.spec.monitor.loss](traffic.labels[known], traffic.scores[known])

    drift, drift_course = measure_drift(
        inputs.profile,
        count_days(inputs.profile, traffic),
        materiality=inputs.spec.monitor.materiality,
        budget=budget,
        recent_from=recent_from,
        loss_shifts=_loss_shifts(inputs.profile, traffic, known, losses),
    )
    loss = measure_loss(
        inputs.reference,
        loss=inputs.spec.monitor.loss,
        days=traffic.days[known],
        scores=traffic.scores[known],
        labels=traffic.labels[known],
        recent_from=recent_from - np.timedelta64(inputs.spec.monitor.label_delay_days, "D"),
        budget=budget,
        seed=inputs.seed,
        draws=_DRAWS,
    )
    gain, no_gain = _gain(inputs, traffic, days, known)
    stakes = _stakes(inputs.spec)
    decision = decide(
        drift=drift, loss=loss, gain=gain, no_gain=no_gain, stakes=stakes, open_retrain=inputs.open_retrain
    )

    return MonitorResult(
        model=inputs.spec.model,
        root=inputs.root,
        as_of=inputs.as_of,
        decision=decision,
        budget=budget,
        stakes=stakes,
        drift=drift,
        loss=loss,
        gain=gain,
        labels=_label_state(traffic, days),
        course=Course(
            loss_by_month=loss_course(
                traffic.days[known], losses, seed=inputs.seed, draws=_DRAWS, period=lambda day: day[:7]
            ),
            drift=drift_course,
            days=traffic_course(traffic.days, traffic.scores, traffic.labels, days.mature),
        ),
    )


def _day(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.date(), "D")


def _stakes(spec: ModelSpec) -> Stakes:
    if spec.costs is None:
        return Stakes(currency="USD", loss_unit=1.0, horizon_predictions=1, retrain={}, declared=False)
    return Stakes(
        currency=spec.costs.currency,
        loss_unit=spec.costs.loss_unit,
        horizon_predictions=spec.costs.horizon_predictions,
        retrain=dict(spec.costs.retrain),
        declared=True,
    )


def _loss_shifts(
    profile: Profile, traffic: Traffic, known: NDArray[np.bool_], losses: NDArray[np.float64]
) -> dict[str, float]:
    if not known.any():
        return {}
    labelled = traffic.only(known)
    return {
        stream.name: loss_shift(np.array(stream.total), bin_stream(stream, labelled), losses)
        for stream in profile.streams
        if stream.name != SCORE
    }


def _gain(
    inputs: WatchInputs, traffic: Traffic, days: MatureDays, known: NDArray[np.bool_]
) -> tuple[Gain | None, str | None]:
    """The gain of a candidate, or why there is none."""
    plan = plan_candidate(days.known, seen_until=inputs.seen_until, decides_on=inputs.decides_on)
    if plan is None:
        return None, "no day that the champion has not seen has mature labels"
    if len(plan.evaluate_days) < 2:
        return None, "one day with mature labels is not enough to judge a candidate on"
    if inputs.make_candidate is None:
        return None, "no candidate was given"
    rows = known & np.isin(traffic.days, np.array(plan.evaluate_days, dtype="datetime64[D]"))
    judged = traffic.only(rows)
    candidate = inputs.make_candidate(plan)
    scores = candidate_scores(candidate, judged.inputs(inputs.spec.inputs), len(judged))
    loss_rows = LOSSES[inputs.spec.monitor.loss]
    gain = measure_gain(
        candidate=candidate.identity,
        plan=plan,
        champion_losses=loss_rows(judged.labels, judged.scores),
        candidate_losses=loss_rows(judged.labels, scores),
        days=judged.days,
        seed=inputs.seed,
        draws=_DRAWS,
    )
    return gain, None


def _label_state(traffic: Traffic, days: MatureDays) -> LabelState:
    late = ~days.mature & (days.labelled > 0)
    return LabelState(
        predictions=len(traffic),
        labelled=int(np.isfinite(traffic.labels).sum()),
        mature_days=int(days.mature.sum()),
        mature_until=str(days.known[-1]) if len(days.known) else None,
        immature_days_with_labels=int(late.sum()),
        unmatched=traffic.unmatched,
        repeated_predictions=traffic.repeated,
    )
