"""Look at an estimator's file: what it takes and gives, in the words of the environment that fitted it.

``look_at`` never raises for what a file holds: what cannot be a model is refused with a reason for people. What was
seen of some bytes in one environment is remembered, so that a run with nothing to do opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mintage.errors import DescriptionInvalidError, EstimatorRefusedError, InterpreterError, RunError
from mintage.pipeline.estimator_file import HEAD_BYTES, estimator_kind, names_an_estimator, what_it_is
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import maker_of
from mintage.pipeline.infer.choose_models import Seen
from mintage.pipeline.key import cache_key
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace

if TYPE_CHECKING:
    from mintage.lower.extraction import Glance

__all__ = ["glance_at", "head_of", "look_at"]

_LOOK = 2
"""Part of what a look is remembered under: raised when looks change."""
_GLANCED_ROWS = 16


class _Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a look."""

    role: Literal["predictor", "transformer", "refused"]
    why: str = ""
    type: str = ""


def glance_at(workspace: Workspace, estimator: Item, table: Any | None) -> Glance:
    """What it takes of the columns of ``table``, if there is one; raises EstimatorRefusedError, RunError."""
    from mintage.lower.extraction import read_glance, write_rows
    from mintage.pipeline.extract import open_extractor
    from mintage.pipeline.sandbox import Scratch
    from mintage.pipeline.table import plain_kinds

    rows = {} if table is None else plain_kinds(table.slice(0, _GLANCED_ROWS))
    with open_extractor(workspace, estimator) as extract, Scratch(workspace.tmp_dir) as scratch:
        extract(write_rows(rows, scratch.private), scratch.private / "out", {"glance": True})
        return read_glance(scratch.private / "out")


def head_of(inspector: Inspector, item: Item) -> bytes:
    """The first bytes of a file of the store."""
    with inspector.store.open(item.digest) as stream:
        return stream.read(HEAD_BYTES)


def look_at(inspector: Inspector, item: Item) -> Seen | None:
    """What the file is; None if neither its name nor its first bytes say that it is an estimator."""
    head = head_of(inspector, item)
    kind = estimator_kind(item.path, head)
    maker = maker_of(inspector.project.stages, item.path) or ""
    if kind is None:
        if not names_an_estimator(item.path):
            return None
        why = f"it is not what its name says, it is {what_it_is(item.path, head)}"
        return Seen(path=item.path, stage=maker, digest=item.digest, format="", role="refused", why=why)
    if kind.advice is not None:
        why = f"it holds {kind.name} without the program that they belong to; {kind.advice}"
        return Seen(path=item.path, stage=maker, digest=item.digest, format=kind.name, role="refused", why=why)
    environment = inspector.environment(maker or None)
    key = cache_key({"look": _LOOK, "digest": item.digest, "kind": kind.name, "environment": environment.key})
    known = inspector.cache.result(key)
    found = _opened(inspector, item) if known is None else msgspec.json.decode(known, type=_Remembered)
    if known is None:
        inspector.cache.remember(key, msgspec.json.encode(found).decode())
    return Seen(
        path=item.path,
        stage=maker,
        digest=item.digest,
        format=kind.name,
        role=found.role,
        why=found.why,
        type=found.type,
    )


def _opened(inspector: Inspector, item: Item) -> _Remembered:
    try:
        glance = glance_at(inspector.workspace, item, None)
    except (DescriptionInvalidError, EstimatorRefusedError, InterpreterError, RunError) as error:
        hint = f"; {error.hint}" if error.hint and isinstance(error, InterpreterError) else ""
        return _Remembered(role="refused", why=f"{error.message}{hint}")
    if glance.task == "transformer":
        kind = glance.estimator.rpartition(".")[2]
        return _Remembered(role="transformer", why=f"a {kind} predicts nothing", type=glance.estimator)
    return _Remembered(role="predictor", type=glance.estimator)
