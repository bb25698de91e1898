"""Decide what to do about a model in production: nothing, warn, or retrain.

The rule, whole:

- ``retrain`` if the one-sided 95 % lower limit of a candidate's gain a prediction exceeds what a retrain costs a
  prediction, on enough matured labels, while no retrain is open;
- ``warn`` if drift or realised loss has more evidence than the budget of false alarms asks for, or the estimated gain
  exceeds the cost, its lower limit does not, and drift or loss is at least suspected;
- ``none`` otherwise.

A retrain that is already open turns ``retrain`` into ``warn``. It is pure; it neither trains nor measures.

>>> stakes = Stakes(currency="USD", loss_unit=1.0, horizon_predictions=1000, retrain={"all": 10}, declared=True)
>>> nothing = DriftEvidence(streams=(), days=0, rows=0, recent=None, reference_groups=7)
>>> decide(drift=nothing, loss=None, gain=None, no_gain="no label has matured", stakes=stakes, open_retrain=None).action
'none'
"""

from __future__ import annotations

import math

from mintage.monitor.evidence import Action, Decision, DriftEvidence, Gain, LossEvidence, Stakes

__all__ = ["decide"]


def decide(
    *,
    drift: DriftEvidence,
    loss: LossEvidence | None,
    gain: Gain | None,
    no_gain: str | None,
    stakes: Stakes,
    open_retrain: str | None,
) -> Decision:
    """The decision. ``no_gain`` says why there is no ``gain``; ``open_retrain`` names a retrain under way."""
    cost = stakes.per_prediction
    alarmed = [*drift.named("moved"), *(["realised loss"] if loss and loss.status == "moved" else [])]
    suspected = [*drift.named("suspected"), *(["realised loss"] if loss and loss.status == "suspected" else [])]
    pays = gain is not None and gain.sufficient and gain.lower > cost
    may_pay = gain is not None and gain.estimate > cost and not pays
    action: Action
    if pays and open_retrain is None:
        action = "retrain"
    elif pays or alarmed or (may_pay and suspected):
        action = "warn"
    else:
        action = "none"
    return Decision(
        action=action,
        sentence=_sentence(
            action, gain=gain, stakes=stakes, alarmed=alarmed, suspected=suspected, open_retrain=open_retrain
        ),
        reasons=(
            _gain_reason(gain, no_gain, stakes),
            _drift_reason(drift),
            _loss_reason(loss),
            *([f"A retrain is open: {open_retrain}."] if open_retrain is not None else []),
        ),
        would_change=_would_change(action, gain, no_gain, stakes, drift),
        cost=stakes.total,
        cost_per_prediction=cost,
        currency=stakes.currency,
        gain_per_prediction=gain.estimate if gain else None,
        gain_lower=gain.lower if gain else None,
        expected=(
            (stakes.worth(gain.estimate), stakes.worth(gain.interval.low), stakes.worth(gain.interval.high))
            if gain
            else None
        ),
        net=stakes.worth(gain.estimate) - stakes.total if gain else None,
    )


def _sentence(
    action: Action,
    *,
    gain: Gain | None,
    stakes: Stakes,
    alarmed: list[str],
    suspected: list[str],
    open_retrain: str | None,
) -> str:
    money = stakes.currency
    if action == "retrain" and gain is not None:
        return (
            f"Retrain: a candidate trained to {gain.plan.train_until} gains {gain.estimate:.4f} a prediction, "
            f"at least {gain.lower:.4f}; it costs {stakes.per_prediction:.4f}. Over "
            f"{stakes.horizon_predictions:,} predictions that is {stakes.worth(gain.estimate):,.0f} {money} "
            f"for {stakes.total:,.0f} {money}."
        )
    if action == "warn" and open_retrain is not None and not alarmed:
        return f"Wait for the retrain that is open ({open_retrain})."
    if action == "warn":
        return f"Look at {', '.join(alarmed or suspected)}: it changed, but a retrain is not shown to pay."
    return "Do nothing: no material change is shown, and a retrain is not shown to pay."


def _gain_reason(gain: Gain | None, no_gain: str | None, stakes: Stakes) -> str:
    if gain is None:
        return f"The gain of a retrain is unknown: {no_gain or 'no candidate was judged'}."
    text = (
        f"Gain of a candidate trained to {gain.plan.train_until}, on {gain.rows:,} rows of {gain.days} days to "
        f"{gain.plan.labels_until} that neither model saw: {gain.estimate:.4f} a prediction "
        f"[{gain.interval.low:.4f}, {gain.interval.high:.4f}], one-sided lower limit {gain.lower:.4f}; "
        f"cost {stakes.per_prediction:.4f}."
    )
    if not gain.sufficient:
        text += " That is too few days or rows to decide on."
    return text


def _drift_reason(drift: DriftEvidence) -> str:
    if drift.recent is None:
        return "There is no traffic to compare with the profile."
    parts = []
    for status, words in (("moved", "moved"), ("suspected", "may have moved")):
        named = [stream for stream in drift.streams if stream.status == status]
        if named:
            parts.append(f"{words}: " + ", ".join(f"{s.name} (JS distance {s.effect:.2f})" for s in named))
    if not parts:
        largest = ", ".join(f"{s.name} ({s.effect:.2f})" for s in drift.streams[:3])
        parts.append(
            f"no stream is shown to have moved against {drift.reference_groups} reference groups; "
            f"largest JS distances: {largest}"
        )
    return f"Traffic of {drift.recent[0]} to {drift.recent[1]}, {'; '.join(parts)}."


def _loss_reason(loss: LossEvidence | None) -> str:
    if loss is None:
        return "The realised loss is unknown: no label has matured."
    words = {"moved": "rose", "suspected": "may have risen", "steady": "is not shown to have risen"}[loss.status]
    around = f" [{loss.interval.low:.3f}, {loss.interval.high:.3f}]" if loss.interval else ""
    return (
        f"The realised {loss.loss} {words}: {loss.mean:.3f}{around} on {len(loss.days)} days against "
        f"{loss.reference:.3f} in the reference."
    )


def _would_change(
    action: Action, gain: Gain | None, no_gain: str | None, stakes: Stakes, drift: DriftEvidence
) -> tuple[str, ...]:
    cost = stakes.per_prediction
    found: list[str] = []
    if action == "retrain" and gain is not None:
        found.append(
            f"A retrain that costs over {stakes.worth(gain.lower):,.0f} {stakes.currency}, or a horizon under "
            f"{_horizon(gain, stakes):,} predictions."
        )
    elif gain is None:
        found.append(f"A candidate to judge ({no_gain or 'none was given'}) whose gain is surely over {cost:.4f}.")
    elif not gain.sufficient:
        found.append("More days with matured labels.")
    elif gain.lower <= cost:
        found.append(f"A lower limit of the gain over {cost:.4f} a prediction; it is {gain.lower:.4f}.")
        if gain.lower > 0:
            found.append(
                f"A retrain under {stakes.worth(gain.lower):,.0f} {stakes.currency}, or a horizon over "
                f"{_horizon(gain, stakes):,} predictions."
            )
    if not stakes.declared:
        found.append("Costs in the model file: none are declared, so a retrain is taken to cost nothing.")
    weak = [stream.name for stream in drift.streams if stream.reference_worth < 30]
    if weak and action != "retrain":
        found.append(f"More reference days: they are too few to show a change of {', '.join(weak)}.")
    return tuple(found)


_LONGEST = 10**15


def _horizon(gain: Gain, stakes: Stakes) -> int:
    """How many predictions it takes until the lower limit of the gain pays for a retrain; of a tiny gain the most."""
    worth = gain.lower * stakes.loss_unit
    return math.ceil(min(stakes.total / worth if worth > 0 else math.inf, _LONGEST))
