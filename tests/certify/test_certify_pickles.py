"""Pickles of fitted models are let in, whoever fitted them; what else a pickle may do is refused, however hidden."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from certify_real import real_evidence, results
from hypothesis import given
from hypothesis import strategies as st

from mintage.certify.pickles.allowed import is_allowed
from mintage.certify.pickles.files import Scan, ScannedFiles, scan_file

GOOD = pickle.dumps({"a": 1, "b": [1.5, None, b"x"]}, protocol=4)
RUN = b"cos\nsystem\n(S'id'\ntR."


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("id",)


def unicode(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def zipped(*entries: tuple[str, bytes], before: bytes = b"") -> bytes:
    stream = io.BytesIO()
    stream.write(before)
    with zipfile.ZipFile(stream, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two entries of one name
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def object_array(payload: bytes) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return stream.getvalue() + payload


def flipped(data: bytes) -> bytes:
    """A ZIP archive whose only entry has another byte than its checksum says."""
    place = data.index(b"\x80\x04") + 4
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


HIDDEN: dict[str, bytes] = {
    "a plain call": pickle.dumps(_Runs()),
    "the oldest protocol": RUN,
    "a name from the memo": b"\x80\x04" + unicode("os") + b"\x94" + unicode("system") + b"\x940h\x00h\x01\x93.",
    "a memo that is written over": b"\x80\x04"
    + unicode("math")
    + b"q\x010"
    + unicode("os")
    + b"q\x010h\x01"
    + unicode("system")
    + b"\x93.",
    "a name on the stack twice": b"\x80\x04" + unicode("os") + b"2\x93.",
    "a name that is computed": b"\x80\x04cbuiltins\nstr\n" + unicode("os") + b"\x85R" + unicode("system") + b"\x93.",
    "a name with dots": b"\x80\x04" + unicode("sklearn.base") + unicode("os.system") + b"\x93.",
    "INST": b"(S'id'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'id'\no.",
    "a call of what was computed": b"cbuiltins\nset\n(tR(S'id'\ntR.",
    "a class that is changed": b"cbuiltins\nobject\n}S'a'\nI1\nsb.",
    "an extension code": b"\x80\x02\x82\x01.",
    "a persistent id": b"Pid\n.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a pickle within a pickle": pickle.dumps({"inner": pickle.dumps(_Runs(), protocol=2)}),
    "a second pickle": GOOD + pickle.dumps(_Runs()),
    "bytes after the end": GOOD + b"\xff\xff",
    "a broken opcode after the payload": b"\x80\x04cos\nsystem\n(S'id'\ntR\xff.",
    "no end": GOOD[:-1],
    "an empty stack": b"\x80\x04R.",
    "a mark that is not there": b"\x80\x04t.",
    "a helper of numpy's that runs": b"cnumpy.testing._private.utils\nrunstring\n.",
    "a loader": b"cjoblib.numpy_pickle\nload\n.",
    "a part of scikit-learn that runs": b"csklearn.utils.parallel\nParallel\n.",
    "getattr": b"cbuiltins\ngetattr\n.",
    "zlib": zlib.compress(pickle.dumps(_Runs())),
    "gzip": gzip.compress(pickle.dumps(_Runs())),
    "bz2": bz2.compress(pickle.dumps(_Runs())),
    "xz": lzma.compress(pickle.dumps(_Runs())),
    "twice compressed": gzip.compress(bz2.compress(pickle.dumps(_Runs()))),
    "bytes after what is compressed": zlib.compress(GOOD) + b"x",
    "lz4": b"\x04\x22\x4d\x18" + b"\0" * 20,
    "an archive as of torch": zipped(("m/data.pkl", pickle.dumps(_Runs(), protocol=2)), ("m/data/0", b"\0" * 8)),
    "an entry with another ending": zipped(("weights.bin", pickle.dumps(_Runs()))),
    "two entries of one name": zipped(("data.pkl", GOOD), ("data.pkl", GOOD)),
    "an archive behind a pickle": zipped(("data.pkl", GOOD), before=GOOD),
    "an archive behind text": zipped(("data.pkl", GOOD), before=b"# text\n"),
    "a wrong checksum": flipped(zipped(("data.pkl", GOOD))),
    "an array of objects": object_array(pickle.dumps(_Runs())),
    "an array of objects in an archive": zipped(("arr_0.npy", object_array(pickle.dumps(_Runs())))),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_a_pickle_that_does_more_than_a_model_needs_is_refused_however_it_is_hidden(how: str) -> None:
    for name in ("model.pkl", "weights.bin"):
        if (name, how) == ("weights.bin", "a persistent id"):
            continue  # no unpickler goes beyond it, and other text begins like that
        found = scan_file(name, HIDDEN[how], sure=True)
        assert found is not None
        assert found.problems or not all(is_allowed(one) for one in found.names), found


@pytest.mark.parametrize("name", ["rows.csv", "model.joblib"])
def test_a_name_proves_nothing_for_a_pickle_of_the_new_kind(name: str) -> None:
    found = scan_file(name, pickle.dumps(_Runs(), protocol=5))
    assert found is not None and found.names == ("posix.system",)


@pytest.mark.parametrize(
    "data",
    [
        b"customer,age\n1,2\n",
        b"id,os\nsystem\n",
        b'{"a": [1, 2]}',
        b"PAR1....PAR1",
        b"",
        b".",
        b"I am a text.",
        gzip.compress(b"customer,age\n1,2\n", mtime=0),
        zipped(("xl/sheet.xml", b"<a/>")),
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(127)
        + b"\n"
        + b"\0" * 8,
    ],
)
def test_data_that_hold_no_pickle_are_none(data: bytes) -> None:
    assert scan_file("rows.dat", data) is None


def fitted() -> dict[str, Any]:
    """Fitted models of scikit-learn that pickle in different ways: arrays, trees of Cython, random states, ufuncs."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    rng = np.random.default_rng(0)
    table, labels = rng.random((80, 4)), rng.integers(0, 2, 80)
    texts = np.array([["u"], ["v"]] * 40, dtype=object)
    columns = ColumnTransformer([("text", OneHotEncoder(), [0]), ("number", StandardScaler(), [1, 2])])
    return {
        "line": make_pipeline(FunctionTransformer(np.log1p), SelectKBest(k=2), LogisticRegression()).fit(table, labels),
        "forest": RandomForestClassifier(3, random_state=np.random.RandomState(1)).fit(table, labels),
        "boosting": HistGradientBoostingClassifier(max_iter=3).fit(table, labels),
        "neighbours": KNeighborsClassifier().fit(table, labels),
        "texts": make_pipeline(columns, LogisticRegression()).fit(np.hstack([texts, table]), labels),
        "objects": [np.array(["a", None], dtype=object), np.ma.array([1]), np.float64(2), np.zeros(0), np.eye(2).T],
    }


def test_pickles_of_fitted_models_name_only_what_is_let_in() -> None:
    pytest.importorskip("sklearn")
    joblib = pytest.importorskip("joblib")
    for what, model in fitted().items():
        written = {f"{what}.pkl": [pickle.dumps(model, protocol=protocol) for protocol in (0, 2, 5)]}
        for compress in (0, ("zlib", 1), ("gzip", 1), ("bz2", 1), ("xz", 1)):
            stream = io.BytesIO()
            joblib.dump(model, stream, compress=compress)
            written.setdefault(f"{what}.joblib", []).append(stream.getvalue())
        for name, files in written.items():
            for data in files:
                found = scan_file(name, data)
                assert found is not None and not found.problems, (name, found)
                assert [one for one in found.names if not is_allowed(one)] == [], name


def test_models_of_boosting_libraries_are_let_in() -> None:
    rng = np.random.default_rng(0)
    table, labels = rng.random((60, 3)), rng.integers(0, 2, 60)
    makers: dict[str, Callable[[Any], Any]] = {
        "xgboost": lambda module: module.XGBClassifier(n_estimators=2),
        "lightgbm": lambda module: module.LGBMClassifier(n_estimators=2, verbose=-1),
        "catboost": lambda module: module.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False),
    }
    for library, make in makers.items():
        found = scan_file("m.pkl", pickle.dumps(make(pytest.importorskip(library)).fit(table, labels)))
        assert found is not None and not found.problems
        assert [one for one in found.names if not is_allowed(one)] == []


def test_what_joblib_skips_as_an_array_is_read_as_opcodes_too() -> None:
    joblib = pytest.importorskip("joblib")
    stream = io.BytesIO()
    joblib.dump(np.frombuffer(RUN.ljust(64, b"."), dtype=np.uint8), stream)
    harmless = scan_file("m.joblib", stream.getvalue())
    assert harmless is not None and harmless.names and not harmless.problems  # behind joblib's own padding: no opcodes
    bare = stream.getvalue().replace(b"numpy_array_alignment_bytes", b"another_name_as_long_as_tha")
    place = bare.index(RUN)
    padding = bare[:place].rstrip(b"\xff")
    old = padding[:-1] + bare[place:]  # as joblib before 1.2 wrote it, without padding
    found = scan_file("m.joblib", old)
    assert found is not None and "os.system" in found.names


def test_what_is_cut_off_or_changed_is_never_taken_for_less_than_it_was() -> None:
    whole = pickle.dumps(_Runs(), protocol=4)
    for end in range(len(whole)):
        found = scan_file("m.pkl", whole[:end])
        assert found is not None
        assert end == 0 or found.problems or "posix.system" in found.names


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for name in ("m.pkl", "m.zip", "rows.csv"):
        scan_file(name, data)
    scan_file("m.pkl", b"\x80\x04" + data + b".")
    scan_file("m.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(data)) + data)


def test_the_check_counts_names_that_are_not_let_in_and_a_policy_lets_in_more() -> None:
    pytest.importorskip("sklearn")
    twin = ScannedFiles(files=3, scans={"m.joblib": Scan(names=("sklearn.pipeline.Pipeline",), problems=())})
    fault = ScannedFiles(
        files=3, scans={"m.joblib": Scan(names=("shop.Ratio", "os.system"), problems=("it breaks off",))}
    )
    evidence = real_evidence("binary")
    assert results(evidence, "id: z, check: Z2")["z"].verdict == "INCONCLUSIVE"
    assert results(replace(evidence, pickles=twin), "id: z, check: Z2")["z"].verdict == "PASS"
    found = results(replace(evidence, pickles=fault), "id: z, check: Z2")["z"]
    assert (found.verdict, found.estimate) == ("FAIL", 3)
    assert "m.joblib: os.system" in found.reason and "m.joblib: it breaks off" in found.reason
    allowed = results(replace(evidence, pickles=fault), 'id: z, check: Z2, allow: ["shop.*"]')["z"]
    assert allowed.estimate == 2
