"""Labels: kept with their provenance, corrected by later ones, never lost, never used before they were known."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mintage.errors import LabelsInvalidError, UsageError
from mintage.monitor.labels import LabelsAdded, add_labels, latest_labels, parse_time, read_labels

MAY, JUNE = "2013-05-01T00:00:00Z", "2013-06-01T00:00:00Z"


def _table(**labels: object) -> pa.Table:
    return pa.table({"request_id": list(labels), "label": list(labels.values())})


def _add(folder: Path, table: pa.Table, observed_at: str = MAY, predictions: pa.Table | None = None) -> LabelsAdded:
    return add_labels(folder, "late", table, observed_at=observed_at, source="airline", predictions=predictions)


def _as_dict(table: pa.Table) -> dict[str, int]:
    return dict(zip(table["request_id"].to_pylist(), table["label"].to_pylist(), strict=True))


def test_labels_come_back_with_when_and_from_whom(tmp_path: Path) -> None:
    added = _add(tmp_path, _table(a=1, b=0))
    rows = read_labels(tmp_path, "late").to_pylist()
    assert (added.rows, added.revision, added.file) == (2, 1, "00000001.parquet")
    assert {row["source"] for row in rows} == {"airline"}
    assert rows[0]["observed_at"] == parse_time(MAY)
    assert read_labels(tmp_path, "other").num_rows == 0


def test_adding_the_same_labels_again_changes_nothing(tmp_path: Path) -> None:
    _add(tmp_path, _table(a=1, b=0))
    again = _add(tmp_path, _table(b=0, a=1), JUNE)
    assert (again.rows, again.repeated, again.file) == (0, 2, None)
    assert len(list((tmp_path / "labels" / "late").iterdir())) == 1


def test_a_correction_wins_from_the_day_on_which_it_was_known(tmp_path: Path) -> None:
    _add(tmp_path, _table(a=1, b=0))
    added = _add(tmp_path, _table(a=0), JUNE)
    everything = read_labels(tmp_path, "late")
    assert (added.corrected, added.examples["corrected"]) == (1, ("a",))
    assert everything.num_rows == 3
    assert _as_dict(latest_labels(everything, as_of=parse_time("2013-05-31"))) == {"a": 1, "b": 0}
    assert _as_dict(latest_labels(everything)) == {"a": 0, "b": 0}


def test_labels_of_the_future_are_not_known_yet(tmp_path: Path) -> None:
    _add(tmp_path, _table(a=1), JUNE)
    assert latest_labels(read_labels(tmp_path, "late"), as_of=parse_time(MAY)).num_rows == 0
    assert latest_labels(read_labels(tmp_path, "late"), as_of=parse_time(JUNE)).num_rows == 1


def test_a_table_that_contradicts_itself_keeps_its_last_word_and_says_so(tmp_path: Path) -> None:
    table = pa.table({"request_id": ["a", "a", "b", "b"], "label": [1, 0, 1, 1]})
    added = _add(tmp_path, table)
    assert (added.rows, added.contradictory, added.repeated) == (2, 1, 1)
    assert added.examples["contradictory"] == ("a",)
    assert _as_dict(read_labels(tmp_path, "late")) == {"a": 0, "b": 1}


def test_unknown_requests_are_reported_and_kept(tmp_path: Path) -> None:
    predictions = pa.table({"request_id": ["a"], "row": pa.array([0], pa.int32())})
    added = _add(tmp_path, _table(a=1, ghost=1), predictions=predictions)
    assert (added.rows, added.unknown, added.examples["unknown"]) == (2, 1, ("ghost",))
    assert read_labels(tmp_path, "late").num_rows == 2


def test_rows_of_one_request_have_labels_of_their_own(tmp_path: Path) -> None:
    _add(tmp_path, pa.table({"request_id": ["a", "a"], "row": [0, 1], "label": [True, False]}))
    assert read_labels(tmp_path, "late")["label"].to_pylist() == [1, 0]


def test_a_missing_label_is_counted_not_guessed(tmp_path: Path) -> None:
    added = _add(tmp_path, pa.table({"request_id": ["a", "b"], "label": [1.0, None]}))
    assert (added.rows, added.without_label) == (1, 1)
    assert _add(tmp_path, _table(b=None)).file is None


@pytest.mark.parametrize(
    "table",
    [
        _table(a=2),
        _table(a=0.5),
        _table(a="yes"),
        pa.table({"label": [1]}),
        pa.table({"request_id": [None], "label": [1]}),
        pa.table({"request_id": ["a"], "row": [None], "label": [1]}),
    ],
)
def test_what_is_no_label_is_refused_and_nothing_is_stored(tmp_path: Path, table: pa.Table) -> None:
    with pytest.raises(LabelsInvalidError):
        _add(tmp_path, table)
    assert read_labels(tmp_path, "late").num_rows == 0


def test_labels_need_a_source_a_time_and_a_proper_model_name(tmp_path: Path) -> None:
    with pytest.raises(LabelsInvalidError):
        add_labels(tmp_path, "late", _table(a=1), observed_at=MAY, source="")
    with pytest.raises(LabelsInvalidError):
        _add(tmp_path, _table(a=1), "yesterday")
    with pytest.raises(UsageError):
        add_labels(tmp_path, "../late", _table(a=1), observed_at=MAY, source="airline")


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    tables = [_table(**{f"w{writer}-{row}": row % 2 for row in range(5)}) for writer in range(8)]
    threads = [threading.Thread(target=_add, args=(tmp_path, table)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_labels(tmp_path, "late").num_rows == 40
    assert sorted(set(read_labels(tmp_path, "late")["revision"].to_pylist())) == list(range(1, 9))


def test_a_damaged_file_of_labels_is_named(tmp_path: Path) -> None:
    _add(tmp_path, _table(a=1))
    path = tmp_path / "labels" / "late" / "00000001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LabelsInvalidError) as caught:
        read_labels(tmp_path, "late")
    assert caught.value.where == str(path)


def test_a_crash_before_publishing_leaves_no_label_behind(tmp_path: Path) -> None:
    _add(tmp_path, _table(a=1))
    folder = tmp_path / "labels" / "late"
    pq.write_table(pa.table({"x": [1]}), folder / ".tmp-0123456789abcdef")
    assert read_labels(tmp_path, "late").num_rows == 1
