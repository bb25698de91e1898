"""`mintage explain-change` and `bisect`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROJECT = """project: p
stages:
  fit: {run: python fit.py, in: [rows.txt], metrics: [metrics.json]}
"""
FIT = "import json\njson.dump({'score': 0 + len(open('rows.txt').read())}, open('metrics.json', 'w'))\n"


@pytest.fixture
def typed(tmp_path):
    folder = tmp_path / "a project"
    folder.mkdir()
    files = {"mintage.yaml": PROJECT, "fit.py": FIT, "rows.txt": "ab", ".gitignore": "metrics.json\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    for words in (("init", "-q"), ("config", "user.email", "t@e.org"), ("config", "user.name", "T")):
        subprocess.run(["git", *words], cwd=folder, check=True)

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "mintage", *words], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done

    def commit(message: str) -> None:
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        subprocess.run(["git", "commit", "-qm", message], cwd=folder, check=True)

    run.folder = folder
    run.commit = commit
    commit("start")
    return run


def test_explain_change_shows_a_row_for_each_part_and_the_total(typed) -> None:
    (typed.folder / "rows.txt").write_text("abcde")
    (typed.folder / "fit.py").write_text(FIT.replace("0 +", "4 +"))
    said = typed("explain-change", "HEAD")
    assert said.stdout.splitlines() == [
        "score of fit: 2 at HEAD -> 9 at the work tree",
        "  part         share        what differs",
        "  code         +4     57 %  fit.py",
        "  data         +3     43 %  rows.txt",
        "  parameters   0            the same",
        "  environment  0            the same",
        "  total        +7",
    ]
    assert "4 combinations of HEAD and the work tree: 4 commands run" in said.stderr
    found = json.loads(typed("explain-change", "HEAD", "--metric", "fit:score", "--json").stdout)
    assert [share["share"] for share in found["metrics"][0]["shares"]] == [4, 3]
    assert (found["ran"], found["combinations"]) == (0, 4)
    assert "did you mean 'score'?" in typed("explain-change", "HEAD", "--metric", "scores", code=3).stderr


def test_bisect_names_the_commit_who_made_it_and_what_it_changed(typed) -> None:
    for number in range(4):
        (typed.folder / "rows.txt").write_text("ab\n" * (40 if number >= 2 else 1) + f"{number}\n")
        typed.commit(f"rows of day {number}")
    for words in ((), ("--data", "rows.txt")):
        said = typed("bisect", "--metric", "score", "--above", "50", *words)
        assert "rows of day 2, by T" in said.stdout
        assert "40 lines are new: ab | 2" in said.stdout
    found = json.loads(typed("bisect", "--metric", "score", "--above", "50", "--json").stdout)
    assert (found["versions"], found["ran"], len(found["suspects"])) == (5, 0, 1)
    assert "is not bad at the end" in typed("bisect", "--metric", "score", "--above", "5000", code=1).stderr
    assert "one of the arguments --below --above" in typed("bisect", "--metric", "score", code=2).stderr
