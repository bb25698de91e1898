"""A certificate as Markdown, JUnit XML and model card: what blocks is a failure, and hostile text stays text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mintage.certify.certificate import (
    Certificate,
    CertificateData,
    CertificateOrder,
    CertificatePolicy,
    CertificateStatistics,
)
from mintage.certify.check import CheckResult
from mintage.certify.clause_table import ClauseState
from mintage.certify.example import Example, plain_text
from mintage.certify.finding import AnsweredFinding
from mintage.certify.judge import Gate, Severity, Verdict
from mintage.certify.order import OrderFacts
from mintage.certify.waive import AppliedWaiver
from mintage.report.certificate_card import certificate_card
from mintage.report.certificate_junit import certificate_junit
from mintage.report.certificate_text import certificate_markdown
from mintage.report.markdown import text
from mintage.stats.interval import Interval

SHA, B3 = "sha256:" + "a" * 64, "b3:" + "b" * 64
HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://example.org/x.png) [y](javascript:alert) <img src=x>",
    "| a | b |\n# head\n---\n- [ ] task @ana #12 www.example.org",
    "a\x00b\x1bc\ud800d\u202egnp.exe",
    "]]></failure><testcase/>&amp; \"'",
    "---\nlicense: mit\n---",
    "*x* _y_ `z` ~~q~~ $m$",
]


def result(name: str, verdict: Verdict, severity: Severity = "must", said: str = "because") -> CheckResult:
    return CheckResult(
        requirement=name,
        check="F1",
        check_version=1,
        title="AUC" if name == "auc" else said,
        severity=severity,
        verdict=verdict,
        reason=said,
        estimate=None if verdict == "NOT_APPLICABLE" else 0.71,
        interval=Interval(low=0.6, high=0.8, confidence=0.95),
        gate=Gate(direction="at_least", threshold=0.7),
        details={"slice 1": f"{said}, and more", "interval by": "DeLong"},
        examples=(Example(of="made", row={plain_text(said): plain_text(said)}, about=plain_text(said)),),
    )


def certificate(said: str = "because", model: str = "late") -> Certificate:
    waiver = AppliedWaiver(
        requirement="waived",
        result=SHA,
        reason=said,
        compensating=said,
        approver="ana@example.org",
        approved_commit="4a" * 20,
        expires=date(2026, 12, 1),
        approval="5b" * 20,
        approved_at="2026-11-01T12:00:00Z",
        author="tess@example.org",
    )
    finding = AnsweredFinding(
        finding="f-0123456789",
        expect=said,
        answer=said,
        met=False,
        is_open=True,
        author="ana@example.org",
        at="2026-11-01T12:00:00Z",
        about=said,
    )
    return Certificate(
        root=SHA,
        files={},
        model=model,
        domain=SHA,
        verdict="FAIL",
        sentence=said,
        policy=CertificatePolicy(digest=SHA, owner=said, domain=None),
        statistics=CertificateStatistics(
            confidence=0.95,
            confidence_each=0.95,
            multiplicity="none",
            comparisons=1,
            seed=1,
            draws=400,
            inconclusive="block",
            digest=SHA,
        ),
        data=(CertificateData(name="hold-out", digest=B3, rows=100, groups=10),),
        champion=None,
        order=CertificateOrder(state="not proven", facts=OrderFacts()),
        results=(
            result("auc", "FAIL", said=said),
            result("undecided", "INCONCLUSIVE", said=said),
            result("waived", "FAIL", said=said),
            result("wished", "FAIL", "should", said),
            result("elsewhere", "NOT_APPLICABLE", said=said),
            result("passed", "PASS", said=said),
        ),
        measured=(result("p99", "PASS", said=said),),
        latency=None,
        clauses=(ClauseState(control="own:x", state="proven", requirements=("passed",)),),
        waivers=(waiver,),
        findings=(finding,),
        facts={},
        issued="2026-11-01T12:00:00Z",
        expires="2027-01-30T12:00:00Z",
    )


def card(said: str = "because") -> dict[str, object]:
    row = {"name": said, "datatype": "FP64", "integer": False, "unit": said, "about": said}
    return {
        "purpose": said,
        "owner": said,
        "task": "binary",
        "limitations": [said],
        "inputs": [row],
        "libraries": {"scikit": said},
        "estimator": said,
    }


def cases(data: bytes) -> dict[str, str]:
    """The state of each test case, by name."""
    found = {}
    for case in ET.fromstring(data).iter("testcase"):
        states = [child.tag for child in case if child.tag in ("failure", "skipped", "error")]
        found[str(case.get("name"))] = states[0] if states else "passed"
    return found


def test_junit_fails_what_blocks_and_skips_what_does_not() -> None:
    data = certificate_junit(certificate(), digest=B3)
    assert cases(data) == {
        "auc": "failure",
        "undecided": "failure",
        "waived": "skipped",
        "wished": "skipped",
        "elsewhere": "skipped",
        "passed": "passed",
        "p99": "passed",
    }
    root = ET.fromstring(data)
    suite = root[0]
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "0",
        "skipped": "3",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.get("type") == "FAIL" and "slice 1: because" in str(failure.text)
    skipped = suite.find("testcase[@name='waived']/skipped")
    assert skipped is not None and str(skipped.get("message")).startswith("FAIL, waived until 2026-12-01")


def test_junit_does_not_fail_what_the_policy_lets_be_undecided() -> None:
    given = certificate()
    allowed = msgspec.structs.replace(given.statistics, inconclusive="allow")
    assert cases(certificate_junit(msgspec.structs.replace(given, statistics=allowed), digest=B3))["undecided"] == (
        "skipped"
    )


def test_markdown_begins_with_verdict_and_sentence_and_shows_counter_examples() -> None:
    found = certificate_markdown(certificate("too low"), digest=B3, signed_by="local", ended=("it expired",))
    lines = found.splitlines()
    assert lines[:5] == ["## FAIL: late", "", "too low", "", "**No longer current:** it expired"]
    assert (
        "| FAIL | auc | AUC | 0.71 [0.6, 0.8] | >= 0.7 |".replace("[", "\\[").replace("]", "\\]").replace(">", "&gt;")
        in lines
    )
    assert "- **auc** (must): too low" in lines and "  - slice 1: too low, and more" in lines
    place = lines.index("For example, **auc**:")
    assert lines[place + 1 : place + 5] == ["", "|  | too low |", "|---|---|", "| too low | too low |"]
    assert not any("interval by" in line for line in lines)


def front_matter(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    value: dict[str, Any] = yaml.safe_load(front)
    return value


def test_card_has_the_metadata_that_hugging_face_reads() -> None:
    value = front_matter(certificate_card(certificate(), card(), digest=B3, signed_by="local"))
    (index,) = value["model-index"]
    (found,) = index["results"]
    assert (value["pipeline_tag"], index["name"]) == ("tabular-classification", "late")
    assert found["task"]["type"] == "tabular-classification"
    assert {"type", "name"} <= found["dataset"].keys() and found["dataset"]["revision"] == B3
    assert found["metrics"][0]["type"] == "roc_auc" and found["metrics"][0]["value"] == 0.71
    assert found["metrics"][0]["args"] == {"low": 0.6, "high": 0.8, "confidence": 0.95}


@pytest.mark.parametrize("said", HOSTILE)
def test_hostile_text_stays_text_in_every_format(said: str) -> None:
    given, plain = certificate(said, model=said), certificate("x", model="x")
    root = ET.fromstring(certificate_junit(given, digest=B3))
    assert len(list(root.iter())) == len(list(ET.fromstring(certificate_junit(plain, digest=B3)).iter()))
    for found, expected in (
        (
            certificate_markdown(given, digest=B3, signed_by=said, ended=(said,)),
            certificate_markdown(plain, digest=B3, signed_by="x", ended=("x",)),
        ),
        (
            certificate_card(given, card(said), digest=B3, signed_by=said),
            certificate_card(plain, card("x"), digest=B3, signed_by="x"),
        ),
    ):
        found.encode()
        body, usual = (part.split("\n---\n", 1)[-1] for part in (found, expected))
        assert len(body.splitlines()) == len(usual.splitlines())
        assert "<" not in body and not {"\x00", "\x1b", "\u202e"} & set(found)
        assert not re.search(r"(?<!\\)!?(?<!\\)\[[^\]]*(?<!\\)\]\(", body)
        assert "@ana " not in body and "#12" not in body and "http://" not in body and "www.ex" not in body
    value = front_matter(certificate_card(given, card(said), digest=B3, signed_by=said))
    assert list(value) == ["library_name", "pipeline_tag", "tags", "model-index"]


@given(st.text(max_size=80))
def test_any_text_is_one_line_of_markdown_without_markup(value: str) -> None:
    line = text(value)
    assert "\n" not in line and "<" not in line and not re.search(r"(?<!\\)(?:\\\\)*[`*|\[\]]", line)
