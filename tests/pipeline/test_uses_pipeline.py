"""A pipeline of another repository as one stage: two real repositories, real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_uses import actions, commit, git, mintage, repository

from mintage.errors import UseError
from mintage.lineage.chain import walk
from mintage.lineage.run_links import run_link
from mintage.pipeline.uses.pipeline import Member, from_outside, joined_parts, needed
from mintage.repo.git import Git
from mintage.repo.locks import read_lock
from mintage.repo.project import parse_project
from mintage.repo.stage import Stage
from mintage.store.local import Store

THEIRS = """project: scoring
params: {scale: {by: 2}, keep: 3}
stages:
  unrelated:
    run: python missing.py
    out: [nothing.txt]
  clean:
    run: python clean.py
    in: [data/raw.csv]
    out: [parts/]
    params: [keep]
  score:
    run: python score.py
    in: [parts/a.txt, table.txt]
    out: [out/scores.txt]
    metrics: [m.json]
    params: [scale.by]
"""
FILES = {
    "common.py": "def read(path):\n    return open(path).read()\n",
    "clean.py": """import common, json, os
keep = json.load(open(os.environ["MINTAGE_PARAMS"]))["keep"]
os.makedirs("parts", exist_ok=True)
open("parts/a.txt", "w").write(common.read("data/raw.csv")[:keep])
open("parts/b.txt", "w").write("b")
print("cleaned")
""",
    "score.py": """import common, json, os
by = json.load(open(os.environ["MINTAGE_PARAMS"]))["scale"]["by"]
os.makedirs("out", exist_ok=True)
open("out/scores.txt", "w").write(common.read("parts/a.txt") * by + common.read("table.txt"))
json.dump({"rows": by}, open("m.json", "w"))
print("scored")
""",
    "data/raw.csv": "theirs\n",
    "table.txt": "!",
}
MINE = """project: mine
stages:
  scores:
    use:
      repo: ../lib
      rev: main
      pipeline: true
      in: {data/raw.csv: mine.csv}
      out: {out/scores.txt: scores.txt}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    repository(tmp_path / "lib", {"mintage.yaml": THEIRS, **FILES})
    return repository(tmp_path / "mine", {"mintage.yaml": MINE, "mine.csv": "mine\n"})


def last_log(mine: Path) -> str:
    return max(mine.glob(".mintage/logs/*/scores.log"), key=lambda path: path.stat().st_mtime_ns).read_text()


def test_a_pipeline_of_another_repository_runs_as_one_stage_with_our_data(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert actions(mine, capsys) == {"scores": "run"}
    assert (mine / "scores.txt").read_text() == "minmin!"
    assert last_log(mine) == "== clean\ncleaned\n== score\nscored\n"
    assert actions(mine, capsys) == {"scores": "keep"}


def test_its_stages_run_by_workers_too(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine / "mintage.yaml").write_text(f"remote: ../remote\n{MINE}")
    assert actions(mine, capsys, "--executor", "worker") == {"scores": "run"}
    assert (mine / "scores.txt").read_text() == "minmin!"
    assert last_log(mine) == "== clean\ncleaned\n== score\nscored\n"


def test_its_record_has_the_code_of_all_and_metrics_by_stage_and_every_link_holds(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    actions(mine, capsys)
    store, lock = Store(mine / ".mintage/store"), read_lock(mine, "scores")
    assert lock is not None
    assert lock.run is not None
    entry = store.get_record(lock.run).body["stages"]["scores"]
    assert entry["metrics"] == {"score.rows": 2.0}
    assert sorted(entry["use"]["code"]) == ["clean.py", "common.py", "score.py"]
    assert [link.kind for link in walk(run_link(store, Git(mine), lock.run)) if not link.ok] == []


def test_after_a_change_only_what_it_matters_to_runs_again_and_why_names_it(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    actions(mine, capsys)
    (mine / "mintage.yaml").write_text(MINE.rstrip() + "\n      params: {scale.by: 3}\n")
    assert mintage(mine, "why", "scores") == 0
    assert "params.scale.by changed: 2 -> 3" in capsys.readouterr().out
    assert actions(mine, capsys) == {"scores": "run"}
    assert (mine / "scores.txt").read_text() == "minminmin!"
    assert last_log(mine) == "== clean (as before)\n== score\nscored\n"


def test_a_commit_that_changes_nothing_of_it_reruns_nothing(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions(mine, capsys)
    commit(mine.parent / "lib", {"README.md": "more\n"})
    assert actions(mine, capsys, "--update-uses") == {"scores": "keep"}
    commit(mine.parent / "lib", {"common.py": FILES["common.py"].replace("open(path)", "open(path, newline=None)")})
    assert actions(mine, capsys) == {"scores": "keep"}, "the pin counts, not the branch"
    assert actions(mine, capsys, "--update-uses") == {"scores": "run"}


def test_code_that_a_stage_finds_by_name_counts_for_that_stage_alone(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lib, hidden = mine.parent / "lib", "print(__import__('wo' + 'rds').SAID)\n"
    commit(lib, {"score.py": FILES["score.py"] + hidden, "words.py": "SAID = 'one'\n"})
    assert actions(mine, capsys) == {"scores": "run"}
    lock = read_lock(mine, "scores")
    assert lock is not None
    assert lock.seen == ("words.py",)
    assert actions(mine, capsys) == {"scores": "keep"}
    commit(lib, {"words.py": "SAID = 'two'\n"})
    assert actions(mine, capsys, "--update-uses") == {"scores": "run"}
    assert last_log(mine) == "== clean (as before)\n== score\nscored\ntwo\n"


def test_a_stage_whose_output_is_given_does_not_run(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = MINE.replace("{data/raw.csv: mine.csv}", "{parts/a.txt: mine.csv}")
    (mine / "mintage.yaml").write_text(given)
    assert actions(mine, capsys) == {"scores": "run"}
    assert (mine / "scores.txt").read_text() == "mine\nmine\n!"
    assert "clean" not in last_log(mine)


def test_a_failing_stage_is_named_and_those_before_it_are_not_run_again(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(mine.parent / "lib", {"score.py": "import common\nraise SystemExit(3)\n"})
    assert mintage(mine, "run") == 6
    assert "scores (score)" in capsys.readouterr().err
    commit(mine.parent / "lib", {"score.py": FILES["score.py"]})
    assert actions(mine, capsys, "--update-uses") == {"scores": "run"}
    assert last_log(mine) == "== clean (as before)\n== score\nscored\n"
    assert not list((mine / ".mintage/tmp").iterdir())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("out/scores.txt:", "out/score.txt:", "no stage writes out/score.txt there"),
        ("data/raw.csv:", "data/row.csv:", "the pipeline reads no data/row.csv"),
        ("{data/raw.csv: mine.csv}", "{out/scores.txt: mine.csv}", "`in` and `out` both name out/scores.txt"),
        ("pipeline: true", "pipeline: true\n      stage: score", "what is used is not clear"),
        ("      out: {out/scores.txt: scores.txt}\n", "      to: x\n", "nothing of the pipeline is used"),
        ("pipeline: true", "pipeline: all", "mintage.yaml:7:7"),
    ],
)
def test_what_cannot_be_used_is_said(
    mine: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    assert old in MINE
    (mine / "mintage.yaml").write_text(MINE.replace(old, new))
    assert mintage(mine, "run") == 3
    assert said in capsys.readouterr().err
    assert git(mine, "status", "--porcelain") == "M mintage.yaml"


def test_a_stage_there_that_uses_a_third_repository_is_refused(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    third = THEIRS.replace(
        "    run: python clean.py\n    in: [data/raw.csv]\n    out: [parts/]\n    params: [keep]\n",
        "    use: {repo: ../third, rev: main, path: a.txt, to: parts/a.txt}\n",
    )
    assert third != THEIRS
    commit(mine.parent / "lib", {"mintage.yaml": third})
    (mine / "mintage.yaml").write_text(MINE.replace("      in: {data/raw.csv: mine.csv}\n", ""))
    assert mintage(mine, "run") == 3
    assert "stage clean of ../lib cannot be used" in capsys.readouterr().err


def test_stages_come_in_an_order_to_run_them_and_only_those_needed() -> None:
    stages = parse_project(THEIRS.encode(), where="mintage.yaml").stages
    assert needed(stages, ["out/scores.txt"], given=[]) == ("clean", "score")
    assert needed(stages, ["out/scores.txt"], given=["parts/a.txt"]) == ("score",)
    assert needed(stages, ["parts"], given=[]) == ("clean",)
    both = {name: stages[name] for name in ("clean", "score")}
    assert from_outside(both, []) == ("data/raw.csv", "table.txt")
    with pytest.raises(UseError, match="no stage writes"):
        needed(stages, ["m"], given=[])


def test_each_part_of_a_stage_of_it_is_a_part_of_the_key() -> None:
    def member(**changed: object) -> Member:
        parts = {"format": 0, "inputs": {}, "code": {"a.py": "b3:1"}, "environment": "e", "params": {"a": {"b": 1}}}
        return Member(name="m", stage=Stage(run="x"), command=["x"], parts={**parts, "command": ["x"], **changed})

    plain_parts = joined_parts([member()], inputs={"d": "b3:2"})
    for changed in ({"command": ["y"]}, {"seed": 1}, {"code": {"a.py": "b3:3"}}, {"params": {"a": {"c": 1}}}):
        assert joined_parts([member(**changed)], inputs={"d": "b3:2"}) != plain_parts
    other = Member(name="n", stage=Stage(run="x"), command=["x"], parts=member(params={"a": {"c": 2}}).parts)
    assert joined_parts([member(), other], inputs={})["params"] == {"a": {"b": 1, "c": 2}}
    assert json.dumps(plain_parts)


def test_it_is_rebuilt_from_the_commit(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions(mine, capsys)
    commit(mine, {})
    assert mintage(mine, "reproduce", "HEAD", "--json") == 0
    assert json.loads(capsys.readouterr().out)["level"] == "identical"


def test_a_module_that_a_stage_there_imports_by_name_counts(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_name = FILES["score.py"].replace(
        "import common, json, os", 'import importlib, json, os\ncommon = importlib.import_module("com" + "mon2")'
    )
    commit(mine.parent / "lib", {"score.py": by_name, "common2.py": FILES["common.py"]})
    assert actions(mine, capsys) == {"scores": "run"}
    assert actions(mine, capsys) == {"scores": "keep"}
    commit(mine.parent / "lib", {"common2.py": FILES["common.py"].replace("read()", 'read() + "?"')})
    assert actions(mine, capsys, "--update-uses") == {"scores": "run"}
    assert (mine / "scores.txt").read_text() == "min?min?!?"
