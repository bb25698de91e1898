"""Stages in container images: the words for the engine, what is refused, and what comes of the container."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import (
    EngineMissingError,
    EnvironmentUnbuiltError,
    FileMalformedError,
    InterpreterError,
    ProjectError,
    StageChangesInputError,
    StageFailedError,
)
from mintage.pipeline.container.command import container_words
from mintage.pipeline.container.contain import image_environment
from mintage.pipeline.container.engine import find_engine, sweep
from mintage.pipeline.extract import environment_of_estimator
from mintage.pipeline.facts import Inspector
from mintage.pipeline.reproduce.reproduce import How, reproduce
from mintage.pipeline.reproduce.sources import Sources
from mintage.pipeline.stage_run import entered
from mintage.repo.locks import Item
from mintage.repo.project import parse_project
from mintage.store.statcache import StatCache

IMAGE = "reg.example/team/fit@sha256:" + "0a" * 32
STAGE = "  a: {{sh: '{line}', in: [in.txt], out: [out.txt], image: '{image}', seed: 7{more}}}\n"

# An engine that runs the command on this machine, and writes down what it was asked.
ENGINE = """\
#!{python}
import os, sys
here, words = os.path.dirname(os.path.abspath(__file__)), sys.argv[1:]
with open(here + "/asked", "a") as stream:
    stream.write(" ".join(words) + "\\n")
if words[0] == "ps":
    print(open(here + "/running").read() if os.path.exists(here + "/running") else "", end="")
if words[:2] == ["image", "inspect"] and not os.path.exists(here + "/pulled"):
    sys.exit("no such image")
if words[0] == "pull":
    if os.path.exists(here + "/unreached"):
        sys.exit("error: registry not reached")
    open(here + "/pulled", "w").close()
if words[0] == "run":
    after = words[words.index("--entrypoint") + 1:]
    os.chdir(words[words.index("--workdir") + 1])
    given = [word for before, word in zip(words, words[1:]) if before == "--env"]
    seen = dict(word.split("=", 1) if "=" in word else (word, os.environ[word]) for word in given)
    os.execvpe("/bin/" + after[0], [after[0], *after[2:]], {{"PATH": "/usr/bin:/bin", **seen}})
"""


class Contained(ShellProject):
    """A project whose stage runs in an image, and the folder of the engine."""

    def __init__(self, root: Path, engine: Path) -> None:
        super().__init__(root)
        self.engine = engine
        engine.mkdir()
        (engine / "podman").write_text(ENGINE.format(python=sys.executable))
        (engine / "podman").chmod(0o755)

    def stage(self, line: str = "cat in.txt > out.txt", *, image: str = IMAGE, more: str = "") -> None:
        self.write(STAGE.format(line=line, image=image, more=more), {"in.txt": "rows\n"})

    def asked(self, verb: str) -> list[str]:
        lines = (self.engine / "asked").read_text().splitlines()
        return [line for line in lines if line.partition(" ")[0] == verb]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Contained]:
    made = Contained(tmp_path / "a project", tmp_path / "engine")
    git = Path(str(shutil.which("git"))).parent
    (tmp_path / "git").mkdir()
    (tmp_path / "git/git").symlink_to(git / "git")
    monkeypatch.setenv("PATH", f"{made.engine}:{tmp_path / 'git'}")
    yield made
    made.connection.close()


def words_of(**changes: object) -> list[str]:
    given = {
        "name": "one",
        "mounted": "/s",
        "folder": "/s/work",
        "variables": {"HOME": "/s/home", "API_KEY": "hunter2", "PATH": "/opt", "LD_LIBRARY_PATH": "/lib"},
        "user": "7:8",
        "network": True,
        "owner": 1,
    }
    return container_words(["docker"], IMAGE, ["sh", "-c", "ls"], **(given | changes))  # type: ignore[arg-type]


def test_the_words_hold_no_value_of_a_variable_but_of_plain_folders() -> None:
    words = words_of()
    assert "hunter2" not in " ".join(words)
    assert [word for before, word in itertools.pairwise(words) if before == "--env"] == [
        "API_KEY",
        "HOME=/s/home",
    ]


def test_the_network_is_closed_and_ids_are_mapped_only_where_asked() -> None:
    assert "--network" not in words_of()
    closed = words_of(network=False)
    assert closed[closed.index("--network") + 1] == "none"
    assert "--userns" not in closed and closed[closed.index("--user") + 1] == "7:8"
    kept = words_of(keep_id=True)
    assert kept[kept.index("--userns") + 1] == "keep-id"


def test_a_folder_with_a_comma_is_one_field_of_the_mount() -> None:
    words = words_of(mounted='/a, "b"')
    assert words[words.index("--mount") + 1] == 'type=bind,"src=/a, ""b""","dst=/a, ""b"""'


@pytest.mark.parametrize(
    "image", ["python", "python:3.12", "python@sha256:00", "python:3.12@sha512:" + "0" * 64, "--x@sha256:" + "0" * 64]
)
def test_an_image_without_its_digest_is_refused_with_how_to_find_it(image: str) -> None:
    text = f"project: p\nstages:\n  a: {{run: x, in: [i], out: [o], image: '{image}'}}\n"
    with pytest.raises(FileMalformedError, match="named by its digest") as caught:
        parse_project(text.encode(), where="mintage.yaml")
    assert caught.value.where == "mintage.yaml:3:34"
    assert "docker image inspect" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("run: x, in: [i], out: [o], python: python3", "`python` does not go with `image`"),
        ("run: x, in: [i], out: [o], captured: [captured/a/train.parquet]", "`captured` does not go"),
        ("run: x", "declares what it reads and writes"),
        ("run: x.ipynb, out: [o]", "a notebook is not executed"),
    ],
)
def test_what_does_not_go_with_an_image_is_refused(keys: str, message: str) -> None:
    with pytest.raises(FileMalformedError, match=message):
        parse_project(f"project: p\nstages:\n  a: {{{keys}, image: '{IMAGE}'}}\n".encode(), where="mintage.yaml")


def test_the_digest_is_the_key_and_not_the_name() -> None:
    key = image_environment(IMAGE).key
    assert image_environment(IMAGE.replace("reg.example/team", "mirror.example")).key == key
    assert image_environment(IMAGE.replace("0a", "0b")).key != key


def test_a_stage_runs_in_its_image_which_is_pulled_once(project: Contained, monkeypatch: pytest.MonkeyPatch) -> None:
    project.stage("cat in.txt > out.txt; env >> out.txt", more=", env: [REGION]")
    monkeypatch.setenv("REGION", "north")
    project.run()
    lines = project.read("out.txt").splitlines()
    assert {"rows", "MINTAGE_SEED=7", "REGION=north", "PATH=/usr/bin:/bin"} <= set(lines)
    assert project.asked("pull") == [f"pull --quiet {IMAGE}"]
    (run,) = project.asked("run")
    name = run.split("--name ")[1].split()[0]
    assert project.asked("rm") == [f"rm --force {name}"]
    assert project.run().actions == {"a": "keep"}
    project.stage("cat in.txt in.txt > out.txt")
    project.run()
    assert len(project.asked("pull")) == 1


def test_a_run_with_nothing_to_do_asks_no_engine(project: Contained) -> None:
    project.stage()
    project.run()
    (project.engine / "podman").unlink()
    assert project.run().actions == {"a": "keep"}


def test_another_digest_reruns_the_stage_and_is_named(project: Contained) -> None:
    project.stage()
    project.run()
    other = IMAGE.replace("0a", "0b")
    project.stage(image=other)
    project.run()
    assert project.ran("a")["why"] == [f"environment: image {IMAGE} -> {other}"]


def test_inputs_are_copies_that_no_container_can_write_through(project: Contained) -> None:
    project.stage("cat in.txt > out.txt; echo more >> in.txt")
    with pytest.raises(StageChangesInputError, match="changes what it reads"):
        project.run()
    assert project.read("in.txt") == "rows\n"


def test_the_container_of_a_stage_that_ran_out_of_time_is_ended(project: Contained) -> None:
    project.stage("/bin/sleep 60", more=", timeout_s: 1")
    with pytest.raises(StageFailedError):
        project.run()
    (run,) = project.asked("run")
    assert project.asked("rm") == [f"rm --force {run.split('--name ')[1].split()[0]}"]


def test_containers_of_killed_processes_are_ended_and_others_left(project: Contained) -> None:
    (project.engine / "running").write_text(
        f"0a1b mintage.pid={2**22 + 1}\n2c3d map[mintage.pid:{os.getpid()}]\n4e5f\n"
    )
    sweep(find_engine())
    assert project.asked("rm") == ["rm --force 0a1b"]


def test_an_image_that_cannot_be_pulled_is_said(project: Contained) -> None:
    (project.engine / "unreached").touch()
    project.stage()
    with pytest.raises(EnvironmentUnbuiltError, match="could not be pulled") as caught:
        project.run()
    assert caught.value.found == "error: registry not reached"


def test_without_an_engine_each_is_named_with_what_it_said(project: Contained) -> None:
    (project.engine / "podman").unlink()
    (project.engine / "docker").write_text("#!/bin/sh\necho the daemon is not running >&2\nexit 1\n")
    (project.engine / "docker").chmod(0o755)
    project.stage()
    with pytest.raises(EngineMissingError) as caught:
        project.run()
    assert caught.value.found == "docker: the daemon is not running; podman: not installed"


def test_a_shell_is_not_opened_in_a_container(project: Contained) -> None:
    project.stage()
    with StatCache(project.workspace.cache_database) as cache:
        facts = Inspector(project.workspace, cache).facts("a")
        with (
            pytest.raises(ProjectError, match="runs in a container"),
            entered(project.workspace, facts, known=cache.known_digest),
        ):
            pass


def test_what_was_written_in_a_container_is_not_opened_as_an_estimator(project: Contained) -> None:
    project.stage()
    estimator = Item(path="out.txt", digest="b3:" + "0" * 64, size=1)
    with pytest.raises(InterpreterError, match="written in a container"):
        environment_of_estimator(project.workspace, estimator)


def test_a_commit_is_rebuilt_in_its_image_with_the_network_closed(project: Contained) -> None:
    project.stage()
    project.write(STAGE.format(line="cat in.txt > out.txt", image=IMAGE, more=""), {".gitignore": "out.txt\nin.txt\n"})
    project.commit()
    project.run()
    how = How(
        commit=project.commit(),
        target="HEAD",
        model=None,
        sources=Sources([project.store]),
        independent=False,
        network=False,
        tolerance=0.0,
        clock=lambda: "2026-01-01T00:00:00Z",
        actor="tester",
    )
    assert reproduce(project.workspace, how).level == "identical"
    first, second = project.asked("run")
    assert ("--network none" in first, "--network none" in second) == (False, True)


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("podman") and shutil.which("busybox")),
    reason="needs podman and a static busybox: apt install podman busybox-static",
)
def test_podman_runs_a_stage_without_network_and_without_the_machines_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "image.tar", "w") as archive:
        archive.add(str(shutil.which("busybox")), "bin/busybox")
        for name in ("sh", "cat", "ls", "ip", "sleep"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    named = f"localhost/mintage-test-{os.getpid()}"
    subprocess.run(
        ["podman", "import", "-q", str(tmp_path / "image.tar"), f"{named}:1"], check=True, capture_output=True
    )
    made = Contained(tmp_path / "a, project", tmp_path / "engine")
    try:
        words = ["podman", "image", "inspect", "--format", "{{.Digest}}", f"{named}:1"]
        digest = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
        line = "cat in.txt > out.txt; ls / >> out.txt; ip -o link >> out.txt; echo $MINTAGE_SEED >> out.txt"
        made.stage(line, image=f"{named}@{digest}", more=", network: false")
        made.run()
        lines = made.read("out.txt").splitlines()
        assert lines[0] == "rows" and lines[-1] == "7" and "etc" in lines
        assert "home" not in lines and "usr" not in lines
        assert len([line for line in lines if "mtu" in line]) == 1
        assert (made.workspace.root / "out.txt").stat().st_uid == os.getuid()
        left = ["--name", f"left-{os.getpid()}", "--label", f"mintage.pid={2**22 + 1}", f"{named}:1", "sleep", "600"]
        subprocess.run(["podman", "run", "-d", "--network", "none", *left], check=True, capture_output=True)
        sweep(str(shutil.which("podman")))
        words = ["podman", "ps", "-aq", "--filter", f"name=left-{os.getpid()}"]
        assert subprocess.run(words, check=True, capture_output=True).stdout == b""
    finally:
        made.connection.close()
        subprocess.run(["podman", "rmi", "-f", f"{named}:1"], check=False, capture_output=True)
