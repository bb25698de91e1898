"""``mintage parity``: a matrix of runtimes, signed and entered in a project; what is not here is named."""

import os
import shutil

import pyarrow.parquet as pq
import pytest
from test_cli_export import folder_of

from mintage.attest.keys import PublicKey
from mintage.attest.seal import open_sealed
from mintage.model.matrix import PREDICATE_TYPE
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.registry import known_runtimes
from small_project import SmallProject, flip

EVERY = ["original", *known_runtimes(), "treelite"]


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory):
    return SmallProject(tmp_path_factory.mktemp("nowhere"), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def model(_released, tmp_path_factory):
    return shutil.copytree(folder_of(_released), tmp_path_factory.mktemp("bare") / "buys")


def evidence_of(project, found):
    """The statement that the project's key signed."""
    key = PublicKey.from_pem((project.root / ".mintage" / "keys" / "project.pem.pub").read_bytes())
    return open_sealed(project.blob(found["evidence"]).read_bytes(), [key]).statement


def test_the_original_and_onnxruntime_agree_and_the_matrix_is_signed_evidence_in_the_audit_log(released):
    found = released.run("parity", "buys", "--runtimes", "original,ort-cpu", "--timed", "5", "--json").json
    root = released.lock("model:buys")["root"]
    assert (found["model"], found["root"], found["equal"]) == ("buys", root, True)
    lines = {line["runtime"]: line for line in found["runtimes"]}
    assert set(lines) == {"original", "ort-cpu"}
    for line in lines.values():
        assert line["status"] == "equal"
        assert (line["label_flips"], line["decision_flips"]) == (0, 0)
        assert line["max_error"] <= found["tolerance"]
        assert line["p50_us"] > 0 and line["version"]
    statement = evidence_of(released, found)
    assert statement.predicate_type == PREDICATE_TYPE
    assert statement.subjects[0].digest == {"sha256": root.rpartition(":")[2]}
    assert statement.predicate["runtimes"] == found["runtimes"]
    assert len(statement.predicate["facts"]["commit"]) == 40
    entry = released.audit()[-1]
    assert (entry["action"], entry["resource"]) == ("parity.measure", "buys")
    assert entry["details"]["evidence"] == found["evidence"]
    assert sorted(entry["details"]["equal"]) == ["original", "ort-cpu"]
    released.run("audit", "verify")


def test_all_validation_rows_and_edge_rows_are_compared_when_asked(released):
    words = ("parity", "buys", "--runtimes", "original,ort-cpu", "--rows", "all", "--timed", "5", "--json")
    found = released.run(*words).json
    assert found["equal"] is True
    validation = pq.read_table(released.root / "work" / "validation.parquet").num_rows
    assert found["rows"] > validation >= 100
    assert evidence_of(released, found).predicate["rows"] == f"{found['rows']} validation and edge rows"


def test_a_bare_folder_is_compared_and_nothing_is_signed(nowhere, model):
    answer = nowhere.run("parity", str(model), "--runtimes", "ort-cpu", "--timed", "5")
    assert "ort-cpu" in answer.out and "equal" in answer.out
    assert "Not signed" in answer.err
    found = nowhere.run("parity", str(model), "--runtimes", "ort-cpu", "--timed", "5", "--json").json
    assert found["evidence"] is None
    assert list(nowhere.root.iterdir()) == []


@pytest.mark.slow
def test_without_names_every_runtime_has_a_line_and_what_is_not_here_says_why(nowhere, model):
    here = {"MINTAGE_NODE_MODULES": os.environ.get("MINTAGE_NODE_MODULES")}
    found = nowhere.run("parity", str(model), "--timed", "5", "--json", **here).json
    lines = {line["runtime"]: line for line in found["runtimes"]}
    assert list(lines) == EVERY
    for name, runtime in known_runtimes().items():
        missing = isinstance(runtime.find(), Missing)
        assert lines[name]["status"] == ("missing" if missing else "equal")
        assert lines[name]["note"] or not missing
    assert lines["original"]["status"] == "missing"  # a bare folder has no project that knows it


def test_a_runtime_that_was_named_and_is_not_here_is_an_error_with_what_to_install(nowhere, model, tmp_path):
    answer = nowhere.run("parity", str(model), "--runtimes", "ort-cpu,c", expect=5, PATH=str(tmp_path), CC=None)
    assert "the runtime c is not here" in answer.err and "hint: " in answer.err
    answer = nowhere.run("parity", str(model), "--runtimes", "c", "--json", expect=5, PATH=str(tmp_path), CC=None)
    assert answer.json["error"]["code"] == "model.runtime-missing"


def test_a_runtime_that_there_is_none_of_and_a_model_that_is_not_there_are_named(_released, nowhere, model):
    answer = nowhere.run("parity", str(model), "--runtimes", "ort-cp", expect=2)
    assert "did you mean 'ort-cpu'?" in answer.err
    assert "did you mean 'buys'?" in _released.run("parity", "buy", expect=3).err
    assert "1 or more" in nowhere.run("parity", str(model), "--timed", "0", expect=2).err


@pytest.mark.parametrize("name", ["model.onnx", "golden/inputs.json"])
def test_a_folder_with_one_changed_bit_is_refused(nowhere, model, tmp_path, name):
    broken = shutil.copytree(model, tmp_path / "broken")
    flip(broken / name)
    assert name in nowhere.run("parity", str(broken), "--runtimes", "ort-cpu", expect=4).err


def test_all_rows_of_a_bare_folder_need_its_project(nowhere, model):
    answer = nowhere.run("parity", str(model), "--rows", "all", "--runtimes", "ort-cpu", expect=2)
    assert "project" in answer.err
