"""Metamorphic relations: a planted fault is found and told small, its twin passes, a blind search proves nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from certify_behave import INPUTS, accepts, make_behaving
from certify_own import judged, make_workspace, with_files

from mintage.certify.answers import Answers, Task
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.row_schema import row_schema
from mintage.certify.served import Columns, Served
from mintage.errors import ExtraMissingError
from mintage.repo.modelfile import InputSpec
from mintage.repo.workspace import Workspace

GROWS = '''
def grows_with_a(row):
    """A larger a never makes it less."""
    if row["a"] is None or row["a"] > 4:
        return None
    return {**row, "a": row["a"] + 2}, "not less"
'''
TICKETS = """
def a_ticket_is_only_a_number(row):
    return [{**row, "ticket": float(ticket)} for ticket in (1, 17)], "RELATION"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("relations"))


def search(workspace: Workspace, evidence: Evidence, text: str, keys: str = "examples: 60") -> CheckResult:
    """The result of one file of relations."""
    files = with_files(evidence, workspace, {"ours": text})
    return judged(files, f"check: B3, relations: checks/ours.py, {keys}")[0]


def with_fault(evidence: Evidence) -> Evidence:
    """The model answers low where a lies beyond 2, and otherwise as before."""
    assert evidence.served is not None
    sound = evidence.served

    def faulty(columns: Columns) -> Answers:
        found = sound.ask_anew(columns)
        return found.of(np.where(columns["a"] > 2, 1e-6, found.values))

    return replace(evidence, served=Served(faulty, accepts=accepts))


@pytest.mark.parametrize("task", ["binary", pytest.param("regression", marks=pytest.mark.slow)])
def test_a_broken_relation_fails_with_a_small_example_and_its_twin_passes(workspace: Workspace, task: Task) -> None:
    evidence = make_behaving(task, rows=300)
    sound = search(workspace, evidence, GROWS)
    assert (sound.verdict, sound.estimate, sound.rows) == ("PASS", 0.0, 60)
    assert sound.details["grows_with_a: planted faults found"] in ("3 of 5", "4 of 5", "5 of 5")
    assert sound.details["grows_with_a: share at most"] == pytest.approx(0.0596, abs=1e-4)
    faulty = with_fault(evidence)
    found, again = search(workspace, faulty, GROWS), search(workspace, faulty, GROWS)
    assert msgspec.json.encode(found) == msgspec.json.encode(again)
    assert (found.verdict, found.estimate) == ("FAIL", 1.0)
    told = str(found.details["grows_with_a: counter-example"])
    row = json.loads(told.partition("not less: ")[2].partition(" gives")[0])
    assert row["a"] in (1.0, 2.0)  # shrunk to a whole number that breaks it
    assert found.reason.endswith(told)
    (shown,) = found.examples
    assert (shown.of, shown.row["a"], shown.about, shown.expected) == ("made", row["a"], "grows_with_a", "not less")
    assert set(shown.changed) == {"a"} and sound.examples == ()


def test_rows_that_cannot_occur_are_left_out(workspace: Workspace) -> None:
    faulty = with_fault(make_behaving("binary", rows=300))
    assert faulty.spec is not None
    possible = replace(faulty, spec=msgspec.structs.replace(faulty.spec, impossible=("a > 2",)))
    assert search(workspace, possible, GROWS).verdict == "PASS"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("relation", ["equal", "same label"])
def test_what_must_not_matter_is_said_of_any_task(workspace: Workspace, task: Task, relation: str) -> None:
    text = TICKETS.replace("RELATION", relation)
    found = search(workspace, make_behaving(task, rows=300), text)
    if (task, relation) == ("regression", "same label"):
        assert found.verdict == "INCONCLUSIVE"
        assert "no relation 'same label' of a regression model" in found.reason
    else:
        assert (found.verdict, found.title) == ("PASS", "relations with a counter-example")


def test_a_part_and_the_rest_make_the_whole(workspace: Workspace) -> None:
    evidence = make_behaving("regression", rows=300)
    assert evidence.served is not None
    additive = Served(lambda columns: Answers(task="regression", values=np.nan_to_num(columns["a"]) * 3.0))
    text = "def halves(row):\n    if row['a'] is not None:\n        return [{**row, 'a': row['a'] / 2}] * 2, 'sum'\n"
    assert search(workspace, replace(evidence, served=additive), text).verdict == "PASS"
    assert search(workspace, evidence, text).verdict == "FAIL"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def never(row):\n    return None\n", "never could be tried on no row"),
        ("def refused(row):\n    return {**row, 'ticket': None}, 'equal'\n", "refused could be tried on no row"),
        pytest.param(
            "def rare(row):\n    if row['a'] == row['b'] == row['c'] == 0:\n        return row, 'equal'\n",
            "does not come upon planted faults either",
            marks=pytest.mark.slow,
        ),
        ("_hidden = 1\n", "the file defines no relation"),
        ("def odd(row):\n    return row, 'like'\n", "odd: no relation 'like'"),
        ("def odd(row):\n    return row\n", "odd must give (rows, relation) or None, it gave dict"),
        ("def odd(row):\n    return {'a': 1}, 'equal'\n", "rows with the inputs of the row"),
        ("def odd(row):\n    return {**row, 'a': 'high'}, 'equal'\n", "could not convert string to float"),
        ("def odd(row):\n    return row['income'], 'equal'\n", "KeyError: 'income'"),
    ],
)
def test_a_search_that_shows_nothing_is_inconclusive(workspace: Workspace, text: str, told: str) -> None:
    found = search(workspace, make_behaving("binary", rows=300), text, "examples: 20")
    assert found.verdict == "INCONCLUSIVE"
    assert told in found.reason


def test_a_counter_example_that_the_file_makes_up_is_asked_again(workspace: Workspace) -> None:
    liar = (
        "import json, os\n"
        "row = {'a': 1.0, 'b': 1.0, 'c': 1.0, 'kind': 'x', 'ticket': 1.0}\n"
        "broken = {'row': row, 'rows': [row], 'relation': 'equal'}\n"
        "told = {'name': 'n', 'title': 't', 'tried': 9, 'planted': 1, 'found': 1, 'broken': broken}\n"
        "def same(row):\n"
        "    import sys, gc\n"
        "    open('result.json', 'w').write(json.dumps({'relations': [told]}))\n"
        "    open('result.npz', 'wb').write(b'PK\\x05\\x06' + bytes(18))\n"
        "    for talk in gc.get_objects():\n"
        "        if type(talk).__name__ == 'Talk':\n"
        "            talk.say('done')\n"
        "    os._exit(0)\n"
    )
    found = search(workspace, make_behaving("binary", rows=300), liar)
    assert found.verdict == "INCONCLUSIVE"
    assert "the counter-example of n is none when it is asked again" in found.reason


def test_without_hypothesis_the_result_says_what_to_install(workspace: Workspace) -> None:
    evidence = with_files(make_behaving("binary", rows=300), workspace, {"ours": GROWS})
    assert evidence.own is not None
    with pytest.raises(ExtraMissingError, match="nowhere-to-be-found"):
        evidence.own.run(
            evidence.own.file("checks/ours.py"),
            {},
            files={},
            served=None,
            columns={},
            needs=("numpy", "nowhere-to-be-found"),
        )


def test_rows_are_made_of_the_declared_domain_and_of_training_where_it_is_silent() -> None:
    train = make_behaving("binary", rows=300).train.columns
    items = {item["name"]: item for item in row_schema({**INPUTS, "c": InputSpec(type="int", range=(2, None))}, train)}
    assert list(items) == ["a", "b", "c", "kind", "ticket"]
    assert (items["a"]["low"], items["a"]["high"], items["a"]["nullable"]) == (-6.0, 6.0, True)
    assert (items["c"]["low"], items["c"]["high"], items["c"]["integer"]) == (2, 9.0, True)
    assert sorted(items["kind"]["choices"]) == ["x", "y", "z"]
    assert (items["ticket"]["low"], items["ticket"]["high"], items["ticket"]["nullable"]) == (0.0, 299.0, False)
