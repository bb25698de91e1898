"""``mintage worker``: run one stage by the digest of its action, with nothing but the remote.

`mintage run --executor worker` starts it and tells it its job on the standard input, one line of JSON; what it says are
lines of JSON on the standard output (docs/spec/action.md). When its standard input is closed it ends what it runs.
With an action as argument a person runs it again: the log goes to standard error, the answer to standard output.
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

from mintage.cli.console import emit_json
from mintage.errors import RecordInvalidError, UsageError
from mintage.pipeline.dispatch.answers import error_of
from mintage.pipeline.dispatch.messages import LONGEST, Answer, Job, Message, encode, parse_job
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
    if (arguments.action is None) != (arguments.remote is None):
        raise UsageError("an action goes with --remote", hint="as in `mintage worker b3:… --remote ../churn-remote`")
    gone = threading.Event()
    if arguments.action is None:
        job, tell = _read_job(), _tell_submitter
        threading.Thread(target=_watch, args=(gone,), daemon=True).start()
    else:
        remote = remote_at(Path(arguments.remote)).root.resolve()
        job, tell = Job(action=arguments.action, remote=str(remote)), _tell_person
    answer: Answer | None = None
    with _folder(arguments.folder) as folder:
        messages = work(job, folder=folder, environments=folder / "environments.db", stop=gone.is_set)
        with contextlib.closing(messages):
            for message in messages:
                answer = message.answer
                if not gone.is_set():
                    tell(message)
    return 0 if answer is not None and answer.outcome is not None else _FAILED


def _tell_submitter(message: Message) -> None:
    sys.stdout.buffer.write(encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _tell_person(message: Message) -> None:
    """The log as talk, the answer as data; raises what the worker met."""
    sys.stderr.write(message.log)
    if message.answer is not None and message.answer.error is not None:
        raise error_of(message.answer.error)
    if message.answer is not None:
        emit_json(message.answer)


def _read_job() -> Job:
    line = b"" if sys.stdin.isatty() else sys.stdin.buffer.readline(LONGEST)
    try:
        return parse_job(line)
    except RecordInvalidError as error:
        raise UsageError(
            "no job stands on the standard input",
            found=error.found,
            hint="`mintage run --executor worker` starts this; by hand, name an action and its --remote",
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
