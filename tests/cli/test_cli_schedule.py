"""``mintage schedule`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mintage.cli.main import main
from mintage.repo.git import Git

PROJECT = """project: churn
stages:
  train: {run: python train.py, in: [data.csv], out: [model.bin]}
schedule:
  nightly: {cron: "30 3 * * *", timezone: Europe/Berlin}
  fresh: {on: data}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Git(tmp_path).init()
    (tmp_path / "mintage.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_list_says_when_each_comes_next(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", "--json"]) == 0
    nightly, fresh = json.loads(capsys.readouterr().out)
    assert len(nightly["next"]) == 3
    assert "T03:30:00+0" in nightly["next"][0]
    assert fresh["data"] == ["data.csv"]
    assert main(["schedule"]) == 0
    assert "when data.csv changes" in capsys.readouterr().out


def test_nothing_is_written_without_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert main(["schedule", "render", "--to", "github"]) == 0
    assert "cron: 30 3 * * *" in capsys.readouterr().out
    assert sorted(folder.rglob("*")) == before


def test_check_fails_until_the_files_are_in_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["schedule", "render", "--to", "github", "--check"]
    write = ["schedule", "render", "--to", "github", "--output", ".github/workflows"]
    assert main(check) == 1
    assert not (folder / ".github").exists()
    assert main(write) == 0
    assert main(check) == 0
    (folder / ".github/workflows/ci.yml").write_text("name: ci\n")
    (folder / "mintage.yaml").write_text(PROJECT.replace("30 3", "45 4").replace("  fresh: {on: data}\n", ""))
    capsys.readouterr()
    assert main(check) == 1
    assert "+    - cron: 45 4 * * *" in capsys.readouterr().out
    assert main(write) == 0
    assert sorted(path.name for path in (folder / ".github/workflows").iterdir()) == [
        "ci.yml",
        "mintage-churn-nightly.yml",
    ]
    assert main(check) == 0


def test_the_scheduler_must_be_named(folder: Path) -> None:
    assert main(["schedule", "render"]) == 2
    assert main(["schedule", "render", "--to", "cron", "--check"]) == 2
