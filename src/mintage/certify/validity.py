"""Decide what has ended a certificate that is genuine: it was right when it was signed, and is no longer current. Pure.

What a clone says now comes in as ``RepositoryNow``; without a clone, from the file alone, only the time is looked at,
and ``unchecked`` names the events that were not. Whether a certificate is genuine is not asked here: ``attest`` proves
the signature, ``parse_certificate`` that it does not contradict itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from mintage.certify.certificate import Certificate
from mintage.certify.clause_table import BY_PEOPLE
from mintage.certify.ends import Event, statement_ends
from mintage.certify.finding import Finding
from mintage.certify.last_day import ends_at
from mintage.certify.revocation import Revocation

__all__ = ["Ended", "RepositoryNow", "unchecked", "what_ended"]


class RepositoryNow(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit says of a model: digests of its policy's file and of its declared domain (None: no such file), its
    findings, its revocations. ``uncommitted`` holds those digests of the work tree: what is certified before it is
    committed is current too."""

    commit: str
    policy: str | None
    domain: str | None
    findings: tuple[Finding, ...]
    revocations: tuple[Revocation, ...]
    uncommitted: frozenset[str] = frozenset()


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """One event that has ended a certificate: what happened, in a sentence, and what to do."""

    event: Event
    sentence: str
    hint: str


def what_ended(
    certificate: Certificate, *, digest: str | None, now: str, repository: RepositoryNow | None
) -> tuple[Ended, ...]:
    """All that has ended it at ``now``; empty if it is current. ``digest`` is its own, as revocations name it."""
    found = list(_by_time(certificate, now))
    if repository is not None:
        found += _by_change(certificate, repository)
        found += _by_revocation(certificate, repository, digest)
    return tuple(found)


def unchecked(repository: RepositoryNow | None) -> tuple[Event, ...]:
    """The events that could not be looked at."""
    return ("policy", "domain", "finding", "revocation") if repository is None else ()


def _by_time(certificate: Certificate, now: str) -> Iterator[Ended]:
    again = f"certify again: mintage certify {certificate.model}"
    if _time(now) < _time(certificate.issued):
        yield Ended(
            event="time",
            sentence=f"it is dated in the future: issued {certificate.issued}, and now is {now}",
            hint="check the clocks of this machine and of the one that certified",
        )
    for waiver in certificate.waivers:
        if _time(now) >= _time(ends_at(waiver.expires)):
            yield Ended(
                event="waiver",
                sentence=f"the waiver of {waiver.requirement}, which it rests on, has expired: it held until "
                f"{waiver.expires}, approved by {waiver.approver}",
                hint=f"mend the model, or have a new waiver approved, then {again}",
            )
    for result in certificate.results:
        if result.check in BY_PEOPLE and result.verdict == "PASS" and _time(now) >= _time(statement_ends(result)):
            yield Ended(
                event="statement",
                sentence=f"what a person signed for {result.requirement} held until {result.details['expires']}",
                hint=f"have it signed again with `mintage attest`, then {again}",
            )
    if _time(now) >= _time(certificate.expires):
        yield Ended(event="time", sentence=f"it expired on {certificate.expires}", hint=again)


def _by_change(certificate: Certificate, repository: RepositoryNow) -> Iterator[Ended]:
    model, commit = certificate.model, repository.commit[:10]
    again = f"certify again: mintage certify {model}"
    policy = certificate.policy
    if policy.builtin is not None and repository.policy is not None:
        yield Ended(
            event="policy",
            sentence=f"it was judged by the built-in default of {policy.builtin}, and commit {commit} has a policy",
            hint=again,
        )
    elif policy.builtin is None and policy.digest not in (repository.policy, *repository.uncommitted):
        now = "has none" if repository.policy is None else f"is another: {repository.policy}"
        yield Ended(
            event="policy",
            sentence=f"it was judged by the policy {policy.digest}, and policies/{model}.yaml in commit {commit} {now}",
            hint=again,
        )
    domain = repository.domain
    if domain is not None and certificate.domain not in (domain, *repository.uncommitted):
        yield Ended(
            event="domain",
            sentence=f"the domain that models/{model}.yaml declares in commit {commit} is another than was certified: "
            f"{domain}, not {certificate.domain}",
            hint=f"build and {again}",
        )
    known = {item.finding for item in certificate.findings}
    for finding in repository.findings:
        if finding.is_open and finding.finding not in known:
            yield Ended(
                event="finding",
                sentence=f"{finding.author} recorded the finding {finding.finding} at {finding.at}, after it was made",
                hint=f"let the model answer it: mintage certify {model}",
            )


def _by_revocation(certificate: Certificate, repository: RepositoryNow, digest: str | None) -> Iterator[Ended]:
    for item in repository.revocations:
        if item.covers(root=certificate.root, certificate=digest):
            what = "its model" if item.root is not None else "it"
            yield Ended(
                event="revocation",
                sentence=f"{item.by} revoked {what} on {item.at}: {item.reason}",
                hint=f"do not use it; see policies/{certificate.model}.revoked.yaml",
            )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
