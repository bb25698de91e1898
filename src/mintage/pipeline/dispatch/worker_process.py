"""The engine ``worker``: a second Mintage on this machine for each stage, that has the remote alone.

It is told its job on its standard input, which stays open: when that is closed, because the run ended or was killed, it
ends its command and itself. Its folder is deleted with the block.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mintage.errors import WorkerLostError
from mintage.pipeline.dispatch.lost import lost_with
from mintage.pipeline.dispatch.messages import LONGEST, Job, encode
from mintage.pipeline.leftover import end_at_home
from mintage.pipeline.sandbox import tail_of
from mintage.repo.stage import Resources
from mintage.repo.workspace import Workspace

__all__ = ["COMMAND", "WorkerProcess", "start_worker"]

COMMAND = (sys.executable, "-P", "-m", "mintage", "worker")
_PATIENCE_S, _LAST_S = 10.0, 1.0
_LINES = 5


def start_worker(workspace: Workspace, job: Job, resources: Resources) -> WorkerProcess:
    """A worker for ``job``; what the stage takes of this machine is the run's to know."""
    return WorkerProcess(job, folder=workspace.tmp_dir / secrets.token_hex(8))


class WorkerProcess:
    """A channel to one worker, started by ``command`` with its ``folder`` as the last word."""

    has_begun = True

    def __init__(self, job: Job, *, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self._job, self._folder, self._command = job, folder, command
        self._buffer = b""

    def __enter__(self) -> WorkerProcess:
        self._folder.mkdir(parents=True)
        self._said = self._folder / "stderr.txt"
        with self._said.open("wb") as sink:
            self._process = subprocess.Popen(
                [*self._command, "--folder", str(self._folder)],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )
        with contextlib.suppress(BrokenPipeError):  # it ended at once: its messages tell
            assert self._process.stdin is not None
            self._process.stdin.write(encode(self._job) + b"\n")
            self._process.stdin.flush()
        return self

    def receive(self, timeout_s: float) -> bytes | None:
        stream = self._process.stdout
        assert stream is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            if not select.select([stream], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            block = os.read(stream.fileno(), 1 << 16)
            if not block:
                raise self._ended()
            self._buffer += block
            if len(self._buffer) > LONGEST:
                raise lost_with("its worker said too much at once", found=f"more than {LONGEST} bytes")
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """One that is taken for dead gets a second to end, another as long as its command may need."""
        process = self._process
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_LAST_S if kind is WorkerLostError else _PATIENCE_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode < 0:  # killed: it could not end what its command had started
            end_at_home(self._folder)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ended(self) -> WorkerLostError:
        """What became of a worker that closed its output without an answer."""
        code = self._process.wait(_PATIENCE_S)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return lost_with(f"its worker died ({how})", found=tail_of(self._said, lines=_LINES) or None)
