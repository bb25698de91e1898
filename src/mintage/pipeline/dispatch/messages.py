"""What submitter and worker say to each other: a job, then messages, the last of which has the answer. Pure.

Each is one line of JSON. A message has a part of the log, or the answer, or nothing: then it says that the worker
lives. See docs/spec/action.md.

>>> parse_message(encode(Message(log="epoch 1\\n"))).log
'epoch 1\\n'
>>> parse_message(b"hello")
Traceback (most recent call last):
mintage.errors.project.RecordInvalidError: a worker's message cannot be read
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from mintage.errors import RecordInvalidError
from mintage.pipeline.seen.key import Seen
from mintage.repo.locks import Item

__all__ = ["LONGEST", "Answer", "Job", "Logged", "Message", "Outcome", "encode", "parse_job", "parse_message"]

T = TypeVar("T")

LONGEST = 64 << 20
"""No message is longer; one with 100,000 metrics has a tenth of that."""


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a worker is told beside the action itself: where the ``remote`` is, values of its variables (never of
    secrets), the interpreter of its ``python:`` on the submitter's machine, folders to ``hide`` from the command, and
    whether the stage's inputs are others than when it last ran."""

    action: str
    remote: str
    env: dict[str, str] = {}
    python: str | None = None
    hide: tuple[str, ...] = ()
    new_inputs: bool = False


class Logged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the command logged with MLflow, as ``KeptLog``."""

    record: str
    metrics: dict[str, float]
    said: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a command made that ended well; a metric's value is text if JSON has no number for it. ``seen`` names what
    it used of the code around it (None: nobody looked), ``sandbox`` how it was closed off."""

    outputs: tuple[Item, ...]
    metrics: tuple[tuple[str, float | str, int], ...]
    duration_s: float
    left: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    used: tuple[dict[str, Any], ...] = ()
    mlflow: Logged | None = None
    seen: Seen | None = None
    sandbox: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How it went: an ``outcome``, or how the command ``ended`` that failed, or an ``error``. The log and the executed
    notebook are in the remote. ``hardware`` is the worker's, ``variables`` what the determinism level set there."""

    action: str
    outcome: Outcome | None = None
    ended: int | Literal["timeout"] | None = None
    duration_s: float = 0.0
    error: dict[str, str] | None = None
    log: str | None = None
    notebook: str | None = None
    hardware: dict[str, Any] = {}
    variables: dict[str, str] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line that a worker says."""

    log: str = ""
    answer: Answer | None = None


def encode(value: Job | Message) -> bytes:
    """One line, without its end."""
    return msgspec.json.encode(value)


def parse_job(line: bytes) -> Job:
    """Raises RecordInvalidError."""
    return _parsed(line, Job, "a job")


def parse_message(line: bytes) -> Message:
    """Raises RecordInvalidError."""
    return _parsed(line, Message, "a worker's message")


def _parsed(line: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.MsgspecError as error:
        raise RecordInvalidError(f"{what} cannot be read", found=str(error)) from error
