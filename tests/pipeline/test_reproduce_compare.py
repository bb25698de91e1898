"""How near two outputs are: each writer's stamps seen through, each real difference found."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.pipeline.reproduce.compare import LEVELS, compare, reaches, worst
from mintage.pipeline.reproduce.environment import likeness
from mintage.pipeline.reproduce.verdict import what_differs


def near(path, old, new, tolerance=1e-6):
    return compare(path, old, new, tolerance=tolerance)


def zipped(members, when):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (when, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def parquet(values, compression="zstd"):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": values, "name": ["a"] * len(values)}), buffer, compression=compression)
    return buffer.getvalue()


def npy(values):
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values))
    return buffer.getvalue()


SVG = b'<svg><dc:date>%s</dc:date><clipPath id="%s"/><path clip-path="url(#%s)" d="M 1 2"/></svg>'
LIGHTGBM = b"tree\nversion=v4\nleaf_value=0.25\n\nparameters:\n[num_threads: %d]\nend of parameters\n"
PAIRS = {
    "m.json": (b'{"a": 1, "b": [2.5, null]}', b'{"b":[2.5,null],"a":1}'),
    "m.jsonl": (b'{"a": 1}\n{"a": 2}\n', b'{"a":1}\n{"a":2}'),
    "t.csv": (b"a,b\n1,0.50\n", b'"a","b"\r\n1,0.5\r\n'),
    "t.csv.gz": (gzip.compress(b"a\n1\n", mtime=1), gzip.compress(b"a\n1\n", mtime=2)),
    "t.parquet": (parquet([1.5, None]), parquet([1.5, None], "snappy")),
    "m.skops": (
        zipped({"schema.json": b'{"a": 1}', "x.npy": npy([1.0])}, 1990),
        zipped({"schema.json": b'{"a": 1}', "x.npy": npy([1.0])}, 2020),
    ),
    "p.svg": (SVG % (b"1", b"pa1", b"pa1"), SVG % (b"2", b"q9", b"q9")),
    "m.txt": (LIGHTGBM % 1, LIGHTGBM % 4),
}
WRONG = {
    "m.json": b'{"a": 1, "b": [2.6, null]}',
    "m.jsonl": b'{"a": 1}\n',
    "t.csv": b"a,b\n1,0.51\n",
    "t.csv.gz": gzip.compress(b"a\n2\n", mtime=1),
    "t.parquet": parquet([1.5, 1.5]),
    "m.skops": zipped({"schema.json": b'{"a": 1}', "x.npy": npy([1.1])}, 1990),
    "p.svg": (SVG % (b"1", b"pa1", b"pa1")).replace(b"M 1 2", b"M 1 3"),
    "m.txt": (LIGHTGBM % 1).replace(b"0.25", b"0.26"),
}


@pytest.mark.parametrize("path", PAIRS)
def test_the_same_content_written_differently_is_canonical(path) -> None:
    old, new = PAIRS[path]
    assert near(path, old, old).level == "identical"
    assert near(path, old, new).level == "canonical"


@pytest.mark.parametrize("path", PAIRS)
def test_other_content_is_different_and_says_what(path) -> None:
    found = near(path, PAIRS[path][0], WRONG[path])
    assert found.level == "different"
    assert found.detail


@pytest.mark.parametrize("path", PAIRS)
def test_what_cannot_be_read_is_compared_by_its_bytes(path) -> None:
    assert near(path, b"\x00\xff", b"\x00\xfe").level == "different"
    assert near(path, PAIRS[path][0], PAIRS[path][0][:5]).level == "different"


def test_numbers_within_the_tolerance_are_near_and_beyond_it_different() -> None:
    old = b'{"auc": 0.5, "rows": 3}'
    assert near("m.json", old, b'{"auc": 0.5000001, "rows": 3}').level == "tolerance"
    assert near("m.json", old, b'{"auc": 0.5000001, "rows": 3}', tolerance=1e-9).level == "different"
    assert near("m.json", old, b'{"auc": 0.5000001, "rows": 4}').detail == "rows: 3 -> 4"


@pytest.mark.parametrize("special", ["NaN", "Infinity", "-Infinity"])
def test_values_that_are_not_finite_equal_themselves_only(special) -> None:
    old = json.dumps({"a": float(special.lower())}).encode()
    assert near("m.json", old, b" " + old).level == "canonical"
    assert near("m.json", old, b'{"a": 1.0}').level == "different"


def test_arrays_say_how_many_numbers_differ_and_by_how_much() -> None:
    old = npy([1.0, np.nan, 3.0, np.inf])
    assert near("a.npy", old, npy([1.0, np.nan, 3.0 + 1e-9, np.inf])).level == "tolerance"
    found = near("a.npy", old, npy([1.0, np.nan, 3.5, np.inf]))
    assert (found.level, found.detail) == ("different", "1 of 4 numbers differ, by up to 0.5")
    assert near("a.npy", old, npy([1.0, np.nan, 3.0])).level == "different"
    assert near("a.npy", old, npy([1.0, 2.0, 3.0, np.inf])).level == "different"


def test_true_is_not_one_and_text_is_not_a_number() -> None:
    assert near("m.json", b'{"a": true}', b'{"a": 1}').level == "different"
    assert near("m.json", b'{"a": "1"}', b'{"a": 1}').level == "different"


def test_a_pickle_is_never_opened(tmp_path) -> None:
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "opened"), "w"))

    for path in ("m.pkl", "m.npy", "m.npz", "m.joblib"):
        assert near(path, pickle.dumps(Bomb()), pickle.dumps(3)).level == "different"
    assert not (tmp_path / "opened").exists()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=True) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_comparing_is_the_same_both_ways_and_never_fails(old, new) -> None:
    first, second = json.dumps(old).encode(), json.dumps(new).encode()
    assert near("m.json", first, second).level == near("m.json", second, first).level
    assert near("m.json", first, json.dumps(old, indent=1).encode()).level in ("identical", "canonical")


def test_levels_are_ordered_from_the_best_to_the_worst() -> None:
    assert worst([]) == "identical"
    assert worst(LEVELS) == "different"
    assert [reaches(level, "canonical") for level in LEVELS] == [True, True, False, False]


def test_environments_are_the_same_by_key_then_by_versions_without_installers() -> None:
    old = {"python": "3.11.7", "packages": [{"name": "numpy", "version": "2", "record": "a"}]}
    new = {
        "python": "3.11.7",
        "packages": [{"name": "numpy", "version": "2", "record": "b"}, {"name": "pip", "version": "24"}],
    }
    assert likeness(old, new, key="k", found_key="k") == "same"
    assert likeness(old, new, key="k", found_key="l") == "same versions"
    assert likeness(old, {**new, "python": "3.12.1"}, key="k", found_key="l") == "another"
    assert likeness(None, new, key="k", found_key="l") == "unknown"


def test_machines_differ_by_the_facts_that_both_tell() -> None:
    old = {"processor": "A", "vector": ["avx2", "avx512f"], "memory_bytes": 1}
    new = {"processor": "B", "vector": ["avx2"], "memory_bytes": 2, "libc": "glibc 2.36"}
    assert what_differs(old, new, skip=("memory_bytes",)) == ("processor: A -> B", "vector: without avx512f")
