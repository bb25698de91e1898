"""What was parsed is kept by content and by code: nothing that changed is taken from an old file."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mintage.errors import FileMalformedError
from mintage.repo.parsed import parsed
from mintage.repo.project import parse_project
from mintage.repo.workspace import Workspace

PROJECT = b"""
project: p
python: /usr/bin/python3
params: {rate: 0.5, deep: {a: [1, 2.0, true, null, "x"]}}
stages:
  fetch: {run: [curl, "a b"], out: [raw.csv], network: true, secrets: [TOKEN], retry: {max: 2, on: [timeout, 7]}}
  fit:
    sh: "python fit.py ${matrix.depth} > ${out.log}"
    matrix: {depth: [4, 6], exclude: [{depth: 6}]}
    in: [raw.csv]
    out: {log: "logs/${matrix.depth}.txt", model: "m/${matrix.depth}.pkl"}
    args: {rate: 1, scale: 1.0, name: x}
    determinism: off
    resources: {cpu: 2, memory_gib: 0.5}
models: {churn: {from: m/4.pkl, target: [a, b]}}
environments: {live: {port: 8123}}
schedule: {nightly: {cron: "@daily", timezone: UTC, stages: [fit]}}
"""


class Counted:
    """A parser that counts how often it is called."""

    def __init__(self, value: Any) -> None:
        self.value, self.calls = value, 0

    def __call__(self) -> Any:
        self.calls += 1
        return self.value


def test_the_same_bytes_are_parsed_once(tmp_path: Path) -> None:
    parse = Counted({"a": [1, 1.0, True, None, "x"]})
    found = [parsed(tmp_path / "k", b"1", shape=dict[str, Any], parse=parse, by=[]) for _ in range(3)]
    assert (found, parse.calls) == ([parse.value] * 3, 1)
    assert [type(each) for each in found[2]["a"]] == [int, float, bool, type(None), str]


def test_other_bytes_are_parsed_again(tmp_path: Path) -> None:
    def read(data: bytes) -> int:
        return parsed(tmp_path / "k", data, shape=int, parse=lambda: int(data), by=[])

    assert [read(b"1"), read(b"2"), read(b"1")] == [1, 2, 1]


@pytest.mark.parametrize("edited", ["reader.py", "rules/one.py"])
def test_another_version_of_the_code_that_parses_parses_again(tmp_path: Path, edited: str) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("reader.py", "rules/one.py", "rules/notes.txt"):
        (tmp_path / name).write_text("1")
    by = [str(tmp_path / "reader.py"), str(tmp_path / "rules")]
    parse = Counted(7)
    for _ in range(2):
        parsed(tmp_path / "k", b"", shape=int, parse=parse, by=by)
    assert parse.calls == 1
    before = (tmp_path / edited).stat()
    (tmp_path / edited).write_text("2")
    os.utime(tmp_path / edited, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    parsed(tmp_path / "k", b"", shape=int, parse=parse, by=by)
    assert parse.calls == 2


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut": lambda data: data[:-1],
    "zeros at its end": lambda data: data[:-4] + b"\0" * 4,
    "one line": lambda data: data.replace(b"\n", b" "),
    "another byte": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_there(tmp_path: Path, damage: str) -> None:
    parse = Counted(["some", "words"])
    parsed(tmp_path / "k", b"", shape=list[str], parse=parse, by=[])
    (tmp_path / "k").write_bytes(DAMAGES[damage]((tmp_path / "k").read_bytes()))
    assert parsed(tmp_path / "k", b"", shape=list[str], parse=parse, by=[]) == ["some", "words"]
    assert parse.calls == 2


@pytest.mark.parametrize("value", [math.nan, datetime.date(2026, 1, 2), 1 << 70, (1, 2), {"a": {1}}], ids=repr)
def test_a_value_that_would_come_back_as_another_is_not_kept(tmp_path: Path, value: Any) -> None:
    parse = Counted([value])
    for _ in range(2):
        assert parsed(tmp_path / "k", b"", shape=list[Any], parse=parse, by=[]) is parse.value
    assert parse.calls == 2


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert parsed(tmp_path / "file" / "k", b"", shape=int, parse=lambda: 3, by=[]) == 3


def test_a_project_comes_back_as_it_was_parsed(tmp_path: Path) -> None:
    keep = tmp_path / "parsed" / "mintage.yaml"
    first, there = parse_project(PROJECT, where="first", keep=keep), keep.stat()
    again = parse_project(PROJECT, where="again", keep=keep)
    assert again is not first
    assert again == first
    assert repr(again) == repr(first)  # 1 is not 1.0, nor True
    assert keep.stat().st_ino == there.st_ino  # it was not written again


def test_an_error_is_told_each_time_with_its_place(tmp_path: Path) -> None:
    text = b"project: p\nstages: {a: {run: x, out: [a]}}\nmodels:\n  m: {from: b}\n"
    for _ in range(2):
        with pytest.raises(FileMalformedError) as caught:
            parse_project(text, where="mintage.yaml", keep=tmp_path / "k")
        assert caught.value.where == "mintage.yaml:4:3"
        with pytest.raises(FileMalformedError, match="unknown key"):
            parse_project(text.replace(b"out:", b"ouut:"), where="mintage.yaml", keep=tmp_path / "k")


def test_an_edit_of_the_same_size_in_the_same_tick_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "mintage.yaml"
    workspace = Workspace(tmp_path)
    workspace.prepare()
    for name in ("aa", "bb", "aa"):
        path.write_text(f"project: {name}\n")
        os.utime(path, ns=(1, 1))
        assert workspace.project().project == name


def test_looking_at_a_folder_that_is_no_workspace_yet_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mintage.yaml").write_text("project: p\n")
    Workspace(tmp_path).project()
    assert [path.name for path in tmp_path.iterdir()] == ["mintage.yaml"]


def test_a_model_file_comes_back_as_it_was_parsed_and_an_edit_counts(tmp_path: Path) -> None:
    text = """
model: churn
task: binary
target: left
purpose: tests
owner: t@example.org
inputs:
  age: {type: int, range: [0, 120], mutable: false}
  plan: {type: string, categories: [a, b]}
data: {train: train.csv, validation: valid.csv}
costs: {retrain: {cloud: 3}, loss_unit: 2}
impossible: ["plan == 'a' and age < 18"]
"""
    (tmp_path / "mintage.yaml").write_text(
        "project: p\nstages: {s: {run: x, out: [m.pkl]}}\nmodels: {churn: {from: m.pkl}}\n"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models/churn.yaml").write_text(text)
    first = Workspace(tmp_path).model_spec("churn")
    Workspace(tmp_path).prepare()
    kept, again = (Workspace(tmp_path).model_spec("churn") for _ in range(2))
    assert first == kept == again
    assert repr(first) == repr(again)
    assert again.conditions == first.conditions
    assert (tmp_path / ".mintage/parsed/model-churn.yaml").is_file()
    (tmp_path / "models/churn.yaml").write_text(text.replace("120", "130"))
    assert Workspace(tmp_path).model_spec("churn").inputs["age"].range == (0, 130)
