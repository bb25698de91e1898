"""The JSON Schema of policies, made from the checks that are found: editors complete and check one while it is typed.

It refuses nothing that ``parse_policy`` takes. What a schema cannot say (unique ids, clauses that exist, keys that fit
each other) only ``mintage policy check`` refuses.

>>> schema = policy_schema(find_checks(points=()))
>>> schema["$defs"]["F5"]["properties"]["check"]
{'const': 'F5', 'title': 'overfitting gap'}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mintage.certify.check import Check
from mintage.certify.policy import _PolicyFile
from mintage.certify.registry import find_checks

__all__ = ["encode_schema", "policy_schema"]

_REF = "#/$defs/{name}"
_ABOUT = {
    "version": "Of this format.",
    "model": "The model's name, as in mintage.yaml.",
    "owner": "Who answers for the requirements.",
    "requirements": "What the model must prove; at least one of severity must.",
    "domain": "SHA-256 of the domain that models/<model>.yaml declares; `mintage policy check` prints it.",
    "valid_days": "How many days a certificate holds.",
    "check_limit_s": "How many seconds one check may take; one that takes longer is INCONCLUSIVE.",
    "statistics": "How numbers become verdicts.",
    "holdout": "What is demanded of the hold-out: how many models may be judged on it, whether it is sealed.",
    "max_models": "How many distinct models may be judged on one hold-out.",
    "sealed": "Whether the labels must be held by a second person.",
    "confidence": "Of an interval, two-sided.",
    "multiplicity": "Correction for many comparisons: none, bonferroni, or benjamini-hochberg(q).",
    "seed": "Of the resamples.",
    "draws": "How many resamples.",
    "inconclusive": "Whether an INCONCLUSIVE must blocks.",
    "id": "The requirement's own name, unique in the policy.",
    "check": "Which check measures it.",
    "severity": "must blocks; should and note are reported.",
    "about": "Why it is asked, for people.",
    "controls": "Clauses that it serves, as in aia:15.1; `mintage policy clauses` lists them.",
}

_EXAMPLES = "Whether a certificate shows rows that a check found; with false no row enters it."


def policy_schema(checks: Mapping[str, Check[Any]] | None = None) -> dict[str, Any]:
    """The schema (draft 2020-12) of a policy that may name ``checks``, by default all that are found."""
    known = find_checks() if checks is None else checks
    (top,), parts = msgspec.json.schema_components([_PolicyFile], ref_template=_REF)
    defs: dict[str, Any] = dict(parts)
    policy = defs.pop(_name(top))
    for name, check in known.items():
        defs |= _of_check(name, check)
    defs["Requirement"] = {
        "type": "object",
        "required": ["id", "check"],
        "properties": {"check": {"enum": list(known), "description": _ABOUT["check"]}},
        "allOf": [_if_check(name) for name in known],
    }
    policy["properties"]["requirements"] |= {"items": {"$ref": "#/$defs/Requirement"}, "minItems": 1}
    policy["properties"]["requirements"]["contains"] = {"properties": {"severity": {"const": "must"}}}
    for part in (policy, *defs.values()):
        _describe(part)
    policy["properties"]["examples"]["description"] = _EXAMPLES
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mintage policy, version 1",
        **{key: value for key, value in policy.items() if key not in ("title", "description")},
        "$defs": dict(sorted(defs.items())),
    }


def encode_schema(schema: Mapping[str, Any]) -> str:
    """The schema as the text of a file."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _of_check(name: str, check: Check[Any]) -> dict[str, Any]:
    """The parts of a check's requirement; its own under the check's id."""
    (own,), parts = msgspec.json.schema_components([check.requirement_type], ref_template=_REF)
    found: dict[str, Any] = dict(parts)
    part = found.pop(_name(own))
    described = f"{check.title[:1].upper()}{check.title[1:]}."
    if "__doc__" in vars(check.requirement_type) and part["title"] != "Requirement":
        described += " " + " ".join(str(part.get("description", "")).replace("``", "`").split())
    part |= {"title": f"{name}: {check.title}", "description": described}
    part["properties"]["check"] = {"const": name, "title": check.title}
    return {**found, name: part}


def _if_check(name: str) -> dict[str, Any]:
    asked = {"properties": {"check": {"const": name}}, "required": ["check"]}
    return {"if": asked, "then": {"$ref": f"#/$defs/{name}"}}


def _describe(part: dict[str, Any]) -> None:
    """What each common key means; a check's own are told in the description of the whole."""
    for key, value in part.get("properties", {}).items():
        if key in _ABOUT and "const" not in value:
            value["description"] = _ABOUT[key]


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
