"""L2, entities of the hold-out that are in training too: a customer, a machine, a day.

Entities are the values of the ``id`` and the ``group_key`` that the model file declares. A model that has seen
an entity in training knows more of it than of those that it will meet. The count covers every row: no interval.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number

__all__ = ["CHECK", "SharedEntities", "SharedEntitiesRequirement"]

_Key = Literal["id", "group"]
_NAMES = {"id": "id", "group": "group_key"}


class SharedEntitiesRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the hold-out's rows may be of an entity of training; ``by`` names one of the two keys;
    without it both count, as far as they are declared."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    by: Literal["id", "group", "any"] = "any"


class SharedEntities:
    """The check."""

    id = "L2"
    version = 0
    title = "entities shared across the split"
    samples = False
    measured = False
    requirement_type = SharedEntitiesRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: SharedEntitiesRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        asked: tuple[_Key, ...] = ("id", "group") if requirement.by == "any" else (requirement.by,)
        declared = [role for role in asked if _is_declared(evidence, role)]
        if not declared:
            names = " or ".join(_NAMES[role] for role in asked)
            reason = f"the model file declares no {names}, so there are no entities to compare"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        without = [role for role in declared if role not in evidence.train.extra or role not in evidence.holdout.extra]
        if without:
            reason = f"the declared {_NAMES[without[0]]} is no column of both the training and the hold-out table"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        shares = {role: _shared(evidence, role) for role in declared}
        worst = max(declared, key=lambda role: shares[role][0])
        share, entities, example = shares[worst]
        also = f" ({entities:,} entities, such as {example})" if entities else ""
        return conclude(
            self,
            requirement,
            title=f"share of hold-out rows whose {_NAMES[worst]} is in training",
            measurement=exact(share, rows=evidence.holdout.rows),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            details={f"entities shared by {_NAMES[role]}": shares[role][1] for role in declared},
            also=also,
        )


def _is_declared(evidence: Evidence, role: _Key) -> bool:
    spec = evidence.spec
    if spec is None:
        return role in evidence.holdout.extra
    return (spec.id if role == "id" else spec.group_key) is not None


def _shared(evidence: Evidence, role: _Key) -> tuple[float, int, str]:
    """The share of rows, how many entities, and one of them. A row without one is of no entity."""
    known = set(evidence.train.extra[role].tolist()) - {None}
    values = evidence.holdout.extra[role].tolist()
    hits = [value for value in values if value in known]
    shared = sorted(set(map(str, hits)))
    return len(hits) / len(values), len(set(hits)), shared[0][:40] if shared else ""


CHECK = SharedEntities()
