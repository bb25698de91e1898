"""What holds for every command: help, one line of what went wrong, documented exit codes, JSON when asked for."""

import json
import re
import subprocess
import sys

import pytest
from cli_commands import COMMANDS, OF_ANOTHER_TOOL, WITHOUT_PROJECT

from mintage.cli import main as cli
from small_project import SmallProject

OVERVIEW = """\
usage: mintage COMMAND [options]

Carry a model from a commit to production and back.

  init       Make this folder a project
  add        Version a data file or folder by content
  run        Run what is not up to date
  status     Show what is out of date, at once
  why        Explain why a stage would run
  certify    Judge a model against its policy and sign the certificate
  release    Write and commit which model an environment runs
  predict    Score a file, a table or one row with a model, released or not
  monitor    Compare traffic with the model's profile and decide
  verify     Check every digest and signature behind a model, an endpoint or a certificate

`mintage COMMAND --help` tells more; `mintage help --all` lists all.
"""


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory):
    """A folder that is no project."""
    return SmallProject(tmp_path_factory.mktemp("nowhere"), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A project in which nothing was declared yet."""
    made = SmallProject(tmp_path_factory.mktemp("empty project"), tmp_path_factory.mktemp("home"))
    made.run("init")
    return made


def test_the_overall_help_is_ten_commands_and_where_more_is(nowhere):
    for words in (("--help",), ("-h",), ("help",)):
        assert nowhere.run(*words).out == OVERVIEW
    assert nowhere.run(expect=2).out == OVERVIEW
    every = nowhere.run("help", "--all").out
    assert all(re.search(rf"^  {name} ", every, re.MULTILINE) for name in cli.COMMANDS)
    assert re.fullmatch(r"mintage \d+\.\d+\S*\n", nowhere.run("--version").out)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_that_starts_with_its_line(nowhere, name):
    answer = nowhere.run(name, "--help")
    assert answer.out.startswith(f"usage: mintage {name} ")
    assert " ".join(answer.out.split()).count(cli.COMMANDS[name][1]) == 1
    assert "--json" in answer.out and answer.err == ""


def test_every_command_is_tried_below():
    assert {words[0] for words in COMMANDS} | {"init", "demo"} == set(cli.COMMANDS)


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] in WITHOUT_PROJECT], ids=" ".join)
def test_what_takes_a_folder_asks_for_one_outside_a_project(nowhere, words):
    answer = nowhere.run(*words, expect=3)
    assert answer.out == "" and "expected or a model's folder" in answer.err
    assert list(nowhere.root.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    {words[0]: words for words in COMMANDS if words[0] not in WITHOUT_PROJECT | OF_ANOTHER_TOOL}.values(),
    ids=" ".join,
)
def test_outside_a_project_every_command_says_where_one_is_made(nowhere, words):
    answer = nowhere.run(*words, expect=3)
    assert answer.out == ""
    assert answer.err.startswith("error[project.not-found]: there is no Mintage project here\n")
    assert str(nowhere.root) in answer.err and "mintage init" in answer.err
    assert list(nowhere.root.iterdir()) == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_in_an_empty_project_every_command_answers_in_json_alone(empty, words):
    answer = empty.run(*words, "--json", expect=COMMANDS[words])
    value = json.loads(answer.out, parse_constant=_not_json)
    if answer.code != 0:
        assert value["error"].keys() >= {"code", "message"}
        assert "hint" in value["error"] or "expected" in value["error"]
        assert answer.err == ""


def _not_json(name):
    raise AssertionError(f"{name} is not JSON")


def test_errors_show_code_expectation_finding_place_and_hint(empty):
    assert empty.run("certify", "buys", expect=3).err == (
        "error[project.unknown-name]: the project has no model 'buys'\n"
        "  expected none declared\n"
        "  at mintage.yaml\n"
        "hint: declare it under `models:` in mintage.yaml\n"
    )


def test_the_exit_codes_are_those_that_the_documentation_lists():
    documented = {int(code) for code in re.findall(r"(?:^|[;:] )(\d+) \w", " ".join(cli.__doc__.split()))}
    assert documented == {0, 130, *cli.EXIT_CODES.values()}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("runn",), "did you mean 'run'?"),
        (("frobnicate",), "mintage help --all"),
        (("--frobnicate",), "mintage --help"),
        (("run", "--frobnicate"), "mintage run --help"),
        (("add",), "mintage add --help"),
        (("release", "buys"), "mintage release --help"),
        (("release", "buys", "--to", "p", "--canary", "200"), "over 0, under 100"),
        (("release", "buys", "--to", "p", "--canary", "5", "--promote"), "not allowed with"),
        (("release", "buys", "--to", "p", "--margin", "0"), "over 0, under 1"),
        (("release", "buys", "--to", "p", "--decision", "b3:12"), "not the digest of a decision"),
        (("audit", "-n", "-3"), "1 or more"),
        (("log", "-n", "many"), "1 or more"),
        (("policy", "chek"), "check"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_would_be_right(nowhere, words, expected):
    answer = nowhere.run(*words, expect=2)
    assert answer.out == "" and expected in answer.err


def test_a_reader_that_goes_away_is_no_error(_released):
    script = f"{sys.executable} -m mintage log --json | head -c 1; echo $? ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=_released.root,
        env=_released.environment | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{0 0\n", "")


def test_without_git_a_command_that_needs_it_says_so(_fresh, tmp_path):
    path = f"{tmp_path}"
    for words in (("run",), ("log",), ("reconcile", "production")):
        answer = _fresh.run(*words, "--json", expect=5, PATH=path)
        assert answer.json["error"]["code"] == "git.missing"
        assert answer.json["error"]["hint"] == "install Git"


def test_a_project_without_repository_says_how_to_get_one(tmp_path):
    project = SmallProject(tmp_path / "p", tmp_path)
    project.write("mintage.yaml", "project: p\nstages:\n  a: {run: python a.py}\n")
    project.write("a.py", "print('here')\n")
    for words in (("run",), ("log",)):
        answer = project.run(*words, expect=3)
        assert "error[git.failed]" in answer.err and "mintage init" in answer.err


def test_what_the_operating_system_refuses_is_a_plain_error(empty):
    answer = empty.run("report", "-o", "mintage.yaml/page.html", expect=3)
    assert answer.err.startswith("error[system.refused]") and "mintage.yaml" in answer.err
    (empty.root / "folder").mkdir(exist_ok=True)
    assert "error[system.refused]" in empty.run("report", "-o", "folder", expect=3).err
