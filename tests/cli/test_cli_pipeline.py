"""`mintage run` with its choices, `graph`, `logs`, `shell` and `schema`, as typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import msgspec
import pytest

from mintage.repo.project import ProjectForm
from mintage.repo.workspace import Workspace

PROJECT = """project: p
stages:
  one: {sh: "echo first; cat in.txt > one.txt", in: [in.txt], out: [one.txt]}
  two: {sh: "cat one.txt > two.txt", in: [one.txt], out: [two.txt]}
"""


@pytest.fixture
def typed(tmp_path):
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "mintage.yaml").write_text(PROJECT)
    (folder / "in.txt").write_text("1\n")
    for words in (("init", "-q"), ("config", "user.email", "t@e.org"), ("config", "user.name", "T"), ("add", "-A")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=folder, check=True)

    def run(*words: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "mintage", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables},
        )
        assert done.returncode == code, done.stderr
        return done

    run.folder = folder
    return run


def test_dry_says_what_would_run_and_why_and_runs_nothing(typed) -> None:
    said = typed("run", "--dry").stdout
    assert [line.split()[:2] for line in said.splitlines()] == [["one", "run"], ["two", "run"]]
    assert not (typed.folder / "one.txt").exists()
    typed("run")
    plan = json.loads(typed("run", "--dry", "--json").stdout)["plan"]
    assert [row["action"] for row in plan] == ["keep", "keep"]


def test_why_tells_of_all_members_of_a_matrix(typed) -> None:
    text = PROJECT + "  many:\n    sh: echo ${item} > ${item}.txt\n    out: ['${item}.txt']\n    foreach: [a, b]\n"
    (typed.folder / "mintage.yaml").write_text(text)
    said = typed("why", "many").stdout
    assert said.splitlines() == ["many@a would run:", "  never ran", "many@b would run:", "  never ran"]
    assert [row["stage"] for row in json.loads(typed("why", "many", "--json").stdout)["members"]] == [
        "many@a",
        "many@b",
    ]


def test_set_writes_the_parameter_and_keeps_the_comments(typed) -> None:
    (typed.folder / "params.yaml").write_text("depth: 4  # of the tree\n")
    text = PROJECT.replace("echo first;", "echo ${params.depth};")
    (typed.folder / "mintage.yaml").write_text(text)
    typed("run", "-S", "depth=5", "one")
    assert (typed.folder / "params.yaml").read_text() == "depth: 5  # of the tree\n"
    assert typed("logs", "one").stdout == "5\n"
    assert "there is no parameter 'dept'" in typed("run", "-S", "dept=5", code=3).stderr


def test_logs_lists_shows_and_names_the_nearest(typed) -> None:
    typed("run")
    assert [line.split()[0] for line in typed("logs").stdout.splitlines()] == ["stage", "one", "two"]
    assert typed("logs", "one").stdout == "first\n"
    assert "did you mean 'one'?" in typed("logs", "onee", code=3).stderr


def test_shell_stands_in_the_stages_folder_and_throws_away_what_is_written(typed) -> None:
    typed("run")
    said = typed("shell", "two", "--", "sh", "-c", "ls; echo x > one.txt; pwd")
    assert said.stdout.splitlines()[0] == "one.txt"
    assert (typed.folder / "one.txt").read_text() == "1\n"
    assert "two runs here: sh -c 'cat one.txt > two.txt'" in said.stderr
    assert typed("shell", "two", "--", "sh", "-c", "exit 9", code=9).stdout == ""


def test_graph_has_the_states_and_schema_is_that_of_the_reader(typed) -> None:
    edges = json.loads(typed("graph", "--json").stdout)["edges"]
    assert edges == [["in.txt", "one"], ["one", "two"]]
    typed("graph", "--format", "html", "--output", "g.html")
    assert "<svg" in (typed.folder / "g.html").read_text()
    schema = json.loads(typed("schema").stdout)
    names = {field.encode_name for field in msgspec.structs.fields(ProjectForm)}
    assert set(schema["properties"]) == names
    assert schema["additionalProperties"] is False
    stage = schema["$defs"]["StageForm"]["properties"]
    assert all("description" in value for value in stage.values())


def test_a_failed_stage_says_what_changed_since_it_succeeded_and_where_to_look(typed) -> None:
    typed("run")
    (typed.folder / "in.txt").write_text("2\n")
    (typed.folder / "mintage.yaml").write_text(PROJECT.replace("echo first;", "echo first; false &&"))
    said = typed("run", code=6).stderr
    assert "changed since it last succeeded: command changed: sh -c echo first; cat in.txt > one.txt -> " in said
    assert "inputs in.txt changed: b3:" in said
    assert "`mintage logs one` prints all that it said; `mintage shell one` opens a shell where it ran" in said
    (typed.folder / "in.txt").write_text("1\n")
    (typed.folder / "mintage.yaml").write_text(PROJECT)
    typed("run")
    (typed.folder / "one.txt").unlink()
    (typed.folder / "mintage.yaml").write_text(PROJECT.replace("sh: ", "timeout_s: 60, sh: "))
    assert "has changed since" not in typed("run").stderr


def test_a_stage_that_fails_by_chance_says_that_nothing_changed(typed) -> None:
    text = PROJECT.replace("cat in.txt", 'test \\"$HOW\\" != bad; cat in.txt').replace(
        "in: [in.txt]", "in: [in.txt], secrets: [HOW]"
    )
    text = text.replace("echo first;", "set -e;")
    (typed.folder / "mintage.yaml").write_text(text)
    typed("run", HOW="good")
    said = typed("run", "--force", code=6, HOW="bad").stderr
    assert "nothing that it declares has changed since it last succeeded" in said


def test_a_second_run_waits_and_says_for_whom(typed) -> None:
    workspace = Workspace(typed.folder)
    words = [sys.executable, "-m", "mintage", "run"]
    with workspace.lock("run", what="`mintage run one` of ada since 2026-01-01T00:00:00Z"):
        waiting = subprocess.Popen(words, cwd=typed.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = waiting.stderr.readline()
    out, err = waiting.communicate(timeout=60)
    assert said == (
        f"waiting for process {os.getpid()}, `mintage run one` of ada since 2026-01-01T00:00:00Z in this clone; "
        "Ctrl-C gives up\n"
    )
    assert waiting.returncode == 0, err
    assert out.endswith(": one, two\n")
    assert (typed.folder / "two.txt").read_text() == "1\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (
            PROJECT.replace("in: [one.txt]", "in: [one.txt, gone.txt]"),
            "mintage.yaml:4:",
            "reads gone.txt, which is not",
        ),
        (PROJECT.replace("in: [one.txt]", "in: [one.txt], params: [a.b]"), "mintage.yaml:4:", "the parameter 'a.b'"),
        (PROJECT.replace("cat one", "cat ${params.c} one"), "mintage.yaml:4:9", "the parameter 'c'"),
        (PROJECT.replace("in: [in.txt]", "in: [in.txt, two.txt]"), "mintage.yaml:3:", "need each other in a circle"),
    ],
)
def test_what_a_stage_names_and_is_not_there_has_its_line(typed, text, place, said) -> None:
    (typed.folder / "mintage.yaml").write_text(text)
    error = typed("run", code=3).stderr
    assert said in error
    assert f"at {place}" in error
