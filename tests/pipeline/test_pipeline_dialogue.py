"""Commands that answer line by line in a scratch folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mintage.pipeline.sandbox import Scratch, open_dialogue, stage_environment

ECHO = "import sys\nfor line in sys.stdin:\n    print('heard ' + line.strip(), flush=True)\n"
ENDS = "import sys\ninput()\nsys.exit('no more')\n"
SILENT = "import sys\nfor line in sys.stdin:\n    pass\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with Scratch(tmp_path) as made:
        yield made


def start(scratch: Scratch, code: str):
    environment = stage_environment(scratch, seed=0, threads=1, declared=())
    log = scratch.private / "log"
    return open_dialogue(["python", "-c", code], folder=scratch.work, environment=environment, log=log)


def test_each_line_gets_its_answer_from_the_same_process(scratch: Scratch) -> None:
    with start(scratch, ECHO) as dialogue:
        assert [dialogue.ask(word, timeout_s=60) for word in ("one", "zwölf")] == ["heard one", "heard zwölf"]
    assert dialogue._process.returncode is not None


def test_a_command_that_ended_gives_no_answer_and_its_words_are_in_the_log(scratch: Scratch) -> None:
    with start(scratch, ENDS) as dialogue:
        assert dialogue.ask("one", timeout_s=60) is None
        assert dialogue.ask("two", timeout_s=60) is None
        assert (scratch.private / "log").read_text() == "no more\n"


def test_a_command_that_does_not_answer_in_time_gives_no_answer_and_is_ended(scratch: Scratch) -> None:
    with start(scratch, SILENT) as dialogue:
        assert dialogue.ask("one", timeout_s=0.05) is None
    assert dialogue._process.returncode is not None


def test_openmp_does_not_spin_unless_the_stage_declares_otherwise(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert stage_environment(scratch, seed=0, threads=None, declared=())["OMP_WAIT_POLICY"] == "PASSIVE"
    assert (
        stage_environment(scratch, seed=0, threads=None, declared=("OMP_WAIT_POLICY",))["OMP_WAIT_POLICY"] == "ACTIVE"
    )
