"""A long stage shows that it lives: on a terminal a line with time and last output, elsewhere its log."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from mintage.cli.heartbeat import Heartbeat, beat_line
from small_project import wait_until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs/train.log"
    path.parent.mkdir()
    path.write_text("epoch 1\nepoch 2\n")
    return path


def test_on_a_terminal_a_line_shows_the_last_output_and_is_wiped(tmp_path, log, monkeypatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    heartbeat = Heartbeat(tmp_path, silent_s=0.0, beat_s=0.001)
    heartbeat.begin("train", log)
    wait_until(lambda: "0:00:00  epoch 2" in terminal.getvalue(), "the line")
    log.write_text("epoch 3\n")
    wait_until(lambda: "epoch 3" in terminal.getvalue(), "the next line")
    heartbeat.close()
    assert terminal.getvalue().startswith("    its output goes to logs/train.log\n")
    assert terminal.getvalue().endswith("\r\x1b[2K")


def test_elsewhere_only_the_place_of_the_output_is_said(tmp_path, log, monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    heartbeat = Heartbeat(tmp_path, silent_s=0.0)
    heartbeat.begin("train", log)
    wait_until(lambda: "train.log" in stream.getvalue(), "the line")
    heartbeat.close()
    assert stream.getvalue() == "    its output goes to logs/train.log\n"


def test_a_short_stage_says_nothing(tmp_path, log, monkeypatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    heartbeat = Heartbeat(tmp_path)
    heartbeat.begin("train", log)
    heartbeat.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("tail", "shown"),
    [(b"10%\r20%\r", "20%"), (b"\x1b[2J\x1b]0;x\x07evil\n", "]0;xevil"), (b"\xff\xfe\n", "��"), (b"", "")],
)
def test_output_cannot_move_the_cursor(tail: bytes, shown: str) -> None:
    assert beat_line("train", 1.0, tail) == f"  train        0:00:01  {shown}".rstrip()
