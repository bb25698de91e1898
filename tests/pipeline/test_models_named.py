"""Which files are models, under which names, and how they are written into mintage.yaml, without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mintage.errors import FileMalformedError
from mintage.pipeline.infer.choose_models import Seen, choose_models, name_models
from mintage.pipeline.recording.insert_models import insert_models
from mintage.pipeline.recording.propose import propose
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.sandbox import Finished
from mintage.record.names import check_name
from mintage.repo.git import Git
from mintage.repo.project import Stage, parse_project

PATHS = st.lists(st.from_regex(r"[a-z é]{1,4}(/[a-z -]{1,4})?\.(pkl|onnx)", fullmatch=True), unique=True, max_size=6)


def _seen(path: str, **other: Any) -> Seen:
    return Seen(**({"path": path, "stage": "t", "digest": path, "format": "pickle", "role": "predictor"} | other))


def test_the_only_model_has_the_projects_name() -> None:
    assert choose_models([_seen("out/clf.pkl")], project="churn", taken=()).names == {"churn": "out/clf.pkl"}


def test_a_second_model_has_the_name_of_its_file() -> None:
    assert choose_models([_seen("out/clf.pkl")], project="churn", taken=("churn",)).names == {"clf": "out/clf.pkl"}


def test_two_models_are_both_taken() -> None:
    found = choose_models([_seen("best.pkl"), _seen("last.pkl")], project="churn", taken=())
    assert found.names == {"best": "best.pkl", "last": "last.pkl"}


def test_the_same_bytes_are_one_model() -> None:
    found = choose_models([_seen("best.pkl", digest="x"), _seen("last.pkl", digest="x")], project="churn", taken=())
    assert found.names == {"churn": "best.pkl"}
    assert found.remarks == ("last.pkl has the same bytes as best.pkl",)


def test_one_model_in_several_formats_is_taken_in_the_one_that_says_most() -> None:
    found = choose_models([_seen("m.onnx", format="onnx"), _seen("m.joblib")], project="churn", taken=())
    assert found.names == {"churn": "m.joblib"}
    assert "m.onnx has the name of m.joblib" in found.remarks[0]


def test_a_transformer_alone_is_no_model() -> None:
    found = choose_models([_seen("s.pkl", role="transformer", why="a X predicts nothing")], project="p", taken=())
    assert (found.names, found.remarks) == ({}, ("s.pkl is not taken as a model: a X predicts nothing",))


def test_more_than_three_models_are_a_question() -> None:
    found = choose_models([_seen(f"fold{number}.pkl") for number in range(4)], project="p", taken=())
    assert found.names == {}
    assert "which of 4 files is the model cannot be known" in found.remarks[0]
    assert "`fold0: {from: fold0.pkl}" in found.remarks[0]


@given(PATHS, st.sets(st.sampled_from(["a", "b", "project"])))
def test_every_file_has_a_name_of_its_own_that_can_be_one(paths: list[str], taken: set[str]) -> None:
    found = name_models(paths, project="p", taken=taken)
    assert sorted(found.values()) == sorted(paths)
    assert all(check_name(name, what="model") for name in found) and not set(found) & taken


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("project: p\n", "project: p\nmodels:\n  p: {from: m.pkl}\n"),
        ("project: p", "project: p\nmodels:\n  p: {from: m.pkl}\n"),
        ("project: p\nmodels:\n# ours\n", "project: p\nmodels:\n  p: {from: m.pkl}\n# ours\n"),
        ("project: p\nmodels: {}   # none\n", "project: p\nmodels: {p: {from: m.pkl}}   # none\n"),
        ("project: p\nmodels: {a: {from: x}}\n", "project: p\nmodels: {a: {from: x}, p: {from: m.pkl}}\n"),
        (
            "models:\n    a:\n      from: x   # it\n\n# next\nproject: p\n",
            "models:\n    a:\n      from: x   # it\n    p: {from: m.pkl}\n\n# next\nproject: p\n",
        ),
        ("project: p\r\n", "project: p\r\nmodels:\r\n  p: {from: m.pkl}\r\n"),
    ],
)
def test_models_are_written_in_place_and_nothing_else_changes(before: str, after: str) -> None:
    assert insert_models(before, {"p": "m.pkl"}) == after


@pytest.mark.parametrize("text", ["{project: p}\n", "project: p\nmodels: null\n", "models: &a {x: {from: y}}\np: *a\n"])
def test_where_they_cannot_be_written_in_place_nothing_is(text: str) -> None:
    assert insert_models(text, {"p": "m.pkl"}) is None


def test_paths_are_quoted_where_they_must_be() -> None:
    made = insert_models("project: p\n", {"on": "a b: c.pkl"})
    assert made is not None and yaml.safe_load(made)["models"] == {"on": {"from": "a b: c.pkl"}}


def test_a_model_may_come_from_a_stage_that_declares_nothing_yet() -> None:
    text = "project: p\nstages: {t: {run: python t.py}}\nmodels: {p: {from: m.pkl}}\n"
    assert parse_project(text.encode(), where="x").models["p"].source == "m.pkl"


@pytest.mark.parametrize(("out", "fits"), [("out/", True), ("ou", False), ("out/m.pkl", True), ("out/n.pkl", False)])
def test_a_model_comes_from_a_declared_output_or_from_within_one(out: str, fits: bool) -> None:
    text = f"project: p\nstages: {{t: {{run: python t.py, out: ['{out}']}}}}\nmodels: {{p: {{from: out/m.pkl}}}}\n"
    if fits:
        parse_project(text.encode(), where="x")
        return
    with pytest.raises(FileMalformedError, match="no stage writes out/m"):
        parse_project(text.encode(), where="x")


def test_a_model_in_json_is_an_output_not_a_metrics_file() -> None:
    finished = Finished(exit_code=0, duration_s=1.0, timed_out=False)
    seen = Recording(finished=finished, writes=("auc.json", "model.json"))
    texts = {"auc.json": b'{"auc": 0.7}', "model.json": b'{"learner":{"trees":[1,2,3]}}'}
    found = propose(seen, stage=Stage(run="python t.py"), closure=(), sources={}, texts=texts)
    assert found.keys == {"out": ("model.json",), "metrics": ("auc.json",)}


def test_the_folder_of_model_files_is_never_declared_as_a_whole() -> None:
    finished = Finished(exit_code=0, duration_s=1.0, timed_out=False)
    paths = tuple(f"models/part{number}.pkl" for number in range(8))
    seen = Recording(finished=finished, writes=paths)
    found = propose(seen, stage=Stage(run="python t.py"), closure=(), sources={}, texts={})
    assert found.keys == {"out": paths}


def test_weights_beside_the_program_that_they_belong_to_are_not_remarked() -> None:
    weights = _seen("best.pt", role="refused", format="torch weights", why="w")
    found = choose_models([weights, _seen("model.pt2", format="torch")], project="p", taken=())
    assert (found.names, found.remarks) == ({"p": "model.pt2"}, ())
    assert choose_models([weights], project="p", taken=()).remarks


def test_a_snapshot_takes_in_the_files_that_are_named_and_no_other_change(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.init()
    (tmp_path / ".gitignore").write_text("models/\n")
    (tmp_path / "train.py").write_text("as it ran")
    first = git.snapshot(label="first")
    (tmp_path / "train.py").write_text("changed while it ran")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/m.yaml").write_text("model: m")
    second = git.extend_snapshot(first, ["models/m.yaml"], head=None, label="second")
    assert git.show(second, "train.py") == b"as it ran"
    assert git.show(second, "models/m.yaml") == b"model: m"
    assert git.extend_snapshot(second, ["models/m.yaml"], head=None, label="third") == second
    assert git.head() is None
