"""A run with nothing to do: what it asks, counted, and that it misses nothing that changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.cli.main import main
from mintage.pipeline import facts
from mintage.repo import locks
from mintage.store import statcache
from mintage.store.statcache import StatCache


def chain(root: Path, length: int) -> ShellProject:
    """A project whose stages each copy what the one before wrote; it has run."""
    project = ShellProject(root)
    stages = [
        f"  s{index:02}: {{run: sh copy.sh {index}.txt {index + 1}.txt, in: [{index}.txt], out: [{index + 1}.txt]}}\n"
        for index in range(length)
    ]
    ignored = "".join(f"/{index}.txt\n" for index in range(length + 1))
    project.write("".join(stages), {"copy.sh": 'cat "$1" > "$2"\n', "0.txt": "a\n", ".gitignore": ignored})
    project.commit()
    assert set(project.run().actions.values()) == {"run"}
    return project


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ShellProject:
    return chain(tmp_path_factory.mktemp("small") / "p", 2)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> ShellProject:
    return chain(tmp_path_factory.mktemp("large") / "p", 12)


def statements(project: ShellProject, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run with nothing to do asks the cache of digests."""
    said: list[str] = []
    opened = statcache._open

    def traced(database: Path) -> sqlite3.Connection:
        connection = opened(database)
        connection.set_trace_callback(said.append)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(statcache, "_RACY_NS", 0)
        project.run()  # nothing is new to the cache any more
        patch.setattr(statcache, "_open", traced)
        assert set(project.run().actions.values()) == {"keep"}
    return said


def test_the_number_of_questions_to_the_cache_does_not_grow_with_the_stages(
    small: ShellProject, large: ShellProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = statements(small, monkeypatch), statements(large, monkeypatch)
    assert any("stat" in said for said in few)
    assert len(many) == len(few) < 8


def test_it_starts_no_process(small: ShellProject, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **_: object) -> None:
        raise AssertionError(words)

    small.run()  # the environment is known
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert set(small.run().actions.values()) == {"keep"}


def files(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "cache.db" not in path.name}


def test_it_writes_no_file(small: ShellProject) -> None:
    small.run()
    before = files(small.workspace.root)
    small.run()
    assert files(small.workspace.root) == before


def edit(path: Path, text: str) -> None:
    """Write another text of the same size, and put back the time of the change."""
    before = path.stat()
    assert len(text) == before.st_size
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("0.txt", "b\n", "inputs 0.txt changed"),
        ("copy.sh", 'cat "$1" >"$2" \n', "code copy.sh changed"),
        ("mintage.yaml", None, "outputs changed"),
    ],
)
def test_an_edit_that_size_and_time_do_not_show_is_noticed(
    tmp_path: Path, name: str, text: str | None, what: str
) -> None:
    project = chain(tmp_path / "p", 1)
    path = project.workspace.root / name
    edit(path, text or path.read_text().replace("1.txt", "2.txt"))
    outcome = project.run()
    assert outcome.actions == {"s00": "run"}
    assert what in " ".join(project.ran("s00")["why"])


def test_an_output_that_was_overwritten_in_the_same_tick_is_made_again(tmp_path: Path) -> None:
    project = chain(tmp_path / "p", 1)
    project.run()
    edit(project.workspace.root / "1.txt", "b\n")
    assert project.run().actions == {"s00": "restore"}
    assert project.read("1.txt") == "a\n"


def test_what_was_looked_up_at_once_is_what_is_looked_up_one_by_one(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b c", "d'e", "ünï")]
    for path in paths:
        path.write_text(path.name)
        os.utime(path, ns=(1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statcache, "_RACY_NS", 0)
        with StatCache(tmp_path / "cache.db") as cache:
            digests = [cache.file_digest(path) for path in paths]
    with StatCache(tmp_path / "cache.db") as cache:
        cache.read = lambda path: pytest.fail(f"{path} is read again")
        cache.expect([*map(str, paths), str(tmp_path / "unknown"), str(paths[0])])
        assert [cache.known_digest(path) for path in paths] == digests == [cache.file_digest(path) for path in paths]
    with StatCache(tmp_path / "cache.db") as cache:
        cache.remember("one", "1")
        assert cache.results(["one", "two", "one"]) == {"one": "1"}


def test_a_file_that_changed_after_it_was_looked_up_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statcache, "_RACY_NS", 0)
        with StatCache(tmp_path / "cache.db") as cache:
            first = cache.file_digest(path)
    with StatCache(tmp_path / "cache.db") as cache:
        cache.expect([str(path)])
        edit(path, "b")
        assert cache.file_digest(path) != first


def test_locks_are_read_each_time(small: ShellProject) -> None:
    """No list of them is kept: a lock that a merge brought counts at once."""
    with StatCache(small.workspace.cache_database) as cache:
        first = facts.Inspector(small.workspace, cache)
        path = small.workspace.root / "mintage.lock" / "s01.json"
        text = path.read_text()
        path.unlink()
        try:
            assert set(facts.Inspector(small.workspace, cache).locks) == set(first.locks) - {"s01"}
        finally:
            path.write_text(text)


def waits(root: Path, length: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a first run of so many stages waits for the disk."""
    asked: list[int] = []
    wait = os.fsync

    def counted(descriptor: int) -> None:
        asked.append(descriptor)
        wait(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted)
        chain(root, length)
    return len(asked)


def test_a_stage_waits_for_the_disk_as_often_in_a_long_pipeline_as_in_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, four, seven = (waits(tmp_path / str(length), length, monkeypatch) for length in (1, 4, 7))
    assert seven - four == four - one
    assert 0 < four - one <= 3 * 5  # the record and the lock of what it made, and that lock with the run's record


@pytest.mark.parametrize("words", [["run"], ["run", "--dry"], ["status"]], ids=" ".join)
def test_a_command_reads_the_locks_once(
    small: ShellProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    read, roots = locks.read_locks, []

    def counted(root: Path) -> dict[str, locks.Lock]:
        roots.append(root)
        return read(root)

    monkeypatch.chdir(small.workspace.root)
    for module in (facts, locks):
        monkeypatch.setattr(module, "read_locks", counted)
    assert main(words) == 0
    assert roots == [small.workspace.root]
    assert capsys.readouterr().out
