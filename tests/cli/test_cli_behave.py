"""Every check of behaviour by the command, on a model that was really trained, exported and loaded."""

from __future__ import annotations

import pytest

from small_project import SmallProject

CHECKS = ("S1", "C1", "C2", "B1", "B2", "B4", "R1", "R2", "R3", "L5", "V1", "Z1", "F4")
KEYS = {"R3": ", max: 9"}


@pytest.mark.slow
def test_all_checks_of_behaviour_come_to_a_verdict_on_a_served_model(fresh: SmallProject) -> None:
    lines = [
        f"  - {{id: of-{check.lower()}, check: {check}, severity: should{KEYS.get(check, '')}}}" for check in CHECKS
    ]
    path = fresh.root / "policies/buys.yaml"
    path.write_text(path.read_text().rstrip("\n") + "\n" + "\n".join(lines) + "\n")
    fresh.commit("more to prove")
    fresh.run("run")
    answer = fresh.run("certify", "buys", "--json")
    results = {item["check"]: item for item in answer.json["results"]}
    reasons = {check: results[check]["reason"] for check in CHECKS}
    assert not [text for text in reasons.values() if "broke off" in text or "not measured" in text or "stopped" in text]
    verdicts = {check: results[check]["verdict"] for check in CHECKS}
    assert {check for check, verdict in verdicts.items() if verdict == "NOT_APPLICABLE"} == {"F4", "B2", "R2"}
    assert {verdicts[check] for check in ("B1", "B4", "L5", "V1", "Z1")} == {"PASS"}, reasons
    assert results["B4"]["details"]["answered"] > 0
    assert results["Z1"]["details"]["formats"] == "json, markdown, onnx"
    again = {item["check"]: item for item in fresh.run("certify", "buys", "--json").json["results"]}
    assert [again[check] for check in CHECKS] == [results[check] for check in CHECKS]
