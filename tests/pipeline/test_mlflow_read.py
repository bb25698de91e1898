"""What MLflow wrote is read from files and from SQLite alike, and nothing hostile in it gets through."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest
from mlflow_layout import add_model, new_run, write_database, write_files

from mintage.errors import StageOutputMissingError
from mintage.pipeline.mlflow_log import limits
from mintage.pipeline.mlflow_log.keep import keep_logged
from mintage.pipeline.mlflow_log.models import logged_outputs, place_models
from mintage.pipeline.mlflow_log.own import is_database, is_folder
from mintage.pipeline.mlflow_log.read import read_logged
from mintage.pipeline.mlflow_log.tracked import logged_files, tracked
from mintage.store.local import Store

CURVE = [("loss", 1.0, 0, 11), ("loss", 0.5, 1, 12), ("loss", 0.25, 2, 13), ("val/auc", 0.75, 0, 14)]


def written(layout: str, work: Path, runs: list[dict]) -> None:
    if layout == "files":
        write_files(work / "mlruns", runs)
    else:
        write_database(work / "mlflow.db", runs, artifacts=work / "mlruns")


@pytest.fixture(params=["files", "database"])
def layout(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_runs_are_read_with_parameters_tags_and_each_value_of_each_metric(layout: str, work: Path) -> None:
    top = new_run("fit", params={"k": "3", "opt/rate": "0.1"}, tags={"team": "x"}, metrics=[*CURVE, CURVE[0]])
    child = new_run("fold", parent=top, at=2_000, metrics=[("odd", math.nan, 0, 1), ("odd", math.inf, 1, 2)])
    gone = new_run("gone", stage="deleted", at=3_000)
    top["files"]["conf/a.json"] = "{}"
    written(layout, work, [child, gone, top])
    log = read_logged(work)
    assert [(run.id, run.name, run.parent) for run in log.runs] == [
        (top["id"], "fit", None),
        (child["id"], "fold", top["id"]),
    ]
    first, second = log.runs
    assert first.params == {"k": "3", "opt/rate": "0.1"}
    assert first.tags["team"] == "x"
    assert sorted(first.metrics) == sorted(CURVE)
    assert (first.experiment, first.status, first.started_ms, first.ended_ms) == ("Default", "FINISHED", 1_000, 1_009)
    assert first.artifacts == work / "mlruns/0" / top["id"] / "artifacts"
    assert math.isnan(second.metrics[0][1])
    assert second.metrics[1][1] == math.inf
    assert log.left_out == ()
    assert log.owns("mlruns/0/x")
    assert not log.owns("model.joblib")


def test_a_folder_without_mlflow_has_no_log_and_inputs_are_not_looked_at(layout: str, work: Path) -> None:
    (work / "data.db").write_bytes(b"SQLite format 3\0 but not one")
    (work / "out").mkdir()
    assert read_logged(work).runs == ()
    written(layout, work, [new_run("fit")])
    assert len(read_logged(work).runs) == 1
    assert read_logged(work, without=["mlruns/", "mlflow.db"]).runs == ()


def test_a_database_of_the_user_is_not_taken_for_one_of_mlflow(work: Path) -> None:
    connection = sqlite3.connect(work / "shop.db")
    connection.execute("CREATE TABLE runs (id)")
    connection.close()
    write_database(work / "log.sqlite", [])
    write_files(work / "history", [])
    (work / "mlruns2").mkdir()
    assert [is_database(work / name) for name in ("shop.db", "log.sqlite", "none.db")] == [False, True, False]
    assert [is_folder(work / name) for name in ("history", "mlruns2")] == [True, False]


@pytest.mark.parametrize("uri", ["file:///etc", "../..", "s3://bucket/x", "file://host/etc", ".", "a\0b"])
def test_files_elsewhere_are_not_read_whatever_the_log_says(uri: str, layout: str, work: Path) -> None:
    if layout == "files" and "\0" in uri:
        uri = '"a\\0b"'
    written(layout, work, [new_run("fit", uri=uri)])
    (run,) = read_logged(work).runs
    assert run.artifacts is None


def test_links_among_the_artifacts_are_not_followed(layout: str, work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password")
    run = new_run("fit")
    run["files"]["a.txt"] = "a"
    written(layout, work, [run])
    inside = work / "mlruns/0" / run["id"] / "artifacts"
    (inside / "b.txt").symlink_to(tmp_path / "secret")
    (inside / "c").symlink_to(tmp_path)
    store = Store(tmp_path / "store")
    kept = keep_logged(store, read_logged(work), stage="s", taken=())
    assert kept is not None
    body = store.get_record(kept.record, kind="mlflow-log").body
    assert [path for path, *_ in logged_files(body)] == ["1-run/a.txt"]


def test_a_link_in_place_of_the_folder_of_artifacts_leads_nowhere(layout: str, work: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret").write_text("password")
    run = new_run("fit")
    written(layout, work, [run])
    inside = work / "mlruns/0" / run["id"]
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "artifacts").symlink_to(tmp_path / "elsewhere")
    assert read_logged(work).runs[0].artifacts is None


def test_what_cannot_be_read_is_named_and_the_rest_is_read(work: Path) -> None:
    good, bad, odd = new_run("good", metrics=CURVE), new_run("bad", at=2), new_run("odd", at=3, metrics=CURVE)
    write_files(work / "mlruns", [good, bad, odd])
    folder = work / "mlruns/0"
    (folder / bad["id"] / "meta.yaml").write_text("run_id: !!python/object/apply:os.system [touch pwned]\n")
    (folder / odd["id"] / "metrics/loss").write_text("11 1.0 0\nnot a line\n")
    log = read_logged(work)
    assert [run.name for run in log.runs] == ["odd", "good"]
    assert [point for point in log.runs[0].metrics if point[0] == "loss"] == [("loss", 1.0, 0, 11)]
    assert len(log.left_out) == 2
    assert any(bad["id"] in note for note in log.left_out)


def test_a_broken_database_ends_in_a_note(work: Path) -> None:
    write_database(work / "broken.db", [])
    connection = sqlite3.connect(work / "broken.db")
    connection.execute("DROP TABLE params")
    connection.execute("CREATE TABLE params (other)")
    connection.close()
    write_database(work / "view.db", [new_run("x")])
    connection = sqlite3.connect(work / "view.db")
    connection.execute("DROP TABLE tags")
    connection.execute("CREATE VIEW tags AS SELECT 1 AS run_uuid, 2 AS key, 3 AS value")
    connection.close()
    log = read_logged(work)
    assert log.runs == ()
    assert [note.partition(",")[0] for note in log.left_out] == ["broken.db"]
    assert not is_database(work / "view.db")


def test_what_is_over_a_limit_is_left_out_and_named(
    layout: str, work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    many = [("m", float(step), step, step) for step in range(20)]
    params = {"long": "x" * 9000, "short": "1"}
    monkeypatch.setattr(limits.Budget, "__init__", _small)
    runs = [new_run(name, params=params, metrics=many, at=at) for at, name in ((1, "fit"), (2, "next"), (3, "last"))]
    written(layout, work, runs)
    log = read_logged(work)
    assert len(log.runs) == 2
    assert sum(len(run.metrics) for run in log.runs) == 5
    assert all(run.params == {"short": "1"} for run in log.runs)
    assert len(set(log.left_out)) >= 3, log.left_out


def _small(self: limits.Budget) -> None:
    self.runs, self.points, self.entries, self.left_out = 2, 5, 100, []


def test_the_same_log_is_kept_with_stable_names_and_read_back(layout: str, work: Path, tmp_path: Path) -> None:
    top = new_run("nosy-shark-12", params={"k": "3"}, metrics=[*CURVE, ("odd", math.nan, 0, 1)])
    child = new_run("fold", parent=top, at=2_000, metrics=[("loss", 2.0, 0, 1_700_000_000_123)], tags={"t": "1"})
    written(layout, work, [top, child])
    store = Store(tmp_path / "store")
    kept = keep_logged(store, read_logged(work), stage="train", taken={"val/auc"})
    assert kept is not None
    assert kept.metrics == {"loss": 0.25, "mlflow.val/auc": 0.75, "fold.loss": 2.0}
    assert kept.said == "logged with MLflow: 2 runs, 1 parameter, 4 metrics"
    rows = tracked(store, kept.record, stage="train")
    assert [(row.key, row.step, row.value) for row in rows.metrics if row.key == "loss"] == [
        ("loss", 0, 1.0),
        ("loss", 1, 0.5),
        ("loss", 2, 0.25),
    ]
    (fold,) = [row for row in rows.metrics if row.key == "fold.loss"]
    assert fold.at == "2023-11-14T22:13:20.123Z"
    assert ("param", "k", "3") in [(row.what, row.key, row.value) for row in rows.entries]
    assert ("tag", "fold.t", "1") in [(row.what, row.key, row.value) for row in rows.entries]


def test_a_logged_model_gets_a_path_that_stays(layout: str, work: Path) -> None:
    run = new_run("fit")
    add_model(run, "churn model", b"\x80\x04one")
    add_model(run, "trees", b'{"learner": 1}', file="model.xgb", flavour="xgboost", key="data")
    add_model(run, "net", None, file="x", flavour="pytorch", key="data")
    written(layout, work, [run])
    found, remarks = logged_outputs(read_logged(work), "train")
    assert sorted(found) == ["captured/train/churn-model.pkl", "captured/train/trees.json"]
    assert len(remarks) == 1
    assert "net" in remarks[0]
    place_models(read_logged(work), work, stage="train", outputs=["captured/train/churn-model.pkl", "other.txt"])
    assert (work / "captured/train/churn-model.pkl").read_bytes() == b"\x80\x04one"


def test_which_of_two_models_of_one_name_counts_is_not_guessed(layout: str, work: Path) -> None:
    runs = [new_run("a"), new_run("b", at=2_000)]
    for run in runs:
        add_model(run, "model", b"\x80\x04" + run["name"].encode())
    written(layout, work, runs)
    found, remarks = logged_outputs(read_logged(work), "train")
    assert (found, len(remarks)) == ({}, 1)
    with pytest.raises(StageOutputMissingError, match="did not log the model"):
        place_models(read_logged(work), work, stage="train", outputs=["captured/train/model.pkl"])


@pytest.mark.parametrize("file", ["../../../../../secret", "/etc/passwd", "link.pkl"])
def test_the_file_of_a_model_must_lie_in_its_folder(file: str, layout: str, work: Path) -> None:
    run = new_run("fit")
    add_model(run, "model", None, file=file)
    written(layout, work, [run])
    (work / "secret").write_text("password")
    (work / "mlruns/0" / run["id"] / "artifacts/model/link.pkl").symlink_to(work / "secret")
    assert logged_outputs(read_logged(work), "train")[0] == {}
