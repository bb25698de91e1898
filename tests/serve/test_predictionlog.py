import math
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.errors import LogInvalidError, LogUnavailableError
from mintage.serve.logwriter import LogWriter, recover
from mintage.serve.predictionlog import Entry, compact, decode_entry, encode_entry, read_predictions, spool_dir
from mintage.serve.spool import Segment, read_segment, segments

ROOT, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NOON = 1_383_307_200_000_000  # 2013-11-01T12:00:00Z in microseconds
DAY = 86_400_000_000


def entry(request_id="r", *, root=ROOT, ts=NOON, rows=1, model="late", numbers=None, texts=None, event_time=None):
    return Entry(
        version=0,
        request_id=request_id,
        model=model,
        root=root,
        variant="champion",
        source="http",
        ts=ts,
        event_time=event_time,
        latency_us=90,
        scores=[0.25] * rows,
        labels=[0] * rows,
        numbers={"x": [1.5] * rows} if numbers is None else numbers,
        texts={"name": ["a"] * rows} if texts is None else texts,
    )


def spool(envdir, *entries):
    segment = Segment(spool_dir(envdir))
    for one in entries:
        segment.append(encode_entry(one))
    segment.close()
    return segment.path


def ids(table):
    return table["request_id"].to_pylist()


def test_an_entry_becomes_rows_with_every_column_of_the_format(tmp_path):
    sent = entry("r-1", rows=2, numbers={"x": [math.nan, 2.0]}, texts={"name": [None, "b"]}, event_time=NOON - 5)
    compact(spool(tmp_path, sent), tmp_path)
    (path,) = (tmp_path / "predictions" / "late" / "2013-11-01").glob("*.parquet")
    with pq.ParquetFile(path) as file:
        table = file.read()
    assert table.schema.names[-2:] == ["f.x", "f.name"]
    assert table.to_pylist()[0] == {
        "request_id": "r-1",
        "row": 0,
        "ts": datetime(2013, 11, 1, 12, tzinfo=UTC),
        "event_time": datetime(2013, 11, 1, 11, 59, 59, 999995),
        "model_root": ROOT,
        "variant": "champion",
        "source": "http",
        "score": 0.25,
        "label": 0,
        "latency_us": 90,
        "f.x": None,
        "f.name": None,
    }
    assert table.slice(1).to_pylist()[0] | {"row": 1, "f.x": 2.0, "f.name": "b"} == table.slice(1).to_pylist()[0]
    assert table.schema.field("row").type == pa.int32()
    assert table.schema.field("event_time").type == pa.timestamp("us")


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=10))
def test_what_is_spooled_is_read_back_with_the_same_bits(value, text):
    sent = entry("r", numbers={"x": [value]}, texts={"name": [text]})
    assert decode_entry(encode_entry(sent)) == sent


def test_the_reader_sees_spooled_and_compacted_predictions_once(tmp_path):
    first = spool(tmp_path, entry("a"), entry("b", ts=NOON + DAY))
    kept = first.read_bytes()
    spool(tmp_path, entry("c", ts=NOON + 2))
    assert ids(read_predictions(tmp_path, "late")) == ["a", "c", "b"]
    compact(first, tmp_path)
    assert ids(read_predictions(tmp_path, "late")) == ["a", "c", "b"]
    first.write_bytes(kept)  # as if the process had died between publishing and deleting
    assert ids(read_predictions(tmp_path, "late")) == ["a", "c", "b"]
    assert recover(tmp_path) == []
    assert ids(read_predictions(tmp_path, "late")) == ["a", "c", "b"]
    assert segments(spool_dir(tmp_path)) == []


def test_the_reader_bounds_by_time_root_and_model(tmp_path):
    spool(tmp_path, entry("a"), entry("b", ts=NOON + DAY, root=OTHER), entry("z", model="other"))
    for _ in range(2):
        start, end = datetime(2013, 11, 1, 12, tzinfo=UTC), datetime(2013, 11, 2, 12, tzinfo=UTC)
        assert ids(read_predictions(tmp_path, "late", since=start, until=end)) == ["a"]
        assert ids(read_predictions(tmp_path, "late", since=end)) == ["b"]
        assert ids(read_predictions(tmp_path, "late", root=OTHER)) == ["b"]
        assert ids(read_predictions(tmp_path, "other")) == ["z"]
        recover(tmp_path)


def test_no_predictions_is_an_empty_table_with_the_columns(tmp_path):
    table = read_predictions(tmp_path, "late")
    assert table.num_rows == 0
    assert "score" in table.column_names


def test_inputs_that_came_later_are_null_before_and_a_changed_type_is_refused(tmp_path):
    spool(tmp_path, entry("a"), entry("b", ts=NOON + 1, root=OTHER, numbers={"x": [1.0], "new": [2.0]}))
    assert read_predictions(tmp_path, "late")["f.new"].to_pylist() == [None, 2.0]
    spool(tmp_path, entry("c", root="sha256:" + "c" * 64, numbers={}, texts={"x": ["one"]}))
    with pytest.raises(LogInvalidError):
        read_predictions(tmp_path, "late")


def test_a_torn_last_line_is_not_a_line_and_a_flipped_bit_loses_only_its_own(tmp_path):
    path = spool(tmp_path, entry("a"), entry("b"), entry("c"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert [decode_entry(payload).request_id for payload in read_segment(path)] == ["a", "b"]
    lines = whole.split(b"\n")
    lines[1] = lines[1].replace(b'"b"', b'"x"')
    path.write_bytes(b"\n".join(lines))
    (problem,) = recover(tmp_path)
    assert "1 damaged" in problem
    assert ids(read_predictions(tmp_path, "late")) == ["a", "c"]
    assert (spool_dir(tmp_path) / "damaged" / path.name).exists()


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(0, 7))
def test_any_flipped_bit_of_the_spool_loses_at_most_two_entries_and_invents_none(tmp_path_factory, at, bit):
    folder = tmp_path_factory.mktemp("spool")
    path = spool(folder, *(entry(f"id-{i}") for i in range(10)))
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)
    found = [decode_entry(payload) for payload in read_segment(path) if payload is not None]
    assert len(found) >= 8
    assert {one.request_id for one in found} <= {f"id-{i}" for i in range(10)}


def test_a_corrupt_parquet_file_is_named(tmp_path):
    compact(spool(tmp_path, entry()), tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(LogInvalidError) as caught:
        read_predictions(tmp_path, "late")
    assert caught.value.where == str(path)


def test_the_writer_loses_nothing_over_many_flushes_and_leaves_an_empty_spool(tmp_path):
    writer = LogWriter(tmp_path, flush_s=0.01, flush_rows=50, sync_s=0.005)
    for i in range(3000):
        writer.append(encode_entry(entry(f"{i:05}")), 1)
        if i % 500 == 0:
            assert read_predictions(tmp_path, "late").num_rows == i + 1
    writer.close()
    assert sorted(ids(read_predictions(tmp_path, "late"))) == [f"{i:05}" for i in range(3000)]
    assert segments(spool_dir(tmp_path)) == []
    assert not list(tmp_path.rglob(".tmp-*"))


APPENDER = """
import sys
from pathlib import Path
from mintage.serve.logwriter import LogWriter
from mintage.serve.predictionlog import Entry, encode_entry
writer = LogWriter(Path(sys.argv[1]), flush_s=0.02, sync_s=0.01)
for i in range(10**9):
    root = "sha256:" + "a" * 64
    entry = Entry(0, str(i), "late", root, "champion", "http", 1383307200000000, None, 9, [0.5], [1], {}, {})
    writer.append(encode_entry(entry), 1)
    print(i, flush=True)
"""


def test_kill_9_loses_no_acknowledged_prediction(tmp_path):
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", APPENDER, str(tmp_path)], stdout=subprocess.PIPE) as process:
            printed = b"".join(process.stdout.readline() for _ in range(2000))
            os.kill(process.pid, signal.SIGKILL)
            printed += process.stdout.read()
        acknowledged = int(printed[: printed.rindex(b"\n")].split(b"\n")[-1])
        recover(tmp_path)
        found = sorted(map(int, ids(read_predictions(tmp_path, "late"))))
        assert found[: acknowledged + 1] == list(range(acknowledged + 1))
        assert len(found) <= acknowledged + 2
        for path in tmp_path.rglob("*.parquet"):
            path.unlink()


def test_a_disk_that_takes_no_more_refuses_the_prediction_and_keeps_what_was_logged(tmp_path):
    script = """
import resource, signal, sys
from pathlib import Path
from mintage.errors import LogUnavailableError
from mintage.serve.spool import Segment
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1020, 1020))
segment = Segment(Path(sys.argv[1]))
for i in range(100):
    try:
        segment.append(b"%03d" % i + b"x" * 97)
    except OSError:
        print(i)
        break
segment.append(b"after")
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    (path,) = segments(tmp_path)
    payloads = list(read_segment(path))
    assert None not in payloads
    assert len(payloads) == int(done.stdout) + 1
    assert payloads[-1] == b"after"


def test_an_append_to_a_spool_that_is_gone_says_so(tmp_path):
    writer = LogWriter(tmp_path)
    descriptor = writer._segment._descriptor
    spare = os.dup(descriptor)
    os.close(descriptor)
    with pytest.raises(LogUnavailableError):
        writer.append(b"x", 1)
    os.dup2(spare, descriptor)
    os.close(spare)
    writer.close()
