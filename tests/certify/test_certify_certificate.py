"""The certificate: bit-identical statistics, a strict reader, and the refusals."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from certify_evidence import POLICY, ROOT, latency_run, make_evidence, with_copied_rows

from mintage.attest.statement import Statement, Subject, decode_statement, encode_statement
from mintage.certify.certificate import Certificate, certificate_statement, check_certificate, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.evidence import Evidence
from mintage.certify.latency import RecordedLatency, latency_record
from mintage.certify.policy import parse_policy
from mintage.certify.testresult import as_test_result
from mintage.errors import (
    CertificateExpiredError,
    CertificateForAnotherModelError,
    CertificateInvalidError,
    CertificateNotPassedError,
    CertificateNotYetValidError,
    CertificateOfAnotherPolicyError,
)
from mintage.record.envelope import encode, record_id

POLICY_OF_LATE = parse_policy(POLICY, where="policies/late.yaml")
FILES = {"model.onnx": "sha256:" + "1" * 64, "golden/inputs.json": "sha256:" + "2" * 64}
ISSUED, NOW, OVER = "2026-11-01T12:00:00Z", "2026-11-02T12:00:00Z", "2027-01-30T12:00:00Z"


def state(evidence: Evidence) -> Statement:
    return certificate_statement(
        certify(evidence, POLICY_OF_LATE), files=FILES, issued=ISSUED, facts={"commit": "4a1c"}
    )


@pytest.fixture(scope="module")
def statement() -> Statement:
    return state(make_evidence())


@pytest.fixture(scope="module")
def certificate(statement: Statement) -> Certificate:
    return parse_certificate(decode_statement(encode_statement(statement)))


def test_certificate_reads_back_from_its_bytes(certificate: Certificate) -> None:
    assert certificate.root == ROOT
    assert certificate.files == FILES
    assert (certificate.verdict, certificate.expires) == ("PASS", OVER)
    assert [item.requirement for item in certificate.measured] == ["p50", "p99"]
    assert len(certificate.results) == 8
    assert certificate.facts == {"commit": "4a1c"}


def test_statistics_are_bit_identical_for_one_seed_whatever_the_wall_times_are(statement: Statement) -> None:
    other = state(make_evidence(latency=RecordedLatency(latency_run(np.linspace(0.001, 0.002, 2000)))))
    for part in ("results", "statistics", "data"):
        assert msgspec.json.encode(statement.predicate[part]) == msgspec.json.encode(other.predicate[part])
    assert statement.predicate["measured"] != other.predicate["measured"]
    assert statement.predicate["latency"] != other.predicate["latency"]


def test_another_seed_gives_other_statistics(statement: Statement) -> None:
    policy = parse_policy(POLICY.replace(b"seed: 11", b"seed: 12"), where="x")
    other = certificate_statement(certify(make_evidence(), policy), files=FILES, issued=ISSUED)
    assert other.predicate["statistics"]["digest"] != statement.predicate["statistics"]["digest"]


def test_wall_times_stand_in_the_record_that_the_certificate_names(certificate: Certificate) -> None:
    outcome = certify(make_evidence(), POLICY_OF_LATE)
    assert outcome.latency is not None
    record = latency_record(outcome.latency)
    assert record_id(record) == certificate.latency
    assert len(record.body["nanoseconds"]) == 2000
    assert encode(record)


def test_a_good_certificate_allows_its_model(certificate: Certificate) -> None:
    check_certificate(certificate, root=ROOT, policy_digest=POLICY_OF_LATE.digest, now=NOW)
    check_certificate(certificate, root=ROOT, policy_digest=POLICY_OF_LATE.digest, now=ISSUED)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"root": "sha256:" + "b" * 64}, CertificateForAnotherModelError),
        ({"policy_digest": "sha256:" + "b" * 64}, CertificateOfAnotherPolicyError),
        ({"now": OVER}, CertificateExpiredError),
        ({"now": "2026-11-01T11:59:59Z"}, CertificateNotYetValidError),
    ],
)
def test_a_certificate_for_something_else_is_refused(
    certificate: Certificate, changes: dict[str, str], error: type[Exception]
) -> None:
    asked = {"root": ROOT, "policy_digest": POLICY_OF_LATE.digest, "now": NOW} | changes
    with pytest.raises(error) as caught:
        check_certificate(certificate, **asked)
    assert getattr(caught.value, "hint", None)


@pytest.mark.parametrize(
    "evidence", [with_copied_rows(make_evidence(), 0.05), make_evidence(latency=None)], ids=["failed", "undecided"]
)
def test_a_certificate_that_does_not_pass_is_refused(evidence: Evidence) -> None:
    certificate = parse_certificate(state(evidence))
    with pytest.raises(CertificateNotPassedError):
        check_certificate(certificate, root=ROOT, policy_digest=POLICY_OF_LATE.digest, now=NOW)


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(predicate: dict[str, Any]) -> None:
        for step in path[:-1]:
            predicate = predicate[step]
        del predicate[path[-1]]

    return change


def put(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(predicate: dict[str, Any]) -> None:
        part: Any = predicate
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put(0, "version"),
        put(2, "version"),
        put(True, "version"),
        drop("tier"),
        drop("clauses"),
        drop("ends"),
        put("letter", "kind"),
        put("root", "root"),
        put(True, "unknown"),
        put(True, "results", 0, "unknown"),
        drop("verdict"),
        drop("statistics", "digest"),
        put("FAIL", "verdict"),
        put("yesterday", "issued"),
        put(0.999, "results", 0, "gate", "threshold"),
        put("PASS", "results", 7, "verdict"),
        put([], "results"),
        put("proven", "order", "state"),
        put("other", "model"),
        put("b3:" + "0" * 64, "policy", "digest"),
    ],
)
def test_a_malformed_or_contradictory_certificate_is_invalid(
    statement: Statement, change: Callable[[dict[str, Any]], None]
) -> None:
    predicate = copy.deepcopy(statement.predicate)
    change(predicate)
    changed = Statement(subjects=statement.subjects, predicate_type=statement.predicate_type, predicate=predicate)
    with pytest.raises(CertificateInvalidError):
        parse_certificate(changed)


def test_a_dropped_result_is_noticed(statement: Statement) -> None:
    predicate = copy.deepcopy(statement.predicate)
    del predicate["results"][5]
    with pytest.raises(CertificateInvalidError, match="not those that the statistics name"):
        parse_certificate(
            Statement(subjects=statement.subjects, predicate_type=statement.predicate_type, predicate=predicate)
        )


def test_another_statement_or_subject_is_no_certificate(statement: Statement) -> None:
    other = Statement(subjects=statement.subjects, predicate_type="https://example.org/v1", predicate={})
    with pytest.raises(CertificateInvalidError, match="not a certificate"):
        parse_certificate(other)
    subject = Subject(name="late", digest={"sha512": "0" * 128})
    with pytest.raises(CertificateInvalidError, match="subjects"):
        parse_certificate(
            Statement(subjects=(subject,), predicate_type=statement.predicate_type, predicate=statement.predicate)
        )


def test_a_time_that_is_not_utc_is_not_written() -> None:
    outcome = certify(make_evidence(), POLICY_OF_LATE)
    with pytest.raises(CertificateInvalidError):
        certificate_statement(outcome, files=FILES, issued="2026-11-01T12:00:00+01:00")


def test_the_test_result_says_what_blocks_and_what_only_warns(statement: Statement, certificate: Certificate) -> None:
    result = as_test_result(certificate, subjects=statement)
    assert result.predicate["result"] == "WARNED"
    assert result.predicate["warnedTests"] == ["order"]
    assert "champion" not in result.predicate["passedTests"]
    assert result.subjects == statement.subjects
    failed = state(with_copied_rows(make_evidence(), 0.05))
    predicate = as_test_result(parse_certificate(failed), subjects=failed).predicate
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", ["shared"])
    assert encode_statement(result)
