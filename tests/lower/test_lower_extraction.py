"""The process that opens an estimator, the files it reads and writes, and what is refused of them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mintage.errors import DescriptionInvalidError, EstimatorRefusedError
from mintage.lower import description
from mintage.lower.description import read_description
from mintage.lower.extract.main import main as extract_estimator
from mintage.lower.extract.rows import read_rows
from mintage.lower.extraction import dialogue_command, extraction_command, read_native, write_rows


def columns() -> dict[str, Any]:
    text = np.empty(4, dtype=object)
    text[:] = ["Zürich ✈", None, "", "a\x00b"]
    return {"x": np.array([1.0, np.nan, -0.0, np.inf]), "s": text}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fitted") / "model.joblib"
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 2))
    joblib.dump(LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int)), path)
    return path


@pytest.fixture
def opened(fitted: Path, tmp_path: Path) -> Path:
    rows = write_rows({"a": np.array([0.5, -1.0, np.nan]), "b": np.zeros(3)}, tmp_path)
    assert extract_estimator([str(fitted), str(rows), str(tmp_path / "out")]) == 0
    return tmp_path / "out"


def test_rows_survive_the_file_they_are_written_to(tmp_path: Path) -> None:
    meta, found = read_rows(write_rows(columns(), tmp_path))
    assert meta == [{"name": "x", "kind": "number"}, {"name": "s", "kind": "text"}]
    assert found["s"] == columns()["s"].tolist()
    assert np.array_equal(found["x"], columns()["x"], equal_nan=True)


def test_the_script_runs_alone_without_mintage(fitted: Path, tmp_path: Path) -> None:
    rows = write_rows({"a": np.array([0.5, np.nan]), "b": np.zeros(2)}, tmp_path)
    command = extraction_command(fitted, rows, tmp_path / "out", python=sys.executable)
    assert command[1] == "-I"
    script = (
        "import runpy, sys; sys.modules['mintage'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run([*command[:2], "-c", script, *command[2:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    native = read_native(tmp_path / "out", rows=2, width=2, targets=1)
    assert native.failed.tolist() == [False, True]
    assert np.isnan(native.values[1, 1])
    assert native.messages[0][0] == 1
    assert read_description(tmp_path / "out").classes == ((0, 1),)


def test_two_extractions_are_the_same_bytes(fitted: Path, opened: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert extract_estimator([str(fitted), str(opened.parent / "rows.npz"), str(again)]) == 0
    for name in ("estimator.json", "estimator.npz", "native.json", "native.npz"):
        assert (again / name).read_bytes() == (opened / name).read_bytes()


def test_one_process_answers_several_requests_as_several_processes_would(
    fitted: Path, opened: Path, tmp_path: Path
) -> None:
    outs = [tmp_path / "first", tmp_path / "second"]
    requests = "".join(json.dumps([str(opened.parent / "rows.npz"), str(out)]) + "\n" for out in outs)
    command = dialogue_command(fitted, python=sys.executable)
    done = subprocess.run(command, input=requests, capture_output=True, text=True, check=True)
    assert done.stdout == "done\ndone\n"
    for out in outs:
        for name in ("estimator.json", "estimator.npz", "native.json", "native.npz"):
            assert (out / name).read_bytes() == (opened / name).read_bytes()


def test_a_file_that_prints_while_it_is_opened_is_refused_and_does_not_pass_for_an_answer(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"cbuiltins\nprint\n(Vdone\ntR.")  # a pickle that calls print("done")
    rows = write_rows({"a": np.zeros(1)}, tmp_path)
    done = subprocess.run(
        dialogue_command(tmp_path / "model.joblib", python=sys.executable),
        input=json.dumps([str(rows), str(tmp_path / "out")]) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "done\n"
    assert "done\n" in done.stderr
    with pytest.raises(EstimatorRefusedError):
        read_description(tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"not a pickle", b"\x80\x04cnowhere\nThing\n."])
def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.joblib").write_bytes(data)
    rows = write_rows({"a": np.zeros(1)}, tmp_path)
    assert extract_estimator([str(tmp_path / "model.joblib"), str(rows), str(tmp_path / "out")]) == 3
    assert capsys.readouterr().err
    with pytest.raises(EstimatorRefusedError) as caught:
        read_description(tmp_path / "out")
    assert caught.value.hint


def test_wrong_arguments_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert extract_estimator([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"kind": "other"},
        {"classes": [0]},
        {"inputs": []},
        {"extra": 1},
        {"estimator": {"$": "array", "ref": "nowhere"}},
        {"estimator": {"$": "unheard of"}},
        {"estimator": {"no": "tag"}},
        {"inputs": [{"name": "a", "kind": "number"}, {"name": "a", "kind": "number"}]},
    ],
)
def test_a_description_that_does_not_fit_is_refused(change: dict[str, Any], opened: Path) -> None:
    file = opened / "estimator.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(DescriptionInvalidError):
        read_description(opened)


def test_deep_nesting_is_refused_and_not_followed(opened: Path) -> None:
    file = opened / "estimator.json"
    value: Any = 1
    for _ in range(200):
        value = [value]
    file.write_text(json.dumps({**json.loads(file.read_text()), "estimator": value}))
    with pytest.raises(DescriptionInvalidError):
        read_description(opened)


def test_arrays_that_need_pickle_or_would_grow_too_large_are_refused(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(opened / "estimator.npz", a0=np.array([{}], dtype=object))
    with pytest.raises(DescriptionInvalidError):
        read_description(opened)
    with zipfile.ZipFile(opened / "estimator.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a0.npy", b"\x00" * 200_001)
    monkeypatch.setattr(description, "MAX_BYTES", 200_000)
    with pytest.raises(DescriptionInvalidError, match="too large"):
        read_description(opened)
    (opened / "estimator.npz").write_bytes(b"no zip")
    with pytest.raises(DescriptionInvalidError):
        read_description(opened)
    (opened / "estimator.npz").unlink()
    with pytest.raises(DescriptionInvalidError):
        read_description(opened)


def test_answers_to_another_number_of_rows_are_refused(opened: Path) -> None:
    assert read_native(opened, rows=3, width=2, targets=1).failed.tolist() == [False, False, True]
    with pytest.raises(DescriptionInvalidError):
        read_native(opened, rows=4, width=2, targets=1)
    (opened / "native.json").unlink()
    with pytest.raises(DescriptionInvalidError):
        read_native(opened, rows=3, width=2, targets=1)
