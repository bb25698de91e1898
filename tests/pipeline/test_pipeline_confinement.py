"""A pickle that does harm: what the process that opens estimators is kept from. Each test is one attack."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest

from mintage.errors import RunError
from mintage.lower.extraction import write_rows
from mintage.pipeline.confinement import Limits, around, confined_command, read_applied
from mintage.pipeline.extract import open_extractor
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux closes processes off; needs its kernel")

SMALL = dataclasses.replace(Limits.of_this_machine(), memory_bytes=2 << 30, timeout_s=60.0)


class Attack:
    """Opening its pickle runs ``code``."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return exec, (self.code,)


class Victim:
    """A project with a key, and what an attack on it came to."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        root.mkdir()
        (root / "mintage.yaml").write_text(
            "project: p\nstages:\n  train: {run: python train.py, out: [model.joblib]}\n"
            "models: {m: {from: model.joblib}}\n"
        )
        self.workspace.prepare()
        self.key = self.workspace.keys_dir / "project.pem"
        self.key.parent.mkdir()
        self.key.write_text("-----BEGIN SECRET-----")
        self.applied = None

    def open(self, code: str, limits: Limits = SMALL) -> str:
        """The reason of the refusal after ``code`` ran; ``tell(x)`` in the code gives the reason."""
        told = "def tell(x):\n    raise RuntimeError(f'told {x!r}')\n"
        file = self.workspace.root / "model.joblib"
        joblib.dump(Attack(told + code), file)
        item = Item(path="model.joblib", digest=Store(self.workspace.store_dir).put_file(file), size=1)
        out = self.workspace.tmp_dir / "answer"
        rows = write_rows({"x": np.zeros(2)}, self.workspace.root / "rows")
        with open_extractor(self.workspace, item, limits=limits) as extract:
            self.applied = extract.applied
            extract(rows, out)
        reason = json.loads((out / "refused.json").read_text())["reason"]
        assert "told" in reason, reason
        return str(reason)

    def closed(self, what: str) -> None:
        """Skip where this machine's kernel does not offer a layer."""
        assert self.applied is not None
        if what in self.applied.open:
            pytest.skip(f"this kernel does not close {what} off; needs user namespaces, seccomp and Landlock")


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(tmp_path / "project")


def attempt(code: str) -> str:
    """Code that tells what ``code`` came to: its value ``got``, or the operating system's refusal."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return f"got = None\ntry:\n{body}except OSError as error:\n    got = type(error).__name__\ntell(got)\n"


def test_what_was_applied_is_known_before_the_file_is_opened(victim: Victim) -> None:
    victim.open("tell('hello')")
    assert victim.applied.memory_bytes == SMALL.memory_bytes and victim.applied.file_bytes == SMALL.file_bytes
    assert set(victim.applied.open) <= {"network", "files", "processes"}


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
def test_no_socket_reaches_a_server_outside(victim: Victim, tmp_path: Path, family: str) -> None:
    address = ("127.0.0.1", 0) if family == "AF_INET" else str(tmp_path / "server.sock")
    with socket.socket(getattr(socket, family)) as server:
        server.bind(address)
        server.listen()
        target = server.getsockname()
        code = f"import socket\nwith socket.socket(socket.{family}) as s:\n    s.connect({target!r})\n    got = 'yes'"
        told = victim.open(attempt(code))
    victim.closed("network")
    assert "told 'PermissionError'" in told


def test_the_signing_key_cannot_be_read(victim: Victim) -> None:
    told = victim.open(attempt(f"got = open({str(victim.key)!r}).read()"))
    victim.closed("files")
    assert "told 'PermissionError'" in told


def test_the_project_and_the_users_home_cannot_be_read_or_listed(victim: Victim) -> None:
    code = (
        "import os\ngot = []\n"
        f"for path in ({str(victim.workspace.root)!r}, {str(Path.home())!r}):\n"
        "    try:\n        got += os.listdir(path)\n    except PermissionError:\n        pass\n"
        f"try:\n    got += open({str(victim.workspace.root / 'mintage.yaml')!r}).read()\n"
        "except PermissionError:\n    pass\ntell(got)"
    )
    told = victim.open(code)
    victim.closed("files")
    assert "told []" in told


def test_nothing_is_written_outside_the_scratch_folder(victim: Victim, tmp_path: Path) -> None:
    targets = [victim.workspace.root / "new.txt", victim.workspace.root / "mintage.yaml", tmp_path / "new.txt"]
    before = (victim.workspace.root / "mintage.yaml").read_bytes()
    code = (
        f"got = []\nfor path in {[str(path) for path in targets]!r}:\n"
        "    try:\n        open(path, 'a').write('x'); got.append(path)\n    except PermissionError:\n        pass\n"
        "import os, tempfile\nopen('here.txt', 'w').write('x')\ntempfile.NamedTemporaryFile().write(b'x')\n"
        "tell(got)"
    )
    told = victim.open(code)
    victim.closed("files")
    assert "told []" in told
    assert (victim.workspace.root / "mintage.yaml").read_bytes() == before and not targets[0].exists()


def test_secrets_are_neither_in_its_environment_nor_readable_in_ours(victim: Victim) -> None:
    code = (
        "import os, pathlib\ngot = [value for value in os.environ.values() if 'hunter2' in value]\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try:\n        got += [str(path)] if b'hunter2' in path.read_bytes() else []\n"
        "    except OSError:\n        pass\ntell(got)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", "input()"], env={**os.environ, "SECRET": "hunter2"}, stdin=subprocess.PIPE
    )
    try:
        told = victim.open(code)
    finally:
        holder.communicate(b"\n")
    victim.closed("files")
    assert "told []" in told


def test_a_daemon_does_not_outlive_it(victim: Victim) -> None:
    word = f"daemon-{os.getpid()}-{threading.get_ident()}"
    code = (
        "import os, sys, subprocess\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', {word!r}], start_new_session=True)\n"
        "tell('started')"
    )
    told = victim.open(code)
    assert "told 'started'" in told
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if word.encode() in _read(path)]
    if left and "processes" in victim.applied.open:
        for path in left:
            os.kill(int(path.parent.name), 9)
    victim.closed("processes")
    assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_its_memory_is_bounded(victim: Victim) -> None:
    code = "got = 0\ntry:\n    while True:\n        keep = globals().setdefault('k', [])\n"
    code += "        keep.append(bytearray(1 << 28)); got += 1\nexcept MemoryError:\n    k.clear()\ntell(got)"
    blocks = int(victim.open(code, dataclasses.replace(SMALL, memory_bytes=1 << 30)).split("told ")[1])
    assert 1 <= blocks <= 4


def test_one_file_is_bounded(victim: Victim) -> None:
    limits = dataclasses.replace(SMALL, file_bytes=1 << 20)
    code = "import os, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nopen('big', 'wb').write(bytes(1 << 22))"
    assert "told 'OSError'" in victim.open(attempt(code), limits)


def test_many_files_end_it(victim: Victim) -> None:
    limits = dataclasses.replace(SMALL, folder_bytes=8 << 20)
    code = "n = 0\nwhile True:\n    open(str(n % 64), 'wb').write(bytes(1 << 20)); n += 1"
    with pytest.raises(RunError, match="writes too much"):
        victim.open(code, limits)
    assert not list(victim.workspace.tmp_dir.glob("*/work"))


@pytest.mark.parametrize("code", ["import time\ntime.sleep(600)", "while True: pass"])
def test_one_that_never_ends_is_ended(victim: Victim, code: str) -> None:
    with pytest.raises(RunError, match="failed") as caught:
        victim.open(code, dataclasses.replace(SMALL, timeout_s=0.6))
    assert caught.value.found == "no answer in 0.6 s"


def test_an_endless_answer_does_not_fill_our_memory(victim: Victim) -> None:
    code = "import os\nwhile True:\n    for fd in range(3, 20):\n        try:\n            os.write(fd, bytes(65536))\n"
    code += "        except OSError:\n            pass"
    with pytest.raises(RunError, match="failed"):
        victim.open(code)


def test_a_link_among_its_answers_is_not_followed(victim: Victim) -> None:
    code = f"import os, json, sys\nos.symlink({str(victim.key)!r}, 'out/native.json')\ntell('linked')"
    waits = "import pathlib, time\nwhile not pathlib.Path('out').is_dir():\n    time.sleep(0.01)\n"
    with pytest.raises(RunError, match="something else than files"):
        victim.open(waits + code)


def test_where_namespaces_are_not_allowed_the_rest_holds_and_the_report_says_so(victim: Victim) -> None:
    forbid = ["unshare", "-U", "-r", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*forbid, "true"], check=False).returncode != 0:
        pytest.skip("user namespaces cannot be made or forbidden here; needs unshare of util-linux")
    report, written = os.pipe()
    attack = (
        f"import socket\ntry:\n    socket.socket()\nexcept OSError:\n    print('closed')\nopen({str(victim.key)!r})"
    )
    command = confined_command(
        [sys.executable, "-c", attack],
        read=["/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix],
        write=[],
        limits=SMALL,
        report=written,
    )
    done = subprocess.run([*forbid, *command], pass_fds=[written], capture_output=True, text=True, check=False)
    os.close(written)
    victim.applied = read_applied(report, log=victim.key)
    assert "processes" in victim.applied.open
    victim.closed("network")
    assert done.stdout == "closed\n"
    victim.closed("files")
    assert "PermissionError" in done.stderr


@pytest.mark.parametrize(
    ("folder", "found"),
    [("/srv/shop/.mintage", []), ("/srv/shop/.mintage/keys", []), ("/srv/other", ["/srv/other"]), ("/", [])],
)
def test_the_state_of_a_project_is_never_readable(folder: str, found: list[str]) -> None:
    assert around(Path(folder), state=Path("/srv/shop/.mintage")) == found


def test_of_a_folder_that_holds_the_state_the_rest_is_readable(tmp_path: Path) -> None:
    for name in ("project/.mintage/keys", "project/lib", "other"):
        (tmp_path / name).mkdir(parents=True)
    found = around(tmp_path, state=tmp_path / "project/.mintage")
    assert found == [str(tmp_path / "other"), str(tmp_path / "project/lib")]
