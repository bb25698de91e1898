"""Findings by people: what may be expected, a file that is only added to, and the check that asks for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from certify_evidence import POLICY, make_evidence

from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.expectation import Answered, parse_expectation
from mintage.certify.finding import (
    AnsweredFinding,
    check_kept,
    closing_line,
    finding_line,
    parse_findings,
)
from mintage.certify.policy import parse_policy
from mintage.certify.regression import with_findings
from mintage.errors import FileMalformedError, FindingRemovedError
from mintage.repo.git import Git

AT = "2026-11-01T12:00:00Z"
POLICY_OF_LATE = parse_policy(POLICY, where="x")
LATE = Answered(label="late", probabilities={"on time": 0.2, "late": 0.8})
LINE = finding_line(row={"a": 1.5, "kind": None}, expect="label=late", author="ana@example.org", at=AT, about="why")


def answered(name: str, *, met: bool, is_open: bool = True) -> AnsweredFinding:
    return AnsweredFinding(
        finding=name,
        expect="label=late",
        answer="label on time",
        met=met,
        is_open=is_open,
        author="ana@example.org",
        at=AT,
        about="",
    )


@pytest.mark.parametrize(
    ("expected", "answer", "met"),
    [
        ("label=late", LATE, True),
        ("label = on time", LATE, False),
        ("label!=on time", LATE, True),
        ("probability(late)<=0.8", LATE, True),
        ("probability(on time)>0.2", LATE, False),
        ("probability>=0.5", LATE, True),
        ("probability(never)>=0", LATE, False),
        ("value<10", Answered(value=9.5), True),
        ("value<10", LATE, False),
        ("refused", LATE, False),
        ("refused", Answered(refused="out of range"), True),
        ("label!=late", Answered(refused="out of range"), False),
        ("label!=late", Answered(value=1.0), False),
    ],
)
def test_answer_meets_what_was_expected_of_it_or_not(expected: str, answer: Answered, met: bool) -> None:
    assert parse_expectation(expected).met_by(answer) is met


@pytest.mark.parametrize("text", ["", "late", "label=", "probability", "value>=ten", "value=3", "score<1", "value<1e"])
def test_what_is_no_expectation_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="label=NAME"):
        parse_expectation(text)


def test_closed_finding_stays_and_an_open_one_is_open() -> None:
    other = finding_line(row={"a": 2.0}, expect="refused", author="bo@example.org", at=AT)
    (first, second) = parse_findings((LINE + other).encode(), where="x")
    closing = closing_line(finding=first.finding, by="bo@example.org", at=AT, why="mended by the new column")
    found = parse_findings((LINE + other + "\n" + closing).encode(), where="x")
    assert [item.is_open for item in found] == [False, True]
    assert (found[0].closed_why, found[1]) == ("mended by the new column", second)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("{", "Expecting"),
        (LINE + LINE, "twice"),
        (LINE.replace("1.5", "1.6"), "it was edited"),
        (LINE.replace("label=late", "late"), "label=NAME"),
        (LINE.replace('"about"', '"note"'), "unknown field"),
        (LINE.replace("ana@", "ana"), "regex"),
        (closing_line(finding="f-0000000000", by="a@b.c", at=AT, why="x"), "no open finding"),
        ("[]", "Expected `object`"),
    ],
)
def test_malformed_line_is_an_error_with_its_number(lines: str, says: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        parse_findings(lines.encode(), where="late.findings.jsonl")
    assert says in str(caught.value.found)
    assert caught.value.where == f"late.findings.jsonl:{len(lines.splitlines())}"


def test_line_that_a_commit_had_may_not_go(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.init()
    for key, value in (("user.name", "Tess"), ("user.email", "tess@example.org")):
        git.run("config", key, value)
    path = "late.findings.jsonl"
    (tmp_path / path).write_text(LINE)
    git.commit([path], "found")
    check_kept(git, path, (LINE + "more\n").encode())
    with pytest.raises(FindingRemovedError, match="only added to"):
        check_kept(git, path, LINE.replace("why", "never mind").encode())
    (tmp_path / path).unlink()
    git.commit([path], "forget it")
    with pytest.raises(FindingRemovedError):
        check_kept(git, path, b"")


def test_model_fails_by_a_finding_that_is_not_met_open_or_closed_though_its_policy_does_not_ask() -> None:
    policy = with_findings(POLICY_OF_LATE, found=True)
    assert policy.digest == POLICY_OF_LATE.digest
    for is_open in (True, False):
        findings = (answered("f-1", met=True), answered("f-2", met=False, is_open=is_open))
        outcome = certify(make_evidence(findings=findings), policy)
        failed = [item for item in outcome.results if item.verdict == "FAIL"]
        assert [(item.check, item.severity, item.estimate, item.rows) for item in failed] == [("B5", "must", 1.0, 2)]
        assert "f-2 expects label=late, not label on time" in failed[0].reason
        certificate = parse_certificate(certificate_statement(outcome, files={}, issued=AT))
        assert [item.finding for item in certificate.findings] == (["f-1", "f-2"] if is_open else ["f-1"])


def test_model_passes_when_each_finding_is_met() -> None:
    policy = with_findings(POLICY_OF_LATE, found=True)
    outcome = certify(make_evidence(findings=(answered("f-1", met=True),)), policy)
    assert outcome.verdict == "PASS"
    assert [item.verdict for item in outcome.results if item.check == "B5"] == ["PASS"]


def test_policy_that_asks_itself_keeps_its_own_severity_and_nothing_is_asked_without_findings() -> None:
    asking = parse_policy(POLICY + b"  - {id: rows, check: B5, severity: should}\n", where="x")
    assert with_findings(asking, found=True) is asking
    assert with_findings(POLICY_OF_LATE, found=False) is POLICY_OF_LATE
    result = next(item for item in certify(make_evidence(), asking).results if item.check == "B5")
    assert result.verdict == "NOT_APPLICABLE"
    taken = parse_policy(POLICY.replace(b"id: shared", b"id: findings"), where="x")
    assert with_findings(taken, found=True).requirements[-1].id == "findings.1"


def test_row_keeps_its_id_through_the_file() -> None:
    (found,) = parse_findings(LINE.encode(), where="x")
    assert json.loads(LINE)["finding"] == found.finding
    assert found.row == {"a": 1.5, "kind": None}
