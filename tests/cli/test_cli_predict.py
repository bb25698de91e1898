"""``mintage predict`` and ``mintage serve`` right after `run`: nothing is released, the model of the lock answers."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import socket
import subprocess
import urllib.request

import pyarrow.parquet as pq
import pytest

from mintage.cli.predict_words import read_words
from mintage.errors import UsageError
from small_project import MINTAGE, SmallProject, visits

HEAD = "visit,pages,minutes\n"


@pytest.fixture(scope="module")
def built(_fresh, tmp_path_factory) -> SmallProject:
    """A project whose one model was built, and nothing more."""
    project = _fresh.copy_to(tmp_path_factory.mktemp("built") / "project")
    project.run("run")
    return project


@pytest.fixture(scope="module")
def rows(built):
    """The first visits as CSV."""
    lines = [f"{row['visit']},{row['pages']},{row['minutes']}" for row, _ in zip(visits(), range(5), strict=False)]
    text = HEAD + "\n".join(lines) + "\n"
    built.write("rows.csv", text)
    return text


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_file_is_scored_by_the_only_model_onto_stdout_and_the_access_is_entered(built, rows):
    there = (built.root / ".mintage/environments").exists()  # the project that it is a copy of may have one
    answer = built.run("predict", "rows.csv")
    found = table(answer.out)
    assert [row["visit"] for row in found] == ["v0", "v1", "v2", "v3", "v4"]
    assert list(found[0]) == ["visit", "pages", "minutes", "score", "label"]
    assert all(row["label"] == str(int(float(row["score"]) >= 0.5)) for row in found)
    assert "signed by key" in answer.err
    assert "not certified" in answer.err
    assert "5 rows scored into stdout" in answer.err
    entry = built.audit()[-1]
    assert (entry["action"], entry["resource"], entry["details"]["rows"]) == ("model.predict", "buys", 5)
    assert (built.root / ".mintage/environments").exists() == there


def test_stdin_files_of_each_kind_and_one_row_give_the_same_answers(built, rows):
    expected = [float(row["score"]) for row in table(built.run("predict", "rows.csv").out)]
    piped = subprocess.run(
        [*MINTAGE, "predict", "buys", "-"],
        cwd=built.root,
        env=built.environment,
        input=rows,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [float(row["score"]) for row in table(piped.stdout)] == expected
    built.run("predict", "buys", "rows.csv", "out.parquet")
    with pq.ParquetFile(built.root / "out.parquet") as file:
        assert file.read()["score"].to_pylist() == expected
    built.run("predict", "out.parquet", "again.jsonl", expect=3)  # it has the answers already
    built.run("predict", "rows.csv", "out.jsonl")
    assert [json.loads(line)["score"] for line in built.read("out.jsonl").splitlines()] == expected
    first = table(rows)[0]
    one = built.run("predict", f"pages={first['pages']}", f"minutes={first['minutes']}", "--json").json
    assert (one["model"], one["score"]) == ("buys", expected[0])
    shown = built.run("predict", "buys", f"pages={first['pages']}", f"minutes={first['minutes']}").out
    assert shown.splitlines()[0].split() == ["bought", one["class"]]


def test_unusual_values_are_answered_and_counted_with_the_first_row(built):
    built.write("odd.csv", "pages,minutes\n1,1\n150,1\n-7,1\n")
    answer = built.run("predict", "odd.csv", "odd.parquet", "--json")
    assert answer.json["unusual"] == {"pages": {"values": 2, "first_row": 2}}
    assert "pages: 2 unusual values, the first in row 2; usually 0 to 100" in answer.err
    assert "pages=150 is unusual: usually 0 to 100" in built.run("predict", "pages=150", "minutes=1").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pages\n1\n", "column 'minutes' is missing"),
        ("pages,minutes\n1,1\n2,\n", "wrong.csv, row 2"),
        ("pages,minutes\n1,1\n2,two\n", "found 'two'"),
        ("pages,minutes,score\n1,1,1\n", "already has a column 'score'"),
    ],
)
def test_a_file_with_a_fault_says_where_and_nothing_is_written(built, text, said):
    built.write("wrong.csv", text)
    before = {path.name for path in built.root.iterdir()}
    answer = built.run("predict", "wrong.csv", "wrong.parquet", expect=3)
    assert said in answer.err
    assert {path.name for path in built.root.iterdir()} == before
    assert built.run("predict", "wrong.csv", expect=3).out == ""


def test_wrong_words_are_named(built):
    assert "did you mean 'buys'" in built.run("predict", "bays", "rows.csv", expect=3).err
    assert "not there" in built.run("predict", "nothing.csv", expect=3).err
    assert "minutes" in built.run("predict", "pages=1", expect=3).err
    assert "not a number" in built.run("predict", "pages=one", "minutes=1", expect=3).err
    assert "no input 'page'" in built.run("predict", "pages=1", "minutes=1", "page=1", expect=3).err
    refused = built.run("predict", "rows.csv", "o.csv", "--in", "staging", expect=3).err
    assert "no environment 'staging'" in refused
    assert "--built" in built.run("predict", "rows.csv", "o.csv", "--in", "production", expect=1).err
    built.run("predict", "rows.csv", "o.csv", "--in", "production", "--built", expect=2)


def test_words_are_told_apart():
    assert read_words(["a=b.csv"], []).row == {"a": "b.csv"}
    assert read_words(["m", "-", "-"], ["m"]) == read_words(["m", "-"], ["m"])
    for words in (["m"], ["m", "a.csv", "b.csv", "c.csv"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            read_words(words, ["m"])


def test_a_model_that_was_tampered_with_answers_nothing(built, rows, tmp_path):
    copy = built.copy_to(tmp_path / "copy")
    (graph,) = copy.root.glob(".mintage/models/buys/*/model.onnx")
    data = bytearray(graph.read_bytes())
    data[50] ^= 1
    graph.chmod(0o644)
    graph.write_bytes(data)
    for words in (("predict", "rows.csv"), ("predict", "pages=1", "minutes=1"), ("serve", "--port", "0")):
        answer = copy.run(*words, expect=4)
        assert answer.out == ""
        assert "model.onnx" in answer.err


def test_serve_needs_no_name_takes_the_next_free_port_and_says_a_line_that_works(built):
    taken = socket.socket()
    with contextlib.suppress(OSError):  # another program may have it: taken is taken
        taken.bind(("127.0.0.1", 8080))
        taken.listen()
    process = built.start("serve")
    try:
        url = process.stdout.readline().strip()
        port = int(url.rpartition(":")[2])
        assert 8080 < port <= 8100
        talk = []
        while not talk or not talk[-1].startswith("Ctrl-C"):
            talk.append(process.stderr.readline().rstrip("\n"))
        assert f"port 8080 is taken, so it is {port}" in talk
        assert f"a page to try it: {url}/" in talk
        assert "Not certified yet: `mintage certify buys` judges it." in talk
        line = next(line for line in talk if line.startswith("curl "))
        done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["model"] == "buys"
        with urllib.request.urlopen(f"{url}/", timeout=20) as page:
            assert "script-src 'sha256-" in page.headers["content-security-policy"]
            assert b"<h1" in page.read()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "ended\n")
    finally:
        taken.close()
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_a_certified_and_released_model_says_so_and_answers_one_row_past_its_release(released):
    answer = released.run("predict", "pages=10", "minutes=1")
    assert "certified PASS; the release in production is not asked" in answer.err
    released.write("rows.csv", "pages,minutes\n10,1\n")
    assert "not admitted" in released.run("predict", "rows.csv", "out.csv", expect=1).err  # nothing serves it yet
    assert table(released.run("predict", "rows.csv", "--built").out)[0]["label"] in ("0", "1")
    process = released.start("serve", "--json", "--port", "0")
    try:
        assert json.loads(process.stdout.readline())["verdict"] == "PASS"
        while not (line := process.stderr.readline()).startswith("certified"):
            assert line
        assert line.startswith("certified PASS: buys may be released")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_model_that_failed_its_certificate_is_served_with_a_warning(released):
    released.replace("policies/buys.yaml", "min: 0.60", "min: 0.999")
    released.commit("a policy that it cannot pass")
    assert released.run("certify", "buys", "--json", expect=1).json["verdict"] == "FAIL"
    assert "certified FAIL" in released.run("predict", "pages=10", "minutes=1").err
    process = released.start("serve", "--json", "--port", "0")
    try:
        assert json.loads(process.stdout.readline())["verdict"] == "FAIL"
        while not (line := process.stderr.readline()).startswith("warning"):
            assert line
        assert line.startswith("warning: certified FAIL: buys must not be released")
    finally:
        process.kill()
        process.communicate()
