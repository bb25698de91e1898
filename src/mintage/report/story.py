"""What a project's story is rendered from: plain values, filled by a face from records, Git and the prediction log.

Sequences are in the order in which things happened. Digests and commits are given in full; the page shortens them. A
part that is left out becomes one sentence on the page that says which command would fill it.

>>> Story(project="flights").runs
()
"""

from __future__ import annotations

from typing import Literal

import msgspec

from mintage.report.certificate_view import Verdict
from mintage.report.estimate import Estimate, View

__all__ = [
    "CertificateSummary",
    "Decision",
    "Drift",
    "DriftCell",
    "Event",
    "LossPoint",
    "ModelStory",
    "Period",
    "ProofNode",
    "Release",
    "Role",
    "Run",
    "Served",
    "Story",
    "Word",
]

Word = Literal["commit", "data", "run", "model", "certificate", "release", "predictions", "drift", "decision"]
Role = Literal["champion", "challenger", "shadow", "candidate"]


class Event(View, frozen=True, kw_only=True):
    """One thing that happened, on the loop's station ``word``."""

    word: Word
    title: str
    """What happened, in a few words: "late trained to 14 February"."""
    at: str | None = None
    """RFC 3339 time or ISO date."""
    detail: str | None = None
    digest: str | None = None
    """Commit or digest of the record."""
    tone: Literal["good", "attention", "bad", "neutral"] = "neutral"


class Run(View, frozen=True, kw_only=True):
    """One run of the pipeline."""

    id: str
    name: str
    status: Literal["finished", "failed", "running", "stopped"] = "finished"
    started: str | None = None
    seconds: float | None = None
    commit: str | None = None
    branch: str | None = None
    record: str | None = None
    """Digest of the run record."""
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    """Metric name to value; names may differ between runs."""


class CertificateSummary(View, frozen=True, kw_only=True):
    """One certificate, without its evidence."""

    root: str
    """Root digest of the model that was judged."""
    verdict: Verdict
    sentence: str
    at: str | None = None
    passed: int | None = None
    """Requirements with verdict PASS ..."""
    total: int | None = None
    """... of so many."""
    digest: str | None = None
    page: str | None = None
    """Relative path of its HTML page, beside this one."""


class Release(View, frozen=True, kw_only=True):
    """One change of a release manifest: who replaced whom, why, by which commit."""

    at: str
    environment: str
    action: Literal["release", "canary", "shadow", "promote", "rollback"]
    root: str
    """The model that the change is about."""
    reason: str
    """Why, one sentence."""
    replaced: str | None = None
    """Root digest of the champion until then."""
    share: float | None = None
    """For a canary: its share of the traffic, 0 to 1."""
    commit: str | None = None
    author: str | None = None


class Served(View, frozen=True, kw_only=True):
    """How many rows one model predicted in a period, and in which role."""

    root: str
    role: Role
    rows: int


class LossPoint(View, frozen=True, kw_only=True):
    """The realised loss of one model in a period. A candidate is scored on rows that others served."""

    root: str
    role: Role
    loss: Estimate
    rows: int | None = None
    """Labelled rows it rests on."""


class Period(View, frozen=True, kw_only=True):
    """One month, week or day of traffic."""

    label: str
    """How charts name it: "Mar 2013"."""
    served: tuple[Served, ...] = ()
    losses: tuple[LossPoint, ...] = ()
    """Empty until the labels have come."""


class DriftCell(View, frozen=True, kw_only=True):
    """How far one feature had moved in one period."""

    feature: str
    period: str
    """Label of the period."""
    effect: float
    """Size of the change, in the unit that ``Drift.effect`` names; 0 is none."""
    alarm: bool = False
    """True when the evidence crossed the declared false-alarm budget."""


class Drift(View, frozen=True, kw_only=True):
    """Drift by feature and period."""

    cells: tuple[DriftCell, ...]
    effect: str = "share of traffic that moved"
    """What the size of a change means, in words."""
    material: float = 0.02
    """The size from which a change matters; the colours of the chart change there."""


class Decision(View, frozen=True, kw_only=True):
    """What was decided at the end of a period, with the gain expected and the cost of it."""

    period: str
    """Label of the period, or date, that it was taken for."""
    action: Literal["none", "warn", "retrain"]
    sentence: str
    """Why, one sentence with its numbers."""
    at: str | None = None
    gain: Estimate | None = None
    """Expected gain in loss a prediction of a newly trained model; None when none was tried."""
    cost: float | None = None
    """The gain a prediction at which retraining pays for itself."""
    net: float | None = None
    """Expected gain less cost over the horizon, in ``ModelStory.currency``."""
    moved: tuple[str, ...] = ()
    """Features that moved, the most important first."""
    outcome: str | None = None
    """What came of it, once it was acted on: "challenger promoted on 1 September"."""
    digest: str | None = None


class ProofNode(View, frozen=True, kw_only=True):
    """One link of the chain of proof, and what it rests on: from the live endpoint down to the commit."""

    word: str
    """What kind of thing it is: endpoint, release, model, certificate, run, data, commit."""
    title: str
    state: Literal["verified", "failed", "unchecked"]
    detail: str | None = None
    """What was checked, or what did not match."""
    digest: str | None = None
    upstream: tuple[ProofNode, ...] = ()


class ModelStory(View, frozen=True, kw_only=True):
    """All that happened to one model in one environment."""

    model: str
    purpose: str | None = None
    environment: str | None = None
    live: str | None = None
    """Root digest of the champion that serves now."""
    endpoint: str | None = None
    """Address of its gateway, shown as text."""
    certificates: tuple[CertificateSummary, ...] = ()
    releases: tuple[Release, ...] = ()
    periods: tuple[Period, ...] = ()
    loss: str = "log-loss"
    """Name of the loss."""
    reference: Estimate | None = None
    """The loss on validation data, which the realised one is held against."""
    drift: Drift | None = None
    decisions: tuple[Decision, ...] = ()
    currency: str = "USD"
    proof: ProofNode | None = None
    """Root of the chain of proof: the endpoint, or the model when nothing serves it."""


class Story(View, frozen=True, kw_only=True):
    """All of a project's page."""

    project: str
    commit: str | None = None
    """HEAD when the page was written."""
    branch: str | None = None
    events: tuple[Event, ...] = ()
    """The loop, in order."""
    runs: tuple[Run, ...] = ()
    models: tuple[ModelStory, ...] = ()
    audit: str | None = None
    """One sentence on the audit log: entries, and whether it verified."""
    written_at: str | None = None
