"""The policy file: what is accepted, and what an error says."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from certify_evidence import DOMAIN, POLICY

from mintage.certify import checks
from mintage.certify.policy import check_domain, parse_policy, read_policy
from mintage.certify.registry import find_checks
from mintage.errors import (
    CheckClashError,
    DomainMismatchError,
    FileMalformedError,
    FileMissingError,
    UnknownCheckError,
)
from mintage.record.digest import sha256_bytes
from mintage.repo.modelfile import domain_digest, parse_model_file

HEAD = "model: late\nowner: risk@example.org\nrequirements:\n"
TEMPLATE = Path(__file__).parents[2] / "src" / "mintage" / "templates" / "flights"


def parse(requirement: str, *, head: str = HEAD) -> object:
    return parse_policy(f"{head}  - {requirement}\n".encode(), where="policies/late.yaml")


def test_policy_keeps_its_requirements_in_order_and_is_named_by_its_bytes() -> None:
    policy = parse_policy(POLICY, where="policies/late.yaml")
    assert [item.check for item in policy.requirements] == ["F1", "F1", "F2", "F3", "F5", "L1", "Z3", "T1", "T1", "V4"]
    assert policy.digest == sha256_bytes(POLICY)
    assert parse_policy(POLICY + b"# a comment\n", where="x").digest != policy.digest


def test_unknown_check_names_the_nearest_one_and_its_line() -> None:
    with pytest.raises(UnknownCheckError) as caught:
        parse("{id: auc, check: FI, metric: roc_auc, min: 0.6}")
    assert caught.value.where == "policies/late.yaml:4:15"
    assert "did you mean F1, primary metric" in str(caught.value.hint)


def test_unknown_check_is_found_by_a_word_of_its_title() -> None:
    with pytest.raises(UnknownCheckError) as caught:
        parse("{id: p99, check: latency, max_ms: 5}")
    assert "did you mean T1" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("requirement", "says"),
    [
        ("{id: auc, check: F1, metric: roc_auc, mim: 0.6}", "unknown key 'mim'"),
        ("{id: auc, check: F1, metric: roc_auc, min: 0.6, severty: must}", "unknown key 'severty'"),
        ("{id: auc, check: F1, metric: roc_auc, max: 0.6}", "a value does not fit"),
        ("{id: auc, check: F1, metric: gini, min: 0.6}", "a value does not fit"),
        ("{id: auc, check: F1, metric: roc_auc, min: high}", "a value does not fit"),
        ("{id: mae, check: F1, metric: mae, min: 3.0}", "a value does not fit"),
        ("{id: loss, check: F1, metric: pinball, max: 3.0}", "a value does not fit"),
        ("{id: loss, check: F1, metric: mae, max: 3.0, quantile: 0.5}", "a value does not fit"),
        ("{id: auc, check: F1, metric: roc_auc, min: 0.6, precision: 0}", "a value does not fit"),
        ("{id: Auc!, check: F1, metric: roc_auc, min: 0.6}", "a value does not fit"),
        ("{id: p, check: T1, quantile: 1.5, max_ms: 5}", "a value does not fit"),
        ("{id: t, check: F2, against: []}", "a value does not fit"),
        ("{id: t, check: F2, against: [oracle]}", "a value does not fit"),
        ("{id: p}", "not a requirement"),
        ("F1", "not a requirement"),
        ("{id: auc, check: F1, metric: roc_auc, min: 0.6, severity: should}", "requires nothing"),
        ("{id: a, check: V4}\n  - {id: a, check: Z3}", "two requirements have the id 'a'"),
    ],
)
def test_malformed_requirement_is_an_error_at_its_line(requirement: str, says: str) -> None:
    with pytest.raises(FileMalformedError, match=says) as caught:
        parse(requirement)
    assert str(caught.value.where).startswith("policies/late.yaml:")


@pytest.mark.parametrize(
    "head",
    [
        "model: late\nrequirements:\n",
        HEAD.replace("owner", "domain: sha256:short\nowner"),
        HEAD.replace("owner", "statistics: {confidence: 1.5}\nowner"),
        HEAD.replace("owner", "statistics: {multiplicity: holm}\nowner"),
        HEAD.replace("owner", "statistics: {multiplicity: benjamini-hochberg(2)}\nowner"),
        HEAD.replace("owner", "statistics: {multiplicity: benjamini-hochberg(0.0)}\nowner"),
        HEAD.replace("owner", "statistics: {draws: 10}\nowner"),
        HEAD.replace("owner", "valid_days: 0\nowner"),
        HEAD.replace("owner", "approver: me\nowner"),
    ],
)
def test_malformed_head_is_an_error(head: str) -> None:
    with pytest.raises(FileMalformedError):
        parse("{id: v, check: V4}", head=head)


def test_a_list_a_missing_file_and_an_empty_one_say_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileMalformedError, match="not a policy"):
        parse_policy(b"[1, 2]", where="x")
    with pytest.raises(FileMalformedError):
        parse_policy(b"", where="x")
    with pytest.raises(FileMissingError, match="there is no policy"):
        read_policy(tmp_path / "late.yaml")


def test_bonferroni_shares_the_error_among_the_comparisons() -> None:
    statistics = parse_policy(
        POLICY.replace(b"{seed: 11", b"{multiplicity: bonferroni, seed: 11"), where="x"
    ).statistics
    assert statistics.resampling(comparisons=5).confidence == pytest.approx(0.99)
    assert statistics.resampling(comparisons=0).confidence == pytest.approx(0.95)


def test_another_domain_than_the_pinned_one_is_refused_and_the_hint_names_both_ways_out() -> None:
    pinned = parse_policy(POLICY + f"domain: {DOMAIN}\n".encode(), where="policies/late.yaml")
    check_domain(pinned, DOMAIN)
    check_domain(parse_policy(POLICY, where="x"), "sha256:" + "e" * 64)
    with pytest.raises(DomainMismatchError) as caught:
        check_domain(pinned, "sha256:" + "e" * 64)
    assert "models/late.yaml" in str(caught.value.hint)
    assert "domain: sha256:eee" in str(caught.value.hint)


def test_all_built_in_checks_are_found_with_and_without_installed_metadata() -> None:
    files = {path.stem for path in Path(checks.__file__).parent.glob("*.py")} - {"__init__"}
    assert [name.lower() for name in find_checks([])] == sorted(files)
    assert set(find_checks()) >= set(find_checks([]))


def test_two_checks_of_one_id_are_an_error() -> None:
    clash = EntryPoint(name="f1", value="certify_clash:CHECK", group="mintage.checks")
    with pytest.raises(CheckClashError, match="two checks have the id F1"):
        find_checks([clash])


def test_the_demos_policy_pins_the_domain_of_the_demos_model_file() -> None:
    policy = read_policy(TEMPLATE / "policies" / "late.yaml")
    spec = parse_model_file((TEMPLATE / "models" / "late.yaml").read_bytes(), where="models/late.yaml")
    check_domain(policy, domain_digest(spec))
    assert {item.check for item in policy.requirements} <= set(find_checks([]))
