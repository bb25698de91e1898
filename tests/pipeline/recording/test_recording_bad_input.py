"""What a careful colleague would say of odd stages: left processes, secrets, a full disk, questions, no terminal."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from recorded import Desk, Project, single

from mintage.errors import DiskTooFullError, StageFailedError
from mintage.pipeline.recording.protect import is_possible
from mintage.pipeline.sandbox import run_command
from mintage.pipeline.secret import masked, secret_values
from mintage.store.local import Store
from small_project import wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
SECRET = "hunter2hunter2"
DECLARED = "run: python s.py\n    in: [a.csv]\n    out: [m.bin]"
WELL = "open('a.csv').read()\nopen('m.bin', 'w').write('m')\n"
DAEMON = """\
import os, subprocess
child = subprocess.Popen(["sleep", "1000"], start_new_session={})
open("pid.txt", "w").write(str(child.pid))
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@linux
@pytest.mark.parametrize("apart", [True, False])
def test_a_process_left_behind_is_ended_and_said(make, apart: bool) -> None:
    project = make(single(DAEMON.format(apart)))
    outcome = project.run()
    assert not is_running(int(project.read("pid.txt")))
    assert "leaves sleep running: it was ended" in outcome.learned["s"].proposal.remarks
    project.run(force=True)
    assert project.notes == ["leaves sleep running: it was ended"]


@linux
def test_a_process_that_ends_by_itself_in_a_moment_is_no_reason_to_speak(make) -> None:
    project = make(single("import subprocess\nsubprocess.Popen(['sleep', '0.05'])\nopen('m', 'w')"))
    assert project.run().learned["s"].proposal.remarks == ()


@linux
def test_a_daemon_of_a_stage_that_is_interrupted_is_ended(tmp_path) -> None:
    script = tmp_path / "s.py"
    script.write_text(DAEMON.format(True) + "open('ready', 'w')\nimport signal\nsignal.pause()\n")

    def interrupt() -> None:
        wait_until((tmp_path / "ready").exists, "the script")
        os.kill(os.getpid(), signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        run_command(["python", "s.py"], folder=tmp_path, environment=dict(os.environ), log=tmp_path / "log")
    other.join()
    assert not is_running(int((tmp_path / "pid.txt").read_text()))


def everything_kept(project: Project) -> bytes:
    files = [path for path in project.workspace.state.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


@pytest.mark.parametrize("stage", ["run: python s.py\n    env: [API_TOKEN]", f"{DECLARED}\n    env: [API_TOKEN]"])
def test_a_secret_variable_that_is_printed_is_masked_in_log_and_store(make, monkeypatch, stage: str) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    project = make(single("import os\nprint('token', os.environ['API_TOKEN'])\n" + WELL, stage, **{"a.csv": "a"}))
    outcome = project.run()
    store = Store(project.workspace.store_dir)
    log = store.get_bytes(store.get_record(outcome.record).body["stages"]["s"]["log"])
    assert log == b"token ***\n"
    assert SECRET.encode() not in everything_kept(project)


def test_a_secret_in_the_message_of_a_failure_is_masked(make, monkeypatch) -> None:
    monkeypatch.setenv("DB_URL", f"postgres://me:{SECRET}@host/db")
    script = "import os\nraise ValueError('cannot reach ' + os.environ['DB_URL'])"
    project = make(single(script, "run: python s.py\n    env: [DB_URL]"))
    with pytest.raises(StageFailedError, match=r"cannot reach postgres://me:\*\*\*@host/db"):
        project.run()
    assert SECRET.encode() not in everything_kept(project)


def test_a_variable_that_is_not_declared_is_not_there(make, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    project = make(single("import os\nopen('m', 'w').write(repr(dict(os.environ)))"))
    project.run()
    assert SECRET not in project.read("m")


@pytest.mark.parametrize(
    ("variables", "text", "result"),
    [
        ({"TOKEN": "abcdefgh"}, b"x abcdefgh y", b"x *** y"),
        ({"MY_KEY": "line one\nline two"}, b"line two", b"***"),
        ({"PASSWORD": "a/b c+d e"}, b"q=a%2Fb%20c%2Bd%20e", b"q=***"),
        (
            {"TOKEN": "short", "KEYBOARD": "querty-layout", "DATA": "customers.csv"},
            b"short querty-layout customers.csv",
            b"short querty-layout customers.csv",
        ),
    ],
)
def test_what_looks_secret_is_masked_and_nothing_else(variables: dict[str, str], text: bytes, result: bytes) -> None:
    assert masked(text, secret_values(variables)) == result


def test_a_configuration_with_a_password_is_told_and_the_value_not_shown(make) -> None:
    script = "import yaml\nyaml.safe_load(open('c.yaml'))\nopen('m', 'w')"
    project = make(single(script, **{"c.yaml": f"db:\n  password: {SECRET}\n  host: h\n"}))
    learned = project.run().learned["s"]
    assert any("c.yaml, which holds db.password" in remark for remark in learned.proposal.remarks)
    assert SECRET not in str(learned.summary())


def test_a_file_with_a_private_key_is_not_declared_and_not_kept(make) -> None:
    key = '{"private_key": "-----BEGIN PRIVATE KEY-----hunter2hunter2"}'
    project = make(single("open('account.json').read()\nopen('m', 'w')", **{"account.json": key}))
    project.run()
    assert "account.json" not in project.read("mintage.yaml")
    assert SECRET.encode() not in everything_kept(project)


Usage = namedtuple("Usage", "total used free")


def test_inputs_that_the_disk_has_no_room_for_are_refused_before_a_byte_is_copied(make, monkeypatch) -> None:
    project = make(single(WELL, DECLARED, **{"a.csv": "a" * 1000}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 64 << 20))
    with pytest.raises(DiskTooFullError, match="no room for the inputs of stage s") as caught:
        project.run()
    assert "a.csv" in str(caught.value.found)
    assert b"a" * 1000 not in everything_kept(project)


def test_what_a_recorded_stage_made_is_kept_though_the_disk_has_no_room_for_its_inputs(make, monkeypatch) -> None:
    project = make(single(WELL, **{"a.csv": "a" * 1000}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 64 << 20))
    project.run()
    assert project.read("m.bin") == "m"
    assert "not copied into the store" in project.notes[0]
    assert project.run().actions == {"s": "keep"}


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        ("import click\nclick.confirm('Go on?', abort=True)", "no terminal"),
        ("import getpass, warnings\nwarnings.simplefilter('ignore')\ngetpass.getpass()", "no terminal"),
        ("raise OSError(28, 'No space left on device')", "the disk is full"),
    ],
)
def test_a_stage_that_asks_or_finds_the_disk_full_gets_a_clear_word(make, script: str, hint: str) -> None:
    project = make(single(script))
    before = project.tree()
    with pytest.raises(StageFailedError) as caught:
        project.run()
    assert hint in caught.value.hint
    assert project.tree() == before


HYDRA = """\
import datetime, os, sys, yaml
conf = {}
for name in ("config.yaml", "model/tree.yaml"):
    conf |= yaml.safe_load(open("conf/" + name))
conf |= dict(word.split("=") for word in sys.argv[1:])
folder = datetime.datetime.now().strftime("outputs/%Y-%m-%d/%H-%M-%S")
os.makedirs(folder + "/.hydra")
yaml.safe_dump(conf, open(folder + "/.hydra/config.yaml", "w"))
open("m.bin", "w").write(str(conf))
"""


def test_a_project_in_the_manner_of_hydra_is_declared_without_its_dated_folders(make) -> None:
    files = {"conf/config.yaml": "rate: 0.1\n", "conf/model/tree.yaml": "depth: 3\n"}
    project = make(single(HYDRA, "run: python s.py depth=5", **files))
    outcome = project.run()
    stage = project.workspace.project().stages["s"]
    assert (stage.inputs, stage.out) == (("conf/config.yaml", "conf/model/tree.yaml"), ("m.bin",))
    assert any("named by the time of the run" in remark for remark in outcome.learned["s"].proposal.remarks)
    assert project.runs.params_of(outcome.run_id)["conf/config.yaml:rate"] == 0.1
    assert project.run().actions == {"s": "keep"}
    project.write("conf/model/tree.yaml", "depth: 4\nleaf: 2\n")
    assert project.run().actions == {"s": "run"}
    assert "'leaf': 2" in project.read("m.bin")


@pytest.mark.skipif(not is_possible(), reason="needs Linux 6.2 with Landlock")
def test_a_file_of_50_gigabytes_is_neither_copied_nor_read_through(desk: Desk) -> None:
    with desk.write("big.bin", b"").open("wb") as stream:
        stream.truncate(50 << 30)
    found = desk.record("import os\nprint(len(open('big.bin', 'rb').read(10)), os.path.getsize('big.bin'))")
    assert desk.log.read_text().split() == ["10", str(50 << 30)]
    assert (found.reads, found.notes) == (("big.bin",), ())
    assert found.finished.exit_code == 0
