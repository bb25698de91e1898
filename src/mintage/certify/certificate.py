"""The certificate: an in-toto Statement that says how a model was judged, and by what.

``certificate_statement`` makes it from an outcome, ``parse_certificate`` reads it strictly, and ``check_certificate``
says whether it allows a release. Signing and opening belong to ``mintage.attest``. See docs/spec/certificate.md.

``results`` hold no wall time: for one seed they are the same to the last bit, and ``statistics.digest`` names them.
What rests on wall times stands in ``measured``; the times themselves in a record that ``latency`` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.attest.statement import Statement, Subject
from mintage.certify.certify import Outcome
from mintage.certify.check import CheckResult, Tier
from mintage.certify.clause_table import BY_PEOPLE, ClauseState, clause_states
from mintage.certify.ends import End, ends_of, statement_ends
from mintage.certify.finding import AnsweredFinding
from mintage.certify.holdout_use import HoldoutUse, why_blocked
from mintage.certify.judge import Judged, Verdict, judge, overall
from mintage.certify.last_day import ends_at
from mintage.certify.latency import latency_record
from mintage.certify.order import OrderFacts, OrderState, order_state
from mintage.certify.policy import Multiplicity
from mintage.certify.waive import AppliedWaiver, too_long
from mintage.certify.waiver import result_digest
from mintage.errors import (
    CertificateExpiredError,
    CertificateForAnotherModelError,
    CertificateInvalidError,
    CertificateNotPassedError,
    CertificateNotYetValidError,
    CertificateOfAnotherPolicyError,
    CertificateOfPullRequestError,
    WaiverExpiredError,
)
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import hex_of, sha256_bytes
from mintage.record.envelope import record_id

__all__ = [
    "PREDICATE_TYPE",
    "PREDICATE_TYPES",
    "Certificate",
    "CertificateData",
    "CertificateOrder",
    "CertificatePolicy",
    "CertificateStatistics",
    "certificate_statement",
    "check_certificate",
    "check_waivers",
    "parse_certificate",
    "subjects_of",
]

PREDICATE_TYPE = "https://mintage.dev/certificate/v1"
PREDICATE_TYPES: Mapping[str, int] = {"https://mintage.dev/certificate/v0": 0, PREDICATE_TYPE: 1}
"""All that are read, with the version that each has inside."""
_NOT_IN_0 = ("waivers", "findings", "clauses", "tier", "not_asked", "holdout", "ends")
"""Fields that a certificate of version 0 may lack, because it is of before there were such."""
_NO_BETTER: Mapping[Verdict, tuple[Verdict, ...]] = {
    "PASS": ("PASS", "INCONCLUSIVE", "FAIL"),
    "INCONCLUSIVE": ("INCONCLUSIVE", "FAIL"),
    "FAIL": ("FAIL",),
}
"""By what a result's numbers say: what a check may say of it."""
_NEVER = "9999-12-31T23:59:59Z"
_Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
_Sha256 = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a certificate: frozen, strict."""


class CertificatePolicy(_Part, frozen=True, kw_only=True):
    """The policy judged by: the digest of its file, its owner, and the domain that it pins, if it does; ``builtin``
    names the version of Mintage whose default it is, null of a file."""

    digest: _Sha256
    owner: str
    domain: _Sha256 | None
    builtin: str | None = None


class CertificateStatistics(_Part, frozen=True, kw_only=True):
    """How numbers became verdicts. ``digest`` is the SHA-256 of the canonical bytes of ``results``."""

    confidence: float
    confidence_each: float
    multiplicity: Multiplicity
    comparisons: int
    seed: int
    draws: int
    inconclusive: Literal["block", "allow"]
    digest: _Sha256


class CertificateData(_Part, frozen=True, kw_only=True):
    """One split that was looked at."""

    name: str
    digest: str | None
    rows: int
    groups: int


class CertificateOrder(_Part, frozen=True, kw_only=True):
    """Whether the policy is older than the evidence, and what that rests on."""

    state: OrderState
    facts: OrderFacts


class Certificate(_Part, frozen=True, kw_only=True):
    """A parsed certificate. ``root`` and ``files`` come from the statement's subjects, the rest is its predicate.
    ``not_asked`` has the ids of requirements that ``tier`` leaves out."""

    kind: Literal["certificate"] = "certificate"
    version: Literal[0, 1] = 1
    root: str
    files: dict[str, str]
    model: str
    domain: _Sha256
    verdict: Verdict
    sentence: str
    policy: CertificatePolicy
    statistics: CertificateStatistics
    data: tuple[CertificateData, ...]
    champion: str | None
    order: CertificateOrder
    results: tuple[CheckResult, ...]
    measured: tuple[CheckResult, ...]
    latency: str | None
    clauses: tuple[ClauseState, ...] = ()
    waivers: tuple[AppliedWaiver, ...] = ()
    findings: tuple[AnsweredFinding, ...] = ()
    tier: Tier = "release"
    not_asked: tuple[str, ...] = ()
    holdout: HoldoutUse | None = None
    facts: dict[str, str]
    ends: tuple[End, ...] = ()
    issued: _Time
    expires: _Time

    def waived_until(self, requirement: str) -> date | None:
        """The last day on which the FAIL of a requirement is waived; None if it is not."""
        return next((waiver.expires for waiver in self.waivers if waiver.requirement == requirement), None)


def certificate_statement(
    outcome: Outcome, *, files: Mapping[str, str], issued: str, facts: Mapping[str, str] | None = None
) -> Statement:
    """The statement to sign. The first subject is the model (its root), then each of its files.

    ``files`` maps paths in the model's folder to ``sha256:...``; ``facts`` names what else belongs to the judgement,
    such as the run's record or the commit. ``issued`` is RFC 3339 in UTC.
    """
    policy, statistics = outcome.policy, outcome.policy.statistics
    results = [item for item in outcome.results if item.requirement not in outcome.measured]
    expires = min(_later(issued, days=policy.valid_days), *_ends(outcome))
    certificate = Certificate(
        root=outcome.root,
        files=dict(files),
        model=outcome.model,
        domain=outcome.domain,
        verdict=outcome.verdict,
        sentence=outcome.sentence,
        policy=CertificatePolicy(
            digest=policy.digest, owner=policy.owner, domain=policy.domain, builtin=policy.builtin
        ),
        statistics=CertificateStatistics(
            confidence=statistics.confidence,
            confidence_each=outcome.confidence_each,
            multiplicity=statistics.multiplicity,
            comparisons=outcome.comparisons,
            seed=statistics.seed,
            draws=statistics.draws,
            inconclusive=statistics.inconclusive,
            digest=_digest(results),
        ),
        data=tuple(
            CertificateData(name=item.name, digest=item.digest, rows=item.rows, groups=item.groups)
            for item in outcome.data
        ),
        champion=outcome.champion,
        order=CertificateOrder(state=order_state(outcome.order), facts=outcome.order),
        results=tuple(results),
        measured=tuple(item for item in outcome.results if item.requirement in outcome.measured),
        latency=None if outcome.latency is None else record_id(latency_record(outcome.latency)),
        clauses=clause_states(outcome.results),
        waivers=outcome.waivers,
        findings=tuple(item for item in outcome.findings if item.is_open),
        tier=outcome.tier,
        not_asked=outcome.not_asked,
        holdout=outcome.use,
        facts=dict(facts or {}),
        ends=ends_of(
            model=outcome.model,
            policy=policy.digest,
            builtin=policy.builtin,
            domain=outcome.domain,
            results=results,
            waivers=outcome.waivers,
            expires=expires,
        ),
        issued=issued,
        expires=expires,
    )
    predicate = msgspec.json.decode(canonical_bytes(msgspec.to_builtins(certificate)))
    del predicate["root"], predicate["files"]
    statement = Statement(
        subjects=subjects_of(outcome, files),
        predicate_type=PREDICATE_TYPE,
        predicate=predicate,
    )
    parse_certificate(statement)  # nothing leaves here that the reader would refuse
    return statement


def parse_certificate(statement: Statement) -> Certificate:
    """Read a certificate strictly; raises CertificateInvalidError if it is malformed or contradicts itself.

    Verdicts are judged again from the intervals and gates, and the one verdict from the verdicts.
    """
    known = PREDICATE_TYPES.get(statement.predicate_type)
    if known is None:
        raise _invalid("not a certificate", PREDICATE_TYPE, statement.predicate_type[:120])
    predicate = dict(statement.predicate)
    kind, version = predicate.get("kind"), predicate.get("version")
    if kind != "certificate" or version != known:
        raise _invalid("not a certificate of a known version", f"certificate, {known}", f"{kind}, {version}")
    missing = [name for name in _NOT_IN_0 if name not in predicate]
    if missing and known != 0:
        raise _invalid("a malformed certificate", "all fields of docs/spec/certificate.md", f"no {', '.join(missing)}")
    if "root" in predicate or "files" in predicate:
        raise _invalid("a certificate names its model outside its subjects", "no root, no files", "one of them")
    root, *files = ((subject.name, subject.digest.get("sha256")) for subject in statement.subjects)
    if root[0] != predicate.get("model") or any(digest is None for _, digest in (root, *files)):
        raise _invalid("the subjects are not the model and its files", str(predicate.get("model")), str(root[0]))
    predicate |= {"root": f"sha256:{root[1]}", "files": {name: f"sha256:{digest}" for name, digest in files}}
    try:
        certificate = msgspec.convert(predicate, Certificate)
    except msgspec.ValidationError as error:
        raise _invalid("a malformed certificate", "the fields of docs/spec/certificate.md", str(error)) from error
    _check_consistency(certificate)
    return certificate


def check_certificate(certificate: Certificate, *, root: str, policy_digest: str, now: str) -> None:
    """Raise a RefusedError unless the certificate passes this very model by this very policy, at ``now``."""
    if certificate.root != root:
        raise CertificateForAnotherModelError(
            "the certificate is for another model",
            expected=root,
            found=certificate.root,
            hint=f"certify this one: mintage certify {certificate.model}",
        )
    if certificate.tier != "release":
        raise CertificateOfPullRequestError(
            "the certificate is of a pull request, of which less is asked than of a release",
            expected="release",
            found=certificate.tier,
            hint=f"certify the whole policy: mintage certify {certificate.model}",
        )
    if certificate.verdict != "PASS":
        raise CertificateNotPassedError(
            f"the certificate does not pass the model: {certificate.verdict}",
            expected="PASS",
            found=certificate.sentence,
            hint="improve the model, or gather the rows that would settle it, and certify again",
        )
    if certificate.policy.digest != policy_digest:
        raise CertificateOfAnotherPolicyError(
            "the model was certified by another policy",
            expected=policy_digest,
            found=certificate.policy.digest,
            hint=f"certify by the policy that holds now: mintage certify {certificate.model}",
        )
    if _time(now) < _time(certificate.issued):
        raise CertificateNotYetValidError(
            "the certificate is dated in the future",
            expected=f"at most {now}",
            found=certificate.issued,
            hint="check the clocks of this machine and of the one that certified",
        )
    check_waivers(certificate, now=now)
    if _time(now) >= _time(certificate.expires):
        raise CertificateExpiredError(
            "the certificate has expired",
            expected=f"later than {now}",
            found=certificate.expires,
            hint=f"certify again: mintage certify {certificate.model}",
        )


def check_waivers(certificate: Certificate, *, now: str) -> None:
    """Raise WaiverExpiredError if the certificate rests on a waiver that has ended at ``now``."""
    for waiver in certificate.waivers:
        if _time(now) >= _time(ends_at(waiver.expires)):
            raise WaiverExpiredError(
                f"the waiver of {waiver.requirement}, which the certificate rests on, has expired",
                expected=f"one that holds at {now}",
                found=f"until {waiver.expires}, approved by {waiver.approver}",
                hint=f"mend the model, or have a new waiver approved, then certify again: "
                f"mintage certify {certificate.model}",
            )


def _check_consistency(certificate: Certificate) -> None:
    results = certificate.results + certificate.measured
    ids = [item.requirement for item in results]
    if len(set(ids)) != len(ids):
        raise _invalid("a requirement has two results", "one", ", ".join(sorted(ids)))
    if not any(item.severity == "must" for item in results):
        raise _invalid("a certificate of nothing", "a result of severity must", "none")
    left_out = set(certificate.not_asked)
    if left_out & set(ids) or (left_out and certificate.tier == "release"):
        raise _invalid("what was not asked contradicts the tier, or the results", certificate.tier, ", ".join(left_out))
    for item in results:
        if item.gate is not None:
            judged: Verdict = "INCONCLUSIVE" if item.interval is None else judge(item.interval, item.gate)
            # a check may add a condition that fails it or leaves it open, never one that saves it
            if item.verdict not in _NO_BETTER[judged]:
                raise _invalid(f"the verdict of {item.requirement} contradicts its numbers", judged, item.verdict)
    _check_waivers_fit(certificate)
    waived, use = {waiver.requirement for waiver in certificate.waivers}, certificate.holdout
    found = overall(
        (Judged(severity=each.severity, verdict=each.verdict, waived=each.requirement in waived) for each in results),
        inconclusive="block" if use is not None and use.budget > 1 else certificate.statistics.inconclusive,
    )
    if found == "PASS" and use is not None and why_blocked(use.rules, use) is not None:
        found = "INCONCLUSIVE"
    if found != certificate.verdict:
        raise _invalid("the verdict contradicts the results", found, certificate.verdict)
    _check_spending(certificate)
    old = certificate.version == 0  # of before there were catalogues, or events
    if not (old and not certificate.clauses) and certificate.clauses != clause_states(results):
        raise _invalid("the states of the clauses contradict the results", "those that follow from them", "others")
    if not (old and not certificate.ends) and certificate.ends != _ends_of(certificate):
        raise _invalid("the events that end it contradict the certificate", "those that follow from it", "others")
    if _digest(certificate.results) != certificate.statistics.digest:
        raise _invalid("the results are not those that the statistics name", certificate.statistics.digest, "others")
    if order_state(certificate.order.facts) != certificate.order.state:
        raise _invalid("the order contradicts its facts", order_state(certificate.order.facts), certificate.order.state)


def _check_spending(certificate: Certificate) -> None:
    """An opening of a sealed hold-out takes at most its share of what the policy lets go wrong."""
    statistics, use = certificate.statistics, certificate.holdout
    if use is not None and use.sealed is not None:
        least = 1 - (1 - statistics.confidence) / use.budget
        if statistics.confidence_each < least - 1e-12:
            raise _invalid(
                "an opening of the sealed hold-out takes more than its share",
                f"intervals of confidence {least:.6g}",
                f"{statistics.confidence_each:.6g}",
            )


def _check_waivers_fit(certificate: Certificate) -> None:
    """A waiver counts for exactly one failed result, by another person than the author, and not for too long."""
    results = {item.requirement: item for item in certificate.results}
    for waiver in certificate.waivers:
        result = results.get(waiver.requirement)
        if result is None or result.verdict != "FAIL" or result_digest(result) != waiver.result:
            raise _invalid(f"the waiver of {waiver.requirement} is not for its result", waiver.result, "another")
        if waiver.approver.casefold() == waiver.author.casefold():
            raise _invalid(f"the waiver of {waiver.requirement} is by the author", "another person", waiver.approver)
        if too_long(waiver.expires, waiver.approved_at):
            raise _invalid(f"the waiver of {waiver.requirement} runs too long", "90 days", str(waiver.expires))


def _ends_of(certificate: Certificate) -> tuple[End, ...]:
    return ends_of(
        model=certificate.model,
        policy=certificate.policy.digest,
        builtin=certificate.policy.builtin,
        domain=certificate.domain,
        results=certificate.results,
        waivers=certificate.waivers,
        expires=certificate.expires,
    )


def subjects_of(outcome: Outcome, files: Mapping[str, str]) -> tuple[Subject, ...]:
    """The model by its root, then its files by path."""
    named = [(outcome.model, outcome.root), *sorted(files.items())]
    return tuple(Subject(name=name, digest={"sha256": hex_of(digest)}) for name, digest in named)


def _digest(results: Sequence[CheckResult]) -> str:
    values = msgspec.to_builtins(list(results))
    for value in values:
        if not value["examples"]:
            del value["examples"]  # certificates of before there were examples have none to name
    return sha256_bytes(canonical_bytes(values))


def _ends(outcome: Outcome) -> list[str]:
    """When what people said ends: waivers, and statements that requirements are met by."""
    stated = [item for item in outcome.results if item.check in BY_PEOPLE and item.verdict == "PASS"]
    ends = [ends_at(item.expires) for item in outcome.waivers] + [statement_ends(item) for item in stated]
    return ends or [_NEVER]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _later(text: str, *, days: int) -> str:
    return (_time(text) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid(message: str, expected: str, found: str) -> CertificateInvalidError:
    return CertificateInvalidError(
        message, expected=expected, found=found, hint="do not use it; certify the model again with `mintage certify`"
    )
