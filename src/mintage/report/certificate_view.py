"""What a certificate page is rendered from: plain values, filled by a face from a certificate and its evidence.

Nothing here is computed or checked: verdicts, intervals and sentences are those of the signed certificate. Only
``Identity``, the verdict and its sentence are required; a part that is left out becomes one sentence on the page that
says which command would fill it.

>>> late = Identity(model="late", root="sha256:7c1f")
>>> CertificateView(identity=late, verdict="PASS", sentence="late may be released.").requirements
()
"""

from __future__ import annotations

from typing import Literal

from mintage.report.estimate import Estimate, View

__all__ = [
    "Calibration",
    "CalibrationBin",
    "CertificateView",
    "Clause",
    "Confusion",
    "Evidence",
    "ExampleTable",
    "Finding",
    "Identity",
    "Latency",
    "NotAsked",
    "Order",
    "PolicyFacts",
    "Predicted",
    "Quantile",
    "Requirement",
    "ResidualBin",
    "Residuals",
    "Roc",
    "ScoreBin",
    "Scores",
    "Severity",
    "TimeBin",
    "Validity",
    "Verdict",
    "Waiver",
]

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Severity = Literal["must", "should", "note"]


class Identity(View, frozen=True, kw_only=True):
    """Which model, made from what, judged when and by whom."""

    model: str
    """Name of the model, as in models/<model>.yaml."""
    root: str
    """Root digest of the signed folder: the model's id."""
    purpose: str | None = None
    """What the model is for, one sentence."""
    owner: str | None = None
    """Who answers for it."""
    commit: str | None = None
    """Git commit of the code that the model was trained with."""
    run: str | None = None
    """Digest or id of the run that trained it."""
    champion: str | None = None
    """Root digest of the champion that it was compared with."""
    certified_at: str | None = None
    """RFC 3339 time of the judgement."""
    signed_by: str | None = None
    """Name in trust.yaml of the key that signed the certificate."""
    certificate: str | None = None
    """Digest of the signed certificate."""


class ExampleTable(View, frozen=True, kw_only=True):
    """A few rows that show what a check found: a head, and lines of as many cells; the first cell names the line."""

    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


class Requirement(View, frozen=True, kw_only=True):
    """One row of the table: a requirement of the policy and what became of it."""

    id: str
    """The requirement's id in the policy."""
    title: str
    """What is demanded, in words: "AUC on the hold-out"."""
    check: str
    """Name of the check that measured it."""
    verdict: Verdict
    severity: Severity = "must"
    measured: Estimate | None = None
    """What was measured, with the interval that the verdict rests on; None when the check could not run."""
    threshold: float | None = None
    direction: Literal["at least", "above", "at most"] = "at least"
    """Which side of the threshold is good."""
    unit: str | None = None
    """Unit of measured and threshold; None for plain fractions."""
    n: int | None = None
    """Size of the sample."""
    n_of: str = "rows"
    """What was counted: rows, days, requests."""
    settle: str | None = None
    """For INCONCLUSIVE: what would settle it, one sentence ("About 9 more days of labels would settle it.")."""
    reason: str | None = None
    """What explains the verdict, one sentence."""
    waived_until: str | None = None
    """Date until which a valid waiver excuses a FAIL; the verdict stays FAIL."""
    controls: tuple[str, ...] = ()
    """Clauses of standards that the requirement serves."""
    interval_by: str | None = None
    """How the interval was made, in a few words."""
    details: tuple[tuple[str, str], ...] = ()
    """What else the check found, by name: counter-examples, weak slices, the parts of its number."""
    examples: ExampleTable | None = None

    @property
    def tells(self) -> bool:
        """Whether there is more to tell than the number."""
        return bool(self.details or self.examples)


class NotAsked(View, frozen=True, kw_only=True):
    """A requirement that cannot apply to this model, and why."""

    id: str
    title: str
    check: str
    reason: str


class Validity(View, frozen=True, kw_only=True):
    """Until when the certificate holds, and what ends it before, each in a few words."""

    until: str
    ends: tuple[str, ...] = ()


class Roc(View, frozen=True, kw_only=True):
    """One ROC curve. ``points`` are (false positive rate, true positive rate), from (0, 0) to (1, 1)."""

    sample: Literal["hold-out", "train"]
    points: tuple[tuple[float, float], ...]
    auc: Estimate | None = None


class CalibrationBin(View, frozen=True, kw_only=True):
    """Rows of like scores: their mean score, the share that came true with its interval, and how many they are."""

    predicted: float
    observed: Estimate
    rows: int


class Calibration(View, frozen=True, kw_only=True):
    """Predicted against observed on the hold-out."""

    bins: tuple[CalibrationBin, ...]
    summary: str | None = None
    """One sentence on the whole, such as the slope with its interval."""


class ScoreBin(View, frozen=True, kw_only=True):
    """Scores from ``low`` up to ``high``: how many hold-out rows with each true label."""

    low: float
    high: float
    negatives: int
    positives: int


class Scores(View, frozen=True, kw_only=True):
    """The histogram of scores on the hold-out, by true label."""

    bins: tuple[ScoreBin, ...]
    threshold: float | None = None
    """Score from which a row is labelled positive."""
    positive: str = "positive"
    """Word for a true positive label, such as "late"."""
    negative: str = "negative"


class Confusion(View, frozen=True, kw_only=True):
    """How many hold-out rows of each class were answered as which: ``counts`` by true class, then by answered class."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Predicted(View, frozen=True, kw_only=True):
    """True and predicted numbers on the hold-out: ``points`` are some of its ``rows``, ``means`` the mean true number,
    the mean prediction and the rows of each tenth by predicted number."""

    points: tuple[tuple[float, float], ...]
    means: tuple[tuple[float, float, int], ...]
    rows: int
    target: str = "value"


class ResidualBin(View, frozen=True, kw_only=True):
    """Hold-out rows whose true number less the predicted one is from ``low`` up to ``high``."""

    low: float
    high: float
    rows: int


class Residuals(View, frozen=True, kw_only=True):
    """The histogram of true less predicted, and one sentence on it."""

    bins: tuple[ResidualBin, ...]
    summary: str | None = None


class TimeBin(View, frozen=True, kw_only=True):
    """Requests that took from ``low_ms`` up to ``high_ms``."""

    low_ms: float
    high_ms: float
    requests: int


class Quantile(View, frozen=True, kw_only=True):
    """One latency quantile: ``name`` ("p99"), its estimate in milliseconds with its confidence limit."""

    name: str
    ms: Estimate
    limit_ms: float | None = None
    """The policy's limit for it."""


class Latency(View, frozen=True, kw_only=True):
    """The histogram of response times under load, its quantiles, and the load in words."""

    bins: tuple[TimeBin, ...]
    quantiles: tuple[Quantile, ...] = ()
    load: str | None = None
    """Rate, connections and hardware, one sentence."""


class PolicyFacts(View, frozen=True, kw_only=True):
    """The policy that the verdicts follow."""

    path: str
    """Its path in the repository."""
    digest: str
    commit: str | None = None
    """The commit that last changed it."""
    author: str | None = None
    statistics: tuple[str, ...] = ()
    """How intervals were made, a sentence each: confidence, grouping, draws, correction for many comparisons."""
    domain_digest: str | None = None
    """Digest of the declared domain that the policy pins."""


class Order(View, frozen=True, kw_only=True):
    """Whether the policy is shown to be older than the evidence."""

    proven: bool
    sentence: str
    """What was found, and what would prove it."""
    blocks: bool = False
    """True when the policy demands proof, so that its absence blocks the certificate."""


class Clause(View, frozen=True, kw_only=True):
    """One clause of a law or standard, and what the results say of it."""

    control: str
    """As the policy names it: "aia:15.1"."""
    title: str
    state: Literal["proven", "attested", "not covered"]
    requirements: tuple[str, ...] = ()


class Waiver(View, frozen=True, kw_only=True):
    """A person's approval that one failed result stands until a day."""

    requirement: str
    until: str
    reason: str
    compensating: str
    """What is done instead."""
    approver: str
    approved_at: str | None = None
    approval: str | None = None
    """The commit that approved it."""


class Finding(View, frozen=True, kw_only=True):
    """A row that a person recorded and that nobody has closed, with what the model says to it."""

    finding: str
    expect: str
    answer: str
    met: bool
    author: str
    at: str
    about: str = ""


class Evidence(View, frozen=True, kw_only=True):
    """One thing that the verdicts rest on, by digest."""

    name: str
    digest: str
    what: str = ""
    """What it is, in a few words."""
    rows: int | None = None


class CertificateView(View, frozen=True, kw_only=True):
    """All of a certificate page."""

    identity: Identity
    verdict: Verdict
    sentence: str
    """The one sentence a person can act on."""
    task: Literal["binary", "multiclass", "regression"] = "binary"
    requirements: tuple[Requirement, ...] = ()
    """What blocks comes first."""
    not_asked: tuple[NotAsked, ...] = ()
    validity: Validity | None = None
    roc: tuple[Roc, ...] = ()
    calibration: Calibration | None = None
    scores: Scores | None = None
    confusion: Confusion | None = None
    predicted: Predicted | None = None
    residuals: Residuals | None = None
    latency: Latency | None = None
    policy: PolicyFacts | None = None
    order: Order | None = None
    evidence: tuple[Evidence, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Those that are open."""
    clauses: tuple[Clause, ...] = ()
    catalogues: tuple[str, ...] = ()
    """The laws and standards that the clauses are of, one sentence each."""
    limitations: tuple[str, ...] = ()
    """The model's declared limitations, and those that certification found."""
    written_at: str | None = None
    """RFC 3339 time at which the page is written."""
