"""What a node of a Ray cluster does with a job; Ray itself is not imported here."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import msgspec

from mintage.pipeline.dispatch.messages import encode, parse_job
from mintage.pipeline.dispatch.worker import work
from mintage.pipeline.dispatch.worker_environment import kept_folder

__all__ = ["run_job"]


def run_job(line: bytes) -> Generator[bytes]:
    """The messages of a worker in a temporary folder; what interpreters have is remembered between jobs.

    The interpreter is asked alone: Ray puts folders of its own on the path of its processes, which no stage sees.
    """
    job = parse_job(line)
    job = msgspec.structs.replace(job, python=job.python or sys.executable)
    folder = Path(tempfile.mkdtemp(prefix="mintage-worker-"))
    try:
        with contextlib.closing(
            work(job, folder=folder, environments=kept_folder() / "worker-environments.db")
        ) as messages:
            for message in messages:
                yield encode(message)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
