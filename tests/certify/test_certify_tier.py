"""Tiers: less is asked of a pull request than of a release, by the same statistics, and it releases nothing."""

from __future__ import annotations

import msgspec
import pytest
from certify_evidence import ROOT, make_evidence

from mintage.certify.certificate import Certificate, certificate_statement, check_certificate, parse_certificate
from mintage.certify.certify import Outcome, certify
from mintage.certify.check import Tier
from mintage.certify.policy import parse_policy
from mintage.errors import (
    CertificateInvalidError,
    CertificateOfPullRequestError,
    FileMalformedError,
    PolicyUnfitError,
)

POLICY = b"""
model: late
owner: risk@example.org
statistics: {seed: 1, draws: 2000, multiplicity: bonferroni}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.70}
  - {id: gap, check: F5, max: 0.09, tier: release}
  - {id: p50, check: T1, quantile: 0.5, max_ms: 5, tier: release}
"""
NOW = "2026-11-02T12:00:00Z"


def judged(tier: Tier, text: bytes = POLICY) -> Outcome:
    return certify(make_evidence(days=20), parse_policy(text, where="policies/late.yaml"), tier=tier)


def stated(outcome: Outcome) -> Certificate:
    return parse_certificate(certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z"))


def test_a_pull_request_is_asked_less_and_the_rest_is_named() -> None:
    outcome = judged("pull-request")
    assert [result.requirement for result in outcome.results] == ["auc"]
    assert outcome.not_asked == ("gap", "p50")
    assert outcome.latency is None
    assert outcome.sentence.startswith("late passes what is asked of a pull request, which releases nothing: ")
    assert outcome.sentence.endswith("; not asked: 2 of the policy.")
    whole = judged("release")
    assert (whole.not_asked, len(whole.results)) == ((), 3)


def test_a_requirement_has_the_same_result_in_each_tier() -> None:
    assert judged("pull-request").results[0] == judged("release").results[0]


def test_a_certificate_of_a_pull_request_releases_nothing() -> None:
    certificate = stated(judged("pull-request"))
    assert (certificate.verdict, certificate.tier, certificate.not_asked) == ("PASS", "pull-request", ("gap", "p50"))
    with pytest.raises(CertificateOfPullRequestError) as caught:
        check_certificate(certificate, root=ROOT, policy_digest=certificate.policy.digest, now=NOW)
    assert "mintage certify late" in str(caught.value.hint)
    whole = stated(judged("release"))
    check_certificate(whole, root=ROOT, policy_digest=whole.policy.digest, now=NOW)


@pytest.mark.parametrize("change", [{"tier": "release"}, {"not_asked": ["auc"]}])
def test_a_certificate_that_hides_what_was_not_asked_is_refused(change: dict[str, object]) -> None:
    statement = certificate_statement(judged("pull-request"), files={}, issued="2026-11-01T12:00:00Z")
    forged = msgspec.structs.replace(statement, predicate={**statement.predicate, **change})
    with pytest.raises(CertificateInvalidError, match="what was not asked contradicts"):
        parse_certificate(forged)


def test_a_tier_that_asks_for_nothing_is_refused_before_any_check() -> None:
    text = POLICY.replace(b"min: 0.70}", b"min: 0.70, tier: release}")
    with pytest.raises(PolicyUnfitError, match="asks for nothing in the tier pull-request"):
        judged("pull-request", text)
    assert judged("release", text).verdict == "PASS"


def test_a_tier_that_nobody_knows_is_an_error_at_its_line() -> None:
    with pytest.raises(FileMalformedError) as caught:
        parse_policy(POLICY.replace(b"tier: release", b"tier: nightly", 1), where="policies/late.yaml")
    assert str(caught.value.where).startswith("policies/late.yaml:7")
