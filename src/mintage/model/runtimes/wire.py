"""The JSON that a runtime in JavaScript is asked with and answers in; the other side is js/wire.mjs.

Texts go as JSON strings, numbers as the base64 of their little-endian bytes, so that each double keeps its 64 bits.
``answer_with`` asks in parts of at most ``MAX_ROWS`` rows and puts the parts together. An answer of another form is a
RuntimeFailedError, as is what the other side says went wrong.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.base import Answers, Columns
from mintage.model.signature import Signature

__all__ = ["MAX_ROWS", "Reply", "answer_with", "page_files", "parse_reply"]

MAX_ROWS = 10_000
_TYPES = {"FP64": ("float64", "<f8"), "INT64": ("int64", "<i8")}


class _Tensor(msgspec.Struct, frozen=True):
    type: str
    dims: tuple[int, ...]
    data: str


class Reply(msgspec.Struct, frozen=True):
    """What the other side said: ``ready`` is its version, once; ``error`` what went wrong."""

    ready: str | None = None
    error: str | None = None
    outputs: Mapping[str, _Tensor] = {}
    times: tuple[float, ...] = ()


def page_files(*names: str) -> dict[str, bytes]:
    """Our scripts by name: those of js/ that are asked for, and the module that developers get too."""
    mine = files("mintage.model.runtimes") / "js"
    shared = files("mintage.model.export") / "wasm_files" / "mintage-model.mjs"
    found = {name: (mine / name).read_bytes() for name in (*names, "wire.mjs")}
    return {**found, "mintage-model.mjs": shared.read_bytes()}


def parse_reply(name: str, data: bytes) -> Reply:
    """A reply of runtime ``name``; raises RuntimeFailedError if it is an error or of another form."""
    try:
        reply = msgspec.json.decode(data, type=Reply)
    except msgspec.MsgspecError as error:
        raise RuntimeFailedError(f"{name} answered in another form", found=str(error)[:200]) from error
    if reply.error is not None:
        raise RuntimeFailedError(f"{name} failed", found=reply.error[-500:])
    return reply


def answer_with(
    ask: Callable[[bytes], Reply], name: str, signature: Signature, *, columns: Columns, timed: int
) -> Answers:
    """Ask for all rows; the first part also for the times."""
    rows = len(next(iter(columns.values())))
    parts = []
    times: tuple[float, ...] = ()
    for start in range(0, max(rows, 1), MAX_ROWS):
        part = {key: column[start : start + MAX_ROWS] for key, column in columns.items()}
        count = min(rows - start, MAX_ROWS)
        reply = ask(_encode(signature, part, count, timed if start == 0 else 0))
        times = reply.times if start == 0 else times
        parts.append({kind: _stack(name, signature, kind, reply=reply, rows=count) for kind in _TYPES})
    values, labels = (np.concatenate([part[kind] for part in parts]) for kind in _TYPES)
    return Answers(values, labels, times)


def _encode(signature: Signature, columns: Columns, rows: int, timed: int) -> bytes:
    numbers, texts = {}, {}
    for item in signature.inputs:
        column = columns[item.name]
        if item.datatype == "BYTES":
            texts[item.name] = column.tolist()
        else:
            numbers[item.name] = b64encode(np.ascontiguousarray(column, dtype="<f8").tobytes()).decode()
    # json escapes whatever some reader of lines takes for an end of line
    return json.dumps({"rows": rows, "timed": timed, "numbers": numbers, "texts": texts}).encode() + b"\n"


def _stack(name: str, signature: Signature, kind: str, *, reply: Reply, rows: int) -> np.ndarray[Any, Any]:
    """The outputs of one kind side by side."""
    spelled, dtype = _TYPES[kind]
    columns = [np.empty((rows, 0), dtype=dtype)]
    for output in signature.outputs:
        if output.datatype != kind:
            continue
        tensor = reply.outputs.get(output.name)
        shape = (rows, *output.shape[1:])
        if tensor is None or tensor.type != spelled or tensor.dims != shape:
            raise RuntimeFailedError(
                f"{name} gave another output",
                expected=f"{output.name} {spelled} {list(shape)}",
                found="nothing" if tensor is None else f"{tensor.type} {list(tensor.dims)}",
            )
        data = b64decode(tensor.data)
        columns.append(np.frombuffer(data, dtype=dtype).reshape(rows, -1 if rows else int(np.prod(shape[1:]))))
    return np.concatenate(columns, axis=1)
