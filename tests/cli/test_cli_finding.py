"""Findings from the command line: recorded by a person, asked of every model, closed, never removed."""

import pytest

ROW = ("--row", "pages=95", "minutes=9")


@pytest.mark.slow
def test_finding_blocks_every_certificate_until_the_model_answers_as_expected(released):
    added = released.run("finding", "add", "buys", *ROW, "--expect", "label=0", "--about", "a robot")
    name = added.out.partition(":")[0]
    assert "the model says label 1" in added.out and "NOT as expected" in added.out
    released.commit("a finding")
    failed = released.run("certify", "buys", expect=1)
    assert failed.out.startswith("FAIL: buys must not be released: findings not answered as expected 1")
    assert f"open finding {name} by tess@example.org, not met" in failed.out
    report = next(released.root.glob(".mintage/reports/certificate-*.html")).parent
    newest = max(report.glob("certificate-*.html"), key=lambda path: path.stat().st_mtime_ns).read_text()
    assert "Open findings" in newest and "a robot" in newest

    assert "mended" not in released.run("finding", "list", "buys").out
    closed = released.run("finding", "close", "buys", name, "--why", "said to be mended")
    assert "still checked" in closed.out
    assert released.run("finding", "list", "buys", "--json").json[0]["closed_why"] == "said to be mended"
    assert "no open finding" in released.run("finding", "close", "buys", name, "--why", "again", expect=3).err
    answer = released.run("certify", "buys", "--json", expect=1).json
    assert [item["verdict"] for item in answer["results"] if item["check"] == "B5"] == ["FAIL"]

    (released.root / "policies/buys.findings.jsonl").unlink()
    gone = released.run("certify", "buys", expect=1)
    assert gone.err.startswith("error[certify.finding-removed]")


def test_finding_that_cannot_be_asked_is_refused_when_it_is_added(released):
    def refused(*words: str) -> str:
        return released.run("finding", "add", "buys", *words, expect=2).err

    assert "a finding is a row" in refused("--expect", "label=0")
    assert "not an input of the model" in refused("--row", "pags=1", "minutes=2", "--expect", "label=0")
    assert "the row has no minutes" in refused("--row", "pages=1", "--expect", "label=0")
    assert "not an expectation" in refused(*ROW, "--expect", "late")
    assert "the model has no class 'yes'" in refused(*ROW, "--expect", "label=yes")
    assert "answers no value" in refused(*ROW, "--expect", "value>3")
    assert released.run("finding", "add", "buys", *ROW, "--expect", "label=1", "--json").json["met"] is True
    assert "twice" in refused(*ROW, "--expect", "label=1")
    again = released.run("finding", "add", "buys", "--row", "pages=", "minutes=2", "--expect", "refused")
    assert "as expected" in again.out and "NOT" not in again.out
    assert len(released.read("policies/buys.findings.jsonl").splitlines()) == 2
