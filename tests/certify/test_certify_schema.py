"""The JSON Schema of policies: published, in step with the checks, and of one mind with the parser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from certify_evidence import POLICY
from jsonschema import Draft202012Validator

from mintage.certify.policy import parse_policy
from mintage.certify.policy_schema import encode_schema, policy_schema
from mintage.certify.registry import find_checks
from mintage.errors import MintageError

ROOT = Path(__file__).parents[2]
BUILT_IN = find_checks(points=())
SCHEMA = policy_schema(BUILT_IN)
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(text: bytes) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_published_schema_is_that_of_the_built_in_checks() -> None:
    written = (ROOT / "docs/spec/policy.schema.json").read_text(encoding="utf-8")
    assert written == encode_schema(SCHEMA), "run: python scripts/write_policy_schema.py > docs/spec/policy.schema.json"
    Draft202012Validator.check_schema(json.loads(written))


def test_each_check_is_described_and_so_are_the_keys_that_all_have() -> None:
    for name, check in BUILT_IN.items():
        part = SCHEMA["$defs"][name]
        assert part["title"] == f"{name}: {check.title}" and len(part["description"]) > 8
        assert all("description" in part["properties"][key] for key in ("id", "severity", "about", "controls"))
    assert all("description" in value for value in SCHEMA["properties"].values())


def test_no_part_is_named_that_is_not_there() -> None:
    text = json.dumps(SCHEMA)
    named = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert named == set(SCHEMA["$defs"])


VALID: dict[str, bytes] = {
    "policy of the tests": POLICY,
    "least": b"model: a\nowner: b\nrequirements: [{id: x, check: L1}]\n",
    "all keys": b"model: a\nowner: b\nvalid_days: 9\ncheck_limit_s: 5\ndomain: null\n"
    b"statistics: {confidence: 0.9, multiplicity: benjamini-hochberg(0.1), inconclusive: allow}\n"
    b"requirements: [{id: x, check: F1, metric: mae, max: 3, about: y, controls: ['aia:15.1'], severity: must}]\n",
}
INVALID: dict[str, tuple[bytes, str]] = {
    "unknown key": (b"model: a\nowner: b\nowners: c\nrequirements: [{id: x, check: L1}]\n", "owners"),
    "no owner": (b"model: a\nrequirements: [{id: x, check: L1}]\n", "owner"),
    "unknown check": (b"model: a\nowner: b\nrequirements: [{id: x, check: Q9}]\n", "Q9"),
    "unknown key of a check": (b"model: a\nowner: b\nrequirements: [{id: x, check: L1, shares: 1}]\n", "shares"),
    "key that a check must have": (b"model: a\nowner: b\nrequirements: [{id: x, check: F1}]\n", "metric"),
    "out of range": (b"model: a\nowner: b\nrequirements: [{id: x, check: L1, max_share: 2}]\n", "2"),
    "bad id": (b"model: a\nowner: b\nrequirements: [{id: X Y, check: L1}]\n", "X Y"),
    "bad severity": (b"model: a\nowner: b\nrequirements: [{id: x, check: L1, severity: most}]\n", "most"),
    "bad statistics": (b"model: a\nowner: b\nstatistics: {draws: 3}\nrequirements: [{id: x, check: L1}]\n", "3"),
    "nothing asked": (b"model: a\nowner: b\nrequirements: []\n", "[]"),
    "no must": (b"model: a\nowner: b\nrequirements: [{id: x, check: L1, severity: note}]\n", "note"),
}


@pytest.mark.parametrize("name", VALID)
def test_schema_takes_what_the_parser_takes(name: str) -> None:
    parse_policy(VALID[name], where="x")
    assert errors(VALID[name]) == []


@pytest.mark.parametrize("name", INVALID)
def test_schema_refuses_what_the_parser_refuses(name: str) -> None:
    text, said = INVALID[name]
    with pytest.raises(MintageError):
        parse_policy(text, where="x")
    found = errors(text)
    assert found and any(said in message for message in found)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_keys_that_a_check_must_have_are_asked_for_by_both_and_no_others(name: str) -> None:
    text = f"model: a\nowner: b\nrequirements: [{{id: x, check: {name}}}]\n".encode()
    if SCHEMA["$defs"][name]["required"] == ["id", "check"]:
        assert errors(text) == []
    else:
        assert errors(text) != []
        with pytest.raises(MintageError):
            parse_policy(text, where="x")


@pytest.mark.parametrize("path", sorted((ROOT / "src/mintage/templates").rglob("policies/*.yaml")), ids=str)
def test_policies_of_templates_fit_the_schema(path: Path) -> None:
    assert errors(path.read_bytes()) == []
