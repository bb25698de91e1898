import math
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.database.connection import open_database
from mintage.tracking.runs import Artifact, Metric, RunStore

T = "2026-01-01T00:00:{:02}Z"


class Book:
    """A run store with its audit entries kept in a list."""

    def __init__(self, path, *, refuse=()):
        self.entries = []
        self.refuse = refuse
        self.connection = open_database(path)
        self.runs = RunStore(self.connection, self._audit)

    def _audit(self, action, resource, details):
        if action in self.refuse:
            raise RuntimeError("the log is full")
        self.entries.append((action, resource, details))

    def start(self, name, *, second=0, **params):
        self.runs.start(
            run_id=name,
            kind="pipeline",
            name="p",
            commit_id="c" * 40,
            started=T.format(second),
            actor="me",
            params=params,
        )


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "m.db")
    yield made
    made.connection.close()


def test_a_run_is_a_row_from_its_start_to_its_end(book):
    book.start("r1", depth=3, names=["a", "b"], nested=None)
    assert [(row.id, row.status, row.finished) for row in book.runs.list_runs()] == [("r1", "running", None)]
    book.runs.finish("r1", status="finished", finished=T.format(9), record="b3:1")
    row = book.runs.list_runs()[0]
    assert (row.status, row.finished, row.record, row.actor) == ("finished", T.format(9), "b3:1", "me")
    assert book.runs.params_of("r1") == {"depth": 3, "names": ["a", "b"], "nested": None}


def test_each_change_has_its_entry_in_the_audit_log(book):
    book.start("r1")
    book.runs.finish("r1", status="failed", finished=T.format(9), record="b3:1")
    assert [(action, resource) for action, resource, _ in book.entries] == [("run.start", "r1"), ("run.finish", "r1")]
    assert book.entries[1][2] == {"status": "failed", "record": "b3:1"}


def test_what_the_audit_log_refuses_did_not_happen(tmp_path):
    book = Book(tmp_path / "m.db", refuse=("run.start",))
    with pytest.raises(RuntimeError):
        book.start("r1")
    assert book.runs.list_runs() == []
    book.refuse = ("run.finish",)
    book.start("r1")
    with pytest.raises(RuntimeError):
        book.runs.finish("r1", status="finished", finished=T.format(9), record=None)
    assert book.runs.list_runs()[0].status == "running"
    book.connection.close()


def test_runs_that_were_cut_off_are_closed_once(book):
    for second, name in enumerate(["r1", "r2", "r3"]):
        book.start(name, second=second)
    book.runs.finish("r2", status="finished", finished=T.format(9), record=None)
    assert sorted(book.runs.close_interrupted(finished=T.format(10))) == ["r1", "r3"]
    assert book.runs.close_interrupted(finished=T.format(11)) == []
    assert {row.id: row.status for row in book.runs.list_runs()} == {
        "r1": "interrupted",
        "r2": "finished",
        "r3": "interrupted",
    }


def test_the_newest_runs_come_first_also_within_one_second(book):
    for name, second in (("r1", 1), ("r3", 3), ("r2", 2), ("r4", 3)):
        book.start(name, second=second)
    assert [row.id for row in book.runs.list_runs()] == ["r4", "r3", "r2", "r1"]
    assert [row.id for row in book.runs.list_runs(limit=1)] == ["r4"]


def test_of_a_metric_the_last_step_counts_and_nan_is_kept(book):
    book.start("r1")
    metrics = [Metric(stage="s", key="loss", value=value, step=step) for step, value in ((2, 0.5), (0, 0.9), (1, 0.7))]
    metrics.append(Metric(stage="s", key="odd", value=math.nan))
    book.runs.log_stage("r1", metrics=metrics, artifacts=[], at=T.format(1))
    found = book.runs.metrics_of("r1")
    assert found["loss"] == 0.5 and math.isnan(found["odd"])


def test_a_stage_of_an_unknown_run_is_refused_whole(book):
    metric, artifact = Metric(stage="s", key="k", value=1.0), Artifact(stage="s", path="p", digest="b3:1", size=1)
    with pytest.raises(sqlite3.IntegrityError):
        book.runs.log_stage("nobody", metrics=[metric], artifacts=[artifact], at=T.format(1))
    assert book.connection.execute("SELECT count(*) FROM metrics").fetchone() == (0,)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y.z"]), st.floats(), st.integers(0, 2**40)),
        max_size=20,
    )
)
@settings(max_examples=40)
def test_what_is_logged_is_read_back_to_the_last_bit(rows):
    connection = open_database(Path(":memory:"))
    runs = RunStore(connection, lambda *_: None)
    runs.start(run_id="r", kind="k", name="n", commit_id="", started="", actor="", params={})
    metrics = [Metric(stage=stage, key=key, value=value, step=step) for stage, key, value, step in rows]
    artifacts = [Artifact(stage="s", path=f"{place}", digest="b3:1", size=row[3]) for place, row in enumerate(rows)]
    runs.log_stage("r", metrics=metrics, artifacts=artifacts, at="")
    found = runs.metrics_of("r")
    for key in {row[1] for row in rows}:
        last = max((row for row in enumerate(rows) if row[1][1] == key), key=lambda row: (row[1][3], row[0]))[1][2]
        assert found[key] == last or (math.isnan(found[key]) and math.isnan(last))
    assert sorted(map(str, runs.artifacts_of("r"))) == sorted(map(str, artifacts))
    connection.close()
