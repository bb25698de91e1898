"""How often a hold-out was judged on: counted, in the certificate, and a limit of the policy."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from certify_evidence import make_evidence

from mintage.attest.statement import Statement
from mintage.audit.events import AuditEvent
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import Outcome, certify
from mintage.certify.holdout_use import HoldoutRules, HoldoutUse, SealedUse, count_uses, use_sentence, why_blocked
from mintage.certify.policy import Policy, parse_policy
from mintage.errors import CertificateInvalidError, FileMalformedError

POLICY = b"""
model: late
owner: risk@example.org
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.70}
"""
EVIDENCE = make_evidence(train_days=2, days=25, rows=30)
SEALED = SealedUse(seal="sha256:1", number=2, budget=3, holder="ben", committed="sha256:2")


def policy_with(line: str) -> Policy:
    return parse_policy(POLICY + line.encode() + b"\n", where="policies/late.yaml")


def use_of(policy: Policy, models: int, sealed: SealedUse | None = None) -> HoldoutUse:
    return HoldoutUse(digest="b3:0", models=models, looks=models + 1, rules=policy.holdout, sealed=sealed)


def judged(policy: Policy, models: int, sealed: SealedUse | None = None) -> Outcome:
    return certify(EVIDENCE, policy, use=use_of(policy, models, sealed))


def stated(outcome: Outcome) -> Statement:
    return certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")


def looked(digest: str, root: str, action: str = "holdout.open") -> AuditEvent:
    details = {"holdout": digest, "root": root}
    return AuditEvent(
        at="2026-11-01T12:00:00Z",
        actor="a",
        action=action,
        resource="late",
        decision="allow",
        rule="r",
        details=details,
    )


def test_models_are_counted_once_and_looks_each_and_other_hold_outs_not() -> None:
    events = [looked("b3:1", "m"), looked("b3:1", "m"), looked("b3:1", "n"), looked("b3:2", "o")]
    assert count_uses([*events, looked("b3:1", "p", action="data.add")], "b3:1")[:2] == (2, 3)
    assert (
        use_sentence(HoldoutUse(digest="b3:1", models=2, looks=3))
        == "the 2nd model judged on this hold-out, in 3 looks"
    )


def test_a_hold_out_judged_on_too_often_passes_no_model_and_the_reader_judges_so_again() -> None:
    policy = policy_with("holdout: {max_models: 3}")
    assert judged(policy, 3).verdict == "PASS"
    outcome = judged(policy, 4)
    assert outcome.verdict == "INCONCLUSIVE"
    assert outcome.sentence.startswith(
        "late is not decided: it is the 4th model judged on this hold-out, and the policy"
    )
    statement = stated(outcome)
    assert parse_certificate(statement).holdout == use_of(policy, 4)
    forged: dict[str, Any] = copy.deepcopy(statement.predicate)
    forged["verdict"] = "PASS"
    with pytest.raises(CertificateInvalidError, match="contradicts"):
        parse_certificate(msgspec.structs.replace(statement, predicate=forged))


def test_where_the_count_is_not_known_a_limit_blocks() -> None:
    assert certify(EVIDENCE, policy_with("holdout: {max_models: 3}")).verdict == "INCONCLUSIVE"


def test_a_model_that_fails_fails_whatever_the_count() -> None:
    policy = parse_policy(POLICY.replace(b"min: 0.70", b"min: 0.99") + b"holdout: {max_models: 1}\n", where="x")
    assert judged(policy, 9).verdict == "FAIL"


def test_a_policy_that_asks_for_a_sealed_hold_out_takes_no_other() -> None:
    policy = policy_with("holdout: {sealed: true}")
    assert "could read the labels" in judged(policy, 1).sentence
    assert judged(policy, 1, SEALED).verdict == "PASS"


def test_each_opening_takes_its_share_of_what_the_policy_lets_go_wrong() -> None:
    policy = policy_with("")
    open_one, sealed = judged(policy, 1), judged(policy, 1, SEALED)
    assert open_one.confidence_each == pytest.approx(0.95)
    assert sealed.confidence_each == pytest.approx(1 - 0.05 / 3)
    narrow, wide = (each.results[0].interval for each in (open_one, sealed))
    assert narrow is not None and wide is not None and wide.low < narrow.low < narrow.high < wide.high


def test_an_undecided_requirement_passes_no_opening_even_where_the_policy_allows_it() -> None:
    middle = judged(policy_with(""), 1).results[0].estimate
    text = POLICY.replace(b"0.70", f"{middle:.4f}".encode()) + b"statistics: {inconclusive: allow}\n"
    policy = parse_policy(text, where="policies/late.yaml")
    assert judged(policy, 1).results[0].verdict == "INCONCLUSIVE"
    assert (judged(policy, 1).verdict, judged(policy, 1, SEALED).verdict) == ("PASS", "INCONCLUSIVE")
    assert parse_certificate(stated(judged(policy, 1, SEALED))).verdict == "INCONCLUSIVE"


def test_a_certificate_of_a_sealed_hold_out_with_narrower_intervals_than_its_share_is_refused() -> None:
    statement = stated(judged(policy_with(""), 1))
    forged: dict[str, Any] = copy.deepcopy(statement.predicate)
    forged["holdout"]["sealed"] = msgspec.to_builtins(SEALED)
    with pytest.raises(CertificateInvalidError, match="more than its share"):
        parse_certificate(msgspec.structs.replace(statement, predicate=forged))


def test_a_certificate_of_before_uses_were_counted_is_read() -> None:
    statement = stated(certify(EVIDENCE, policy_with("")))
    old: dict[str, Any] = copy.deepcopy(statement.predicate)
    del old["holdout"], old["order"]["facts"]["history_kept"]
    with pytest.raises(CertificateInvalidError):
        parse_certificate(msgspec.structs.replace(statement, predicate=old))
    first = "https://mintage.dev/certificate/v0"
    before = Statement(subjects=statement.subjects, predicate_type=first, predicate=old | {"version": 0})
    assert parse_certificate(before).holdout is None


def test_an_opening_beyond_its_budget_is_no_certificate() -> None:
    with pytest.raises(ValueError, match="opening 21 of 20"):
        SealedUse(seal="s", number=21, budget=20, holder="ben", committed="c")


@pytest.mark.parametrize("text", ["{max_models: 0}", "{max_models: many}", "{seald: true}"])
def test_what_is_no_rule_is_an_error_with_its_line(text: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        policy_with(f"holdout: {text}")
    assert caught.value.where is not None and caught.value.where.startswith("policies/late.yaml:")


def test_without_rules_nothing_blocks() -> None:
    assert why_blocked(HoldoutRules(), None) is None
