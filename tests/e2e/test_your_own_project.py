"""From a stranger's bare folder to a certificate: three commands, no line written, in twelve kinds of project.

What was recorded is compared with what the kernel saw of the same commands without Mintage. Where guessing would be
wrong, Mintage asks or says INCONCLUSIVE. A table of commands, lines, seconds and verdicts closes pytest's output.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from foreign_projects import HONEST, PROJECTS, ForeignProject, Newcomer, expand, lay_out, make_venv, plain_commands
from strace_oracle import stamps, watch

PAGE = Path(__file__).parents[2] / "docs" / "your-own-project.md"
RECORDED = ("in", "out", "metrics", "params", "code", "captured")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: scripts/install-system-parts")


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A project, its files before, and the newcomer after the three commands."""

    project: ForeignProject
    before: dict[str, bytes]
    newcomer: Newcomer
    verdict: str

    @property
    def stages(self) -> dict[str, Any]:
        stages: dict[str, Any] = self.newcomer.project()["stages"]
        return stages


def bare(project: ForeignProject, folder: Path) -> Newcomer:
    """The project in a fresh folder, outside any Git repository."""
    root = folder / project.name.replace("_", " ")
    lay_out(project, root)
    assert not any((parent / ".git").exists() for parent in root.parents)
    return Newcomer(root=root, home=folder / "home")


def contents(root: Path) -> dict[str, bytes]:
    return {path: (root / path).read_bytes() for path in stamps(root)}


def three_commands(newcomer: Newcomer) -> str:
    """The verdict, which is the first word that certify prints."""
    newcomer.type("init", "--yes")
    newcomer.type("run")
    return newcomer.type("certify").out.partition(":")[0]


@pytest.fixture(
    scope="module",
    params=[pytest.param(item, id=item.name, marks=[pytest.mark.slow] * item.slow) for item in PROJECTS],
)
def journey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    project: ForeignProject = request.param
    newcomer = bare(project, tmp_path_factory.mktemp(project.name))
    make_venv(project, newcomer.root)
    before = contents(newcomer.root)
    verdict = three_commands(newcomer)
    yield Journey(project=project, before=before, newcomer=newcomer, verdict=verdict)
    shutil.rmtree(newcomer.root)


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Callable[[ForeignProject, Newcomer, str], None]:
    """Enter a line into the table that closes pytest's output."""

    def tell(project: ForeignProject, newcomer: Newcomer, verdict: str) -> None:
        line = [project.name, len(newcomer.typed), len(newcomer.lines), round(newcomer.seconds, 1), verdict]
        record_property("own-project", line)

    return tell


def test_three_commands_and_no_line_make_a_signed_certificate(journey: Journey, told: Any) -> None:
    newcomer = journey.newcomer
    assert newcomer.typed == ["mintage init --yes", "mintage run", "mintage certify"]
    assert newcomer.lines == []
    now = contents(newcomer.root)
    assert {path: now.get(path) == content for path, content in journey.before.items()} == dict.fromkeys(
        journey.before, True
    )
    told(journey.project, newcomer, journey.verdict)
    assert journey.verdict == "PASS"
    (model,) = newcomer.project()["models"]
    assert newcomer.ask_json("show", model)["certificate"].startswith("b3:")
    proof = newcomer.ask_json("verify", model)
    assert proof["whole"] is True
    signed = {part["kind"]: part["detail"] for part in proof["chain"]["children"]}
    assert signed["certificate"].startswith("PASS, signed by ")


def test_the_second_run_has_nothing_to_do(journey: Journey) -> None:
    newcomer = journey.newcomer
    assert newcomer.ask("status", "--exit-code").code == 0, newcomer.ask("status").out
    assert set(newcomer.ask_json("run")["actions"].values()) == {"keep"}


@needs_strace
def test_what_was_recorded_is_what_the_kernel_saw(journey: Journey, tmp_path: Path) -> None:
    plain = bare(journey.project, tmp_path)
    python, aside = journey.newcomer.python, tmp_path / "cells.py"
    commands = plain_commands(journey.project, plain.root, aside=aside, python=python)
    assert [stage["run"] for stage in journey.stages.values()] == list(journey.project.commands)
    for number, ((name, stage), command) in enumerate(zip(journey.stages.items(), commands, strict=True)):
        before = set(stamps(plain.root))
        truth = watch(command, root=plain.root, environment=plain.environment, traces=tmp_path / f"traces{number}")
        now = set(stamps(plain.root))
        assert expand(stage.get("in", []), before) == truth.reads
        assert expand([*stage.get("out", []), *stage.get("metrics", [])], now) == truth.writes
        assert set(lock(journey.newcomer, name)["parts"]["code"]) >= truth.code


def test_recording_again_finds_nothing_new(journey: Journey, tmp_path: Path) -> None:
    again = journey.newcomer.copy_to(tmp_path / "again")
    project = again.project()
    for stage in project["stages"].values():
        for key in RECORDED:
            stage.pop(key, None)
    (again.root / "mintage.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    answer = again.ask("run")
    assert answer.code == 0, answer.err
    assert again.project()["stages"] == journey.stages


def test_a_change_of_any_recorded_input_makes_the_stage_run_again(journey: Journey, tmp_path: Path) -> None:
    copy = journey.newcomer.copy_to(tmp_path / "copy")
    made = {path for stage in journey.stages.values() for key in ("out", "metrics") for path in stage.get(key, [])}
    inputs = [(name, path) for name, stage in journey.stages.items() for path in stage.get("in", [])]
    assert inputs
    for name, declared in inputs:
        if declared in made:
            continue
        file = copy.root / min(expand([declared], set(stamps(copy.root))))
        whole = file.read_bytes()
        file.write_bytes(whole[:-1])
        stale = copy.ask_json("status")["stages"]
        assert any(declared.rstrip("/") in reason for reason in stale[name]), stale
        file.write_bytes(whole)
    assert copy.ask("status", "--exit-code").code == 0
    name, declared = next((name, path) for name, path in inputs if path not in made)
    file = copy.root / declared
    if file.suffix == ".csv":
        file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:-1]) + b"\n")
        assert copy.ask_json("run")["actions"][name] == "run"


def lock(newcomer: Newcomer, name: str) -> Any:
    """The lock of a stage."""
    locks = (json.loads(path.read_text()) for path in (newcomer.root / "mintage.lock").glob("*.json"))
    return next(value for value in locks if value["name"] == name)


@pytest.mark.slow
def test_a_model_chosen_on_its_test_rows_has_no_holdout(tmp_path: Path, told: Any) -> None:
    newcomer = bare(HONEST["best_on_test"], tmp_path)
    newcomer.type("init", "--yes")
    newcomer.type("run")
    answer = newcomer.type("certify", expect=1)
    assert answer.out.startswith("INCONCLUSIVE")
    assert "holdout: " in answer.out + answer.err  # the line that settles it
    model = next((newcomer.root / "models").glob("*.yaml")).read_text()
    assert "train.py:14" in model  # the scaler, or the test part that three models were scored on
    told(HONEST["best_on_test"], newcomer, "INCONCLUSIVE")


@pytest.mark.slow
def test_two_columns_that_could_be_the_target_are_a_question_that_one_line_answers(tmp_path: Path, told: Any) -> None:
    newcomer = bare(HONEST["two_targets"], tmp_path)
    newcomer.type("init", "--yes")
    answer = newcomer.type("run", expect=3)
    assert "error[model.not-inferred]" in answer.err
    assert "found churned, complained" in answer.err and "target: churned}`" in answer.err
    newcomer.replace("mintage.yaml", "{from: model.joblib}", "{from: model.joblib, target: churned}")
    newcomer.type("run")
    assert newcomer.type("certify").out.startswith("PASS")
    told(HONEST["two_targets"], newcomer, "a question, then PASS")


@pytest.mark.slow
def test_two_scripts_that_train_are_a_question_that_naming_one_answers(tmp_path: Path, told: Any) -> None:
    newcomer = bare(HONEST["two_models"], tmp_path)
    answer = newcomer.type("init", expect=3)
    assert "error[project.script-undecided]" in answer.err
    assert "train_forest.py" in answer.err and "train_linear.py" in answer.err
    assert not (newcomer.root / "mintage.yaml").exists()
    newcomer.type("init", "train_linear.py")
    newcomer.type("run")
    assert [stage["run"] for stage in newcomer.project()["stages"].values()] == ["python train_linear.py"]
    told(HONEST["two_models"], newcomer, "a question")


def test_with_yes_the_likeliest_of_two_scripts_is_taken_aloud(tmp_path: Path) -> None:
    newcomer = bare(HONEST["two_models"], tmp_path)
    answer = newcomer.type("init", "--yes")
    assert "TAKEN AS THE LIKELIEST: train_forest.py. Also possible: train_linear.py." in answer.out + answer.err


def test_the_page_has_a_row_for_every_project() -> None:
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines()]
    shown = {row[0]: row[2:] for row in rows if len(row) == 5 and row[2].isdecimal()}
    assert list(shown) == [*(project.name for project in PROJECTS), *HONEST]
    assert all(shown[project.name] == ["3", "0", "PASS"] for project in PROJECTS)
