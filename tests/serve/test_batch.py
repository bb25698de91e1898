"""Scoring files: the same models, checks, split and log as over HTTP, all or nothing."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from serve_models import build_small_model, small_score

from mintage.errors import BatchFileError, InputNullError, InputTypeError, UsageError
from mintage.serve import rowfile
from mintage.serve.batch import predict_file
from mintage.serve.desired import Challenger, Placement, Target
from mintage.serve.predictionlog import read_predictions
from mintage.serve.routes import load_route
from mintage.serve.split import variant_of


def route_of(champion, challenger=None, share=0.0):
    placement = Placement(
        champion=Target(root=champion.root, folder=str(champion.folder)),
        challenger=challenger and Challenger(root=challenger.root, folder=str(challenger.folder), share=share),
        salt="salt",
    )
    return load_route("late", placement, now=datetime.now(UTC))


@pytest.fixture(scope="session")
def route(models):
    return route_of(models[0])


def rows(count=100, **columns):
    numbers = np.linspace(-3, 3, count)
    return pa.table(
        {
            "id": [f"f-{i}" for i in range(count)],
            "at": pa.array([datetime(2013, 8, 1, 5) for _ in range(count)], pa.timestamp("us")),
            "x": numbers,
            "y": pa.array([None if i % 3 else 0.5 for i in range(count)], pa.float64()),
            "name": pa.array([(None, "a", "b")[i % 3] for i in range(count)], pa.large_string()),
            "extra": list(range(count)),
        }
        | columns
    )


def write(folder, table):
    path = folder / "in.parquet"
    pq.write_table(table, path)
    return path


def read(path):
    with pq.ParquetFile(path) as file:
        return file.read()


def test_a_file_is_scored_and_logged_to_the_bit_whatever_the_chunks(tmp_path, route, models, monkeypatch):
    monkeypatch.setattr(rowfile, "CHUNK_ROWS", 7)
    table = rows()
    result = predict_file(write(tmp_path, table), tmp_path / "out.parquet", route=route, envdir=tmp_path)
    assert (result.rows, result.by_variant) == (100, {"champion": 100})
    out = read(tmp_path / "out.parquet")
    assert out.column_names == [*table.column_names, "request_id", "model_root", "variant", "score", "label"]
    assert out.select(table.column_names).equals(table)
    for row in out.to_pylist():
        assert row["score"] == pytest.approx(small_score(row["x"], row["y"], row["name"]), abs=1e-15)
        assert row["label"] == int(row["score"] >= 0.5)
        assert (row["request_id"], row["model_root"]) == (row["id"], models[0].root)
    log = read_predictions(tmp_path, "late")
    assert set(log["source"].to_pylist()) == {"batch"}
    assert set(log["event_time"].to_pylist()) == {datetime(2013, 8, 1, 5)}
    logged = {row["request_id"]: row for row in log.to_pylist()}
    for row in out.to_pylist():
        found = logged[row["id"]]
        assert (found["score"], found["f.x"], found["f.y"], found["f.name"]) == (
            row["score"],
            row["x"],
            row["y"],
            row["name"],
        )


def test_the_challenger_gets_its_rows_by_their_request_ids(tmp_path, models):
    split = route_of(models[0], models[1], 0.3)
    result = predict_file(write(tmp_path, rows(400)), tmp_path / "out.parquet", route=split, envdir=tmp_path)
    for row in read(tmp_path / "out.parquet").to_pylist():
        assert row["variant"] == variant_of(row["id"], "salt", 0.3)
        assert row["model_root"] == models[row["variant"] == "challenger"].root
        bias = float(row["variant"] == "challenger")
        assert row["score"] == pytest.approx(small_score(row["x"], row["y"], row["name"], bias), abs=1e-15)
    assert 0 < result.by_variant["challenger"] < 400


def test_rows_without_an_id_column_get_one_each(tmp_path, models, signer):
    model = build_small_model(tmp_path / "model", 0, signer, id=None, time=None)
    table = rows().drop_columns(["id", "at"])
    predict_file(write(tmp_path, table), tmp_path / "out.parquet", route=route_of(model), envdir=tmp_path)
    assert len(set(read(tmp_path / "out.parquet")["request_id"].to_pylist())) == 100
    assert read_predictions(tmp_path, "late")["event_time"].null_count == 100


def test_csv_goes_in_and_out(tmp_path, route):
    pa_csv.write_csv(rows(10), tmp_path / "in.csv")
    predict_file(tmp_path / "in.csv", tmp_path / "out.csv", route=route, envdir=tmp_path)
    out = pa_csv.read_csv(tmp_path / "out.csv")
    assert out["request_id"].to_pylist() == [f"f-{i}" for i in range(10)]
    expected = [small_score(row["x"], row["y"], row["name"]) for row in rows(10).to_pylist()]
    assert out["score"].to_pylist() == pytest.approx(expected, abs=1e-15)


def test_an_empty_file_gives_an_empty_output_and_no_log(tmp_path, route):
    result = predict_file(write(tmp_path, rows(5).slice(0, 0)), tmp_path / "out.parquet", route=route, envdir=tmp_path)
    assert (result.rows, result.log_file) == (0, None)
    assert read(tmp_path / "out.parquet").num_rows == 0
    assert not list(tmp_path.rglob("batch-*"))


REFUSED = {
    "a null where none may be": (rows(x=pa.array([None] + [0.5] * 99)), InputNullError, "in.parquet, row 1"),
    "text in a column of numbers": (rows(x=["a"] * 100), InputTypeError, "in.parquet"),
    "no such column": (rows().drop_columns(["y"]), BatchFileError, "in.parquet"),
    "no id column": (rows().drop_columns(["id"]), BatchFileError, "in.parquet"),
    "a row without id": (rows(id=["a"] * 99 + [None]), BatchFileError, "rows"),
    "a column that the output adds": (rows(score=[0.5] * 100), BatchFileError, "in.parquet"),
    "a time that is none": (rows(at=["soon"] * 100), BatchFileError, "rows 1 to 100"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_with_a_fault_is_refused_as_a_whole_and_leaves_nothing(tmp_path, route, case):
    table, error, where = REFUSED[case]
    with pytest.raises(error) as caught:
        predict_file(write(tmp_path, table), tmp_path / "out.parquet", route=route, envdir=tmp_path / "env")
    assert where in caught.value.where
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "in.parquet"]


def test_a_fault_in_a_late_chunk_leaves_nothing_of_the_early_ones(tmp_path, route, monkeypatch):
    monkeypatch.setattr(rowfile, "CHUNK_ROWS", 10)
    table = rows(x=pa.array([0.5] * 95 + [None] * 5))
    with pytest.raises(InputNullError) as caught:
        predict_file(write(tmp_path, table), tmp_path / "out.parquet", route=route, envdir=tmp_path / "env")
    assert caught.value.where.endswith("in.parquet, row 96")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "in.parquet"]


def test_files_that_are_no_tables_say_so(tmp_path, route):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "rows.txt").write_text("x")
    good = write(tmp_path, rows())
    for path in ("broken.parquet", "rows.txt", "missing.parquet"):
        with pytest.raises(BatchFileError):
            predict_file(tmp_path / path, tmp_path / "out.parquet", route=route, envdir=tmp_path)
    for out in (good, tmp_path / "out.xlsx"):
        with pytest.raises(UsageError):
            predict_file(good, out, route=route, envdir=tmp_path)
    assert read(good).equals(rows())


def test_times_with_an_offset_become_naive_utc(tmp_path, route):
    times = pa.array([datetime(2013, 8, 1, 12, tzinfo=UTC)] * 100, pa.timestamp("ns", tz="America/New_York"))
    predict_file(write(tmp_path, rows(at=times)), tmp_path / "out.parquet", route=route, envdir=tmp_path)
    assert set(read_predictions(tmp_path, "late")["event_time"].to_pylist()) == {datetime(2013, 8, 1, 12)}
