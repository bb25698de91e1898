"""What the run left behind, by the command line: pickles, provenance, and what the model costs a machine."""

from __future__ import annotations

from typing import Any

import pytest

from small_project import SmallProject

POLICY = """\
model: buys
owner: risk@example.org
requirements:
  - {id: pickles, check: Z2}
  - {id: provenance, check: V3}
  - {id: memory, check: T2, measure: memory, max: 2000}
  - {id: start, check: T2, measure: cold_start, max: 120}
  - {id: speed, check: T2, measure: throughput, min: 1}
  - {id: size, check: T2, measure: size, max: 50}
"""


def certified(project: SmallProject, *, expect: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results by requirement, and the certificate's predicate."""
    project.write("policies/buys.yaml", POLICY)
    project.commit("the policy")
    project.run("run")
    answer = project.run("certify", "buys", "--json", expect=expect)
    shown = project.run("show", answer.json["certificate"], "--json").json
    return {result["requirement"]: result for result in answer.json["results"]}, shown


def names_under(key: str, value: Any) -> set[str]:
    """The requirements of the results that stand under ``key``, wherever ``show`` puts them."""
    if isinstance(value, dict):
        if isinstance(value.get(key), list):
            return {item["requirement"] for item in value[key]}
        value = list(value.values())
    return set().union(*(names_under(key, part) for part in value)) if isinstance(value, list) else set()


@pytest.mark.slow
def test_a_run_that_leaves_nothing_strange_passes_and_its_costs_stand_with_the_measured_results(
    fresh: SmallProject,
) -> None:
    found, shown = certified(fresh, expect=0)
    assert {result["verdict"] for result in found.values()} == {"PASS"}
    assert found["pickles"]["details"]["with pickles"] == "work/model.joblib"
    assert found["provenance"]["details"]["seed of stage train"] == "3"
    assert set(found["provenance"]["details"]) >= {"commit", "hardware", "environment of stage split"}
    memory = found["memory"]
    assert memory["interval"]["low"] <= memory["estimate"] <= memory["interval"]["high"]
    assert memory["interval"]["confidence"] == pytest.approx(1 - 2**-5)
    assert len(found["speed"]["details"]["each"].split(", ")) == 6
    assert names_under("measured", shown) == {"memory", "start", "speed", "size"}
    assert names_under("results", shown) == {"pickles", "provenance"}


@pytest.mark.slow
def test_a_pickle_with_a_class_of_ones_own_and_a_missing_seed_fail_just_their_checks(fresh: SmallProject) -> None:
    fresh.replace("mintage.yaml", "    seed: 3\n", "")
    fresh.replace("mintage.yaml", "out: [work/model.joblib]", "out: [work/model.joblib, work/beside.pkl]")
    fresh.write("mine.py", "class Mine:\n    pass\n")
    train = fresh.read("train.py")
    fresh.write("train.py", f"{train}import pickle, mine\npickle.dump(mine.Mine(), open('work/beside.pkl', 'wb'))\n")
    found, _ = certified(fresh, expect=1)
    failed = {name: result["reason"] for name, result in found.items() if result["verdict"] != "PASS"}
    assert set(failed) == {"pickles", "provenance"}
    assert "work/beside.pkl: mine.Mine" in failed["pickles"]
    assert "missing: seed of stage train" in failed["provenance"]
