"""Clauses: the catalogues are dated and sourced, controls are checked against them, and states follow from results."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from certify_evidence import POLICY, make_evidence, with_copied_rows

from mintage.attest.statement import Statement
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.clause_table import clause_states
from mintage.certify.clauses import find_catalogues, find_clause
from mintage.certify.policy import parse_policy
from mintage.errors import CertificateInvalidError, UnknownClauseError

HEAD = b"model: late\nowner: risk@example.org\nrequirements:\n"
NAMED = POLICY.replace(b"check: L1}", b"check: L1, controls: [aia:10.3, own:splits]}").replace(
    b"{id: gap, check: F5, max: 0.05}", b"{id: gap, check: F5, max: 0.05, controls: ['aia:15.1', 'aia:10.3']}"
)


def result(verdict: str, *controls: str, check: str = "F1", name: str = "one") -> CheckResult:
    parts: dict[str, Any] = {"verdict": verdict, "controls": controls, "check": check, "requirement": name}
    return CheckResult(check_version=0, title="t", severity="must", reason="r", **parts)


def states(*results: CheckResult) -> dict[str, str]:
    return {item.control: item.state for item in clause_states(results)}


def test_catalogues_are_dated_and_sourced_and_their_titles_are_short() -> None:
    catalogues = find_catalogues()
    assert list(catalogues) == ["aia", "atlas", "iso42001", "nist-rmf", "nyc-ll144", "owasp-ml", "sr26-2"]
    assert len(catalogues["nist-rmf"].clauses) == 72
    assert len(catalogues["iso42001"].clauses) == 38
    for key, catalogue in catalogues.items():
        assert catalogue.source.startswith("https://"), key
        assert catalogue.date.year >= 2023, key
        assert max(len(title) for title in catalogue.clauses.values()) < 80, key


def test_control_is_found_with_its_title_and_the_edition_of_its_catalogue() -> None:
    clause = find_clause("aia:15.5")
    assert (clause.catalogue, clause.version) == ("aia", "2026-07")
    assert clause.title == "resists attacks on data, model and inputs"


@pytest.mark.parametrize(
    ("control", "says", "hint"),
    [
        ("aia:15.9", "has no clause '15.9'", "aia:15."),
        ("nist-rmf:MEASURE-2.50", "has no clause", "nist-rmf:MEASURE-2.5"),
        ("aai:15.1", "there is no catalogue of clauses 'aai'", "did you mean 'aia'?"),
        ("15.1", "there is no catalogue of clauses '15.1'", "mintage policy clauses"),
        ("own:", "has no name", ""),
    ],
)
def test_unknown_clause_is_an_error_at_its_line_with_the_nearest_one(control: str, says: str, hint: str) -> None:
    line = f"  - {{id: gap, check: F5, max: 0.05, controls: ['aia:15.1', '{control}']}}\n".encode()
    with pytest.raises(UnknownClauseError, match=says) as caught:
        parse_policy(HEAD + line, where="policies/late.yaml")
    assert caught.value.where == "policies/late.yaml:4:60"
    assert hint in (caught.value.hint or "")


def test_clause_is_proven_only_when_all_that_names_it_passes_or_does_not_apply() -> None:
    assert states(result("PASS", "aia:15.1"), result("NOT_APPLICABLE", "aia:15.1", name="two")) == {
        "aia:15.1": "proven"
    }
    for other in ("FAIL", "INCONCLUSIVE"):
        assert states(result("PASS", "aia:15.1"), result(other, "aia:15.1", name="two")) == {"aia:15.1": "not covered"}
    assert states(result("NOT_APPLICABLE", "aia:15.1")) == {"aia:15.1": "not covered"}


def test_clause_that_rests_on_the_word_of_a_person_is_attested() -> None:
    human = result("PASS", "aia:14.4", check="H1", name="two")
    assert states(human) == {"aia:14.4": "attested"}
    assert states(result("PASS", "aia:14.4"), human) == {"aia:14.4": "attested"}
    assert states(result("FAIL", "aia:14.4"), human) == {"aia:14.4": "not covered"}


def test_certificate_has_the_states_and_a_reader_refuses_others() -> None:
    policy = parse_policy(NAMED, where="x")
    for evidence, shared in ((make_evidence(), "proven"), (with_copied_rows(make_evidence(), 0.1), "not covered")):
        outcome = certify(evidence, policy)
        statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
        found = {item.control: item.state for item in parse_certificate(statement).clauses}
        assert found == {"aia:15.1": "proven", "aia:10.3": shared, "own:splits": shared}
    predicate = msgspec.json.decode(msgspec.json.encode(statement.predicate))
    predicate["clauses"][0]["state"] = "proven"
    forged = Statement(subjects=statement.subjects, predicate_type=statement.predicate_type, predicate=predicate)
    with pytest.raises(CertificateInvalidError, match="clauses contradict"):
        parse_certificate(forged)
