"""``mintage worker``: run one stage by the digest of its action, with nothing but the remote.

`mintage run --executor worker` starts it and tells it its job on the standard input, one line of JSON; what it says are
lines of JSON on the standard output (docs/spec/action.md). When its standard input is closed it ends what it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from mintage.errors import RecordInvalidError, UsageError
from mintage.pipeline.dispatch.messages import LONGEST, Answer, Job, encode, parse_job
from mintage.pipeline.dispatch.worker import work
from mintage.repo.remote import remote_at

__all__ = ["configure", "run"]

_FAILED = 6


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", nargs="?", help="the digest of the action to run (default: a job is read from standard input)"
    )
    parser.add_argument("--remote", metavar="FOLDER", help="with an action: the remote that has what it names")
    parser.add_argument("--folder", metavar="FOLDER", help="work in this empty folder (default: a temporary one)")


def run(arguments: argparse.Namespace) -> int:
    gone = threading.Event()
    job = _job(arguments)
    if arguments.action is None:
        threading.Thread(target=_watch, args=(gone,), daemon=True).start()
    answer: Answer | None = None
    with _folder(arguments.folder) as folder:
        messages = work(job, folder=folder, environments=folder / "environments.db", stop=gone.is_set)
        with contextlib.closing(messages):
            for message in messages:
                answer = message.answer
                if not gone.is_set():
                    sys.stdout.buffer.write(encode(message) + b"\n")
                    sys.stdout.buffer.flush()
    return 0 if answer is not None and answer.outcome is not None else _FAILED


def _job(arguments: argparse.Namespace) -> Job:
    if (arguments.action is None) != (arguments.remote is None):
        raise UsageError("an action goes with --remote", hint="as in `mintage worker b3:… --remote ../churn-remote`")
    if arguments.action is not None:
        return Job(action=arguments.action, remote=str(remote_at(Path(arguments.remote)).root.resolve()))
    line = sys.stdin.buffer.readline(LONGEST)
    try:
        return parse_job(line)
    except RecordInvalidError as error:
        raise UsageError(
            "no job stands on the standard input", found=error.found, hint="`mintage run --executor worker` starts this"
        ) from error


def _watch(gone: threading.Event) -> None:
    """Wait until whoever started this is gone."""
    while os.read(sys.stdin.fileno(), 1 << 16):  # the buffered one holds a lock that the end of Python waits for
        pass
    gone.set()


@contextlib.contextmanager
def _folder(named: str | None) -> Iterator[Path]:
    """The folder to work in; a temporary one is deleted."""
    if named is not None:
        yield Path(named).resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="mintage-worker-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
