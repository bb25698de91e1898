"""One experiment, as the message of its commit says it: what it tries, how far it came, what it measured. Pure.

>>> one = Experiment(name="depth=4", state="done", base="a" * 40, start="b3:0", metrics={"auc": 0.9})
>>> print(message_of(one).splitlines()[0])
exp: depth=4, auc 0.9
>>> read_message(message_of(one)) == one
True
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from mintage.errors import FileMalformedError

__all__ = ["PREFIX", "Experiment", "Found", "message_of", "read_message", "ref_of"]

PREFIX = "refs/mintage/exp/"
_TRAILER = "Mintage-Experiment: "
_SUBJECT = 72


class Experiment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``base`` is the commit that HEAD named; ``tree`` that of the work tree as it was; ``start`` the digest of what
    is run: that tree, what was ``set``, which ``stages`` (all, without). ``params`` are those that differ from the
    base's. Unknown fields, of a later Mintage, are passed over."""

    name: str
    state: Literal["planned", "done", "failed"]
    base: str
    start: str
    version: int = 0
    tree: str = ""
    set: dict[str, str] = {}
    stages: tuple[str, ...] = ()
    params: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    actions: dict[str, str] = {}
    run: str | None = None
    error: str | None = None
    duration_s: float = 0.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment with where it lies: its ref, its commit, and when that was made (seconds since 1970)."""

    ref: str
    commit: str
    at: int
    experiment: Experiment


def ref_of(experiment: Experiment) -> str:
    """The ref that keeps it."""
    return f"{PREFIX}{experiment.base[:12]}/{experiment.name}"


def message_of(experiment: Experiment) -> str:
    """The message of its commit: a line for people, and all of it as one trailer."""
    said = {"planned": "planned", "failed": "failed"}.get(experiment.state, "")
    first = next((f"{key} {value:.6g}" for key, value in experiment.metrics.items()), "")
    subject = f"exp: {experiment.name}" + "".join(f", {part}" for part in (said or first,) if part)
    if len(subject) > _SUBJECT:
        subject = f"{subject[: _SUBJECT - 1]}…"
    return f"{subject}\n\n{_TRAILER}{msgspec.json.encode(experiment, order='sorted').decode()}\n"


def read_message(text: str, *, where: str | None = None) -> Experiment:
    """What the message of the commit ``where`` says; raises FileMalformedError if it is none of ours."""
    start = text.rfind(_TRAILER)
    try:
        if start < 0:
            raise msgspec.DecodeError(f"there is no {_TRAILER.strip()}")
        return _DECODER.decode(text[start + len(_TRAILER) :].strip())
    except msgspec.MsgspecError as error:
        raise FileMalformedError(
            "the message of an experiment's commit cannot be read",
            found=str(error),
            where=where,
            hint="delete the ref with `git update-ref -d`, or use a later Mintage",
        ) from error


_DECODER = msgspec.json.Decoder(Experiment)
