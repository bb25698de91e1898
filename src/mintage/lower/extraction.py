"""The process that opens an estimator: its command, the rows it is given, and the answers it wrote.

The caller runs the command, in the user's environment and in a sandbox if it has one; this file only knows the files.
A row that the estimator itself refuses (an infinity, an unseen category) is an answer too: ``Native.failed``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.errors import DescriptionInvalidError
from mintage.lower.description import raise_refusal, read_arrays

__all__ = [
    "Columns",
    "Glance",
    "Native",
    "Oracle",
    "dialogue_command",
    "extraction_command",
    "read_glance",
    "read_native",
    "read_oracle",
    "write_rows",
]

Columns = Mapping[str, "np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class Native:
    """The library's own answers: ``values`` float64 [N, W], ``labels`` int64 [N, targets], each the place of a class.

    Values are probabilities of all targets side by side, or a regressor's numbers, which has no labels. Where
    ``failed`` is true the estimator raised an error: the values are NaN and the labels -1. Where ``tied`` is true its
    answer depends on the order of its training rows, and another is as right. ``messages`` are the first
    such errors, each with its row; ``single_us`` times of single rows, if they were asked for.
    """

    values: np.ndarray[Any, np.dtype[np.float64]]
    labels: np.ndarray[Any, np.dtype[np.int64]]
    failed: np.ndarray[Any, np.dtype[np.bool_]]
    tied: np.ndarray[Any, np.dtype[np.bool_]]
    messages: tuple[tuple[int, str], ...]
    single_us: tuple[float, ...] = ()


@dataclass(frozen=True)
class Oracle:
    """A second opinion: ``values`` float64 [N, W] by ``answered_by``, or None and why in ``missing``."""

    values: np.ndarray[Any, np.dtype[np.float64]] | None
    answered_by: str | None = None
    missing: str | None = None


class Glance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an estimator takes and gives: ``classes`` of each target of a classifier, the ``names`` of its columns in
    their order, None if it keeps none, and their ``count``, None if it does not say. ``estimator`` is its type. A
    ``transformer`` changes columns and predicts nothing. A ``threshold`` stood beside it in its file."""

    kind: Literal["estimator-glance"]
    version: Literal[0]
    estimator: str
    task: Literal["classifier", "regressor", "transformer"]
    classes: tuple[tuple[str | bool | int | float, ...], ...]
    names: tuple[str, ...] | None
    count: int | None
    threshold: float | None = None

    @property
    def targets(self) -> int:
        """How many targets a classifier has; of a regressor one is taken, which building the model proves."""
        return max(1, len(self.classes))


class _OracleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """oracle.json as it is written."""

    kind: Literal["oracle-outputs"]
    version: Literal[0]
    answered_by: str | None = None
    missing: str | None = None


class _NativeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """native.json as it is written."""

    kind: str
    version: int
    rows: int
    messages: tuple[tuple[int, str], ...]
    single_us: tuple[float, ...] = ()


def extraction_command(estimator: Path, rows: Path, out: Path, *, python: Path | str) -> list[str]:
    """The command with which ``python`` opens ``estimator`` and answers ``rows`` into the folder ``out``.

    ``-I`` keeps the working folder, PYTHONPATH and the user's site out of its import path.
    """
    return [*dialogue_command(estimator, python=python), str(rows.absolute()), str(out.absolute())]


def dialogue_command(estimator: Path, *, python: Path | str) -> list[str]:
    """The command with which ``python`` opens ``estimator`` once and answers requests until its input ends.

    A request is a line ``["ROWS.npz", "OUT_DIR"]``; the answer is the line ``done``, or the process fails.
    """
    script = Path(__file__).parent / "extract" / "__main__.py"
    return [str(python), "-I", str(script), str(estimator.absolute())]


def write_rows(columns: Columns, folder: Path) -> Path:
    """Write ``folder``/rows.npz: float64 columns as they are; text as UTF-8 bytes, ends and a null mask."""
    arrays: dict[str, Any] = {}
    meta = []
    for index, (name, column) in enumerate(columns.items()):
        text = column.dtype.kind in "OU"
        meta.append({"name": name, "kind": "text" if text else "number"})
        if not text:
            arrays[f"c{index}"] = column.astype(np.float64)
            continue
        parts = [b"" if value is None else str(value).encode() for value in column.tolist()]
        arrays[f"c{index}.text"] = np.frombuffer(b"".join(parts), dtype=np.uint8)
        arrays[f"c{index}.ends"] = np.cumsum([len(part) for part in parts], dtype=np.int64)
        arrays[f"c{index}.null"] = np.array([value is None for value in column.tolist()], dtype=bool)
    arrays["columns"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.npz"
    with path.open("wb") as stream:
        np.savez(stream, **arrays)
    return path


def read_glance(folder: Path) -> Glance:
    """What the process said at a glance; raises EstimatorRefusedError or DescriptionInvalidError."""
    raise_refusal(folder)
    try:
        return msgspec.json.decode((folder / "glance.json").read_bytes(), type=Glance)
    except (OSError, msgspec.MsgspecError) as error:
        raise DescriptionInvalidError("glance.json does not fit", where=str(folder), found=str(error)) from error


def read_native(folder: Path, *, rows: int, width: int, targets: int) -> Native:
    """The answers to ``rows`` rows of an estimator with ``width`` values and ``targets`` labels.

    Raises DescriptionInvalidError if they are not that many or malformed.
    """
    try:
        file = msgspec.json.decode((folder / "native.json").read_bytes(), type=_NativeFile)
    except (OSError, msgspec.MsgspecError) as error:
        raise DescriptionInvalidError("native.json does not fit", where=str(folder), found=str(error)) from error
    arrays = read_arrays(folder / "native.npz")
    shapes = {name: (array.shape, array.dtype.str) for name, array in arrays.items()}
    expected = {"values": ((rows, width), "<f8"), "labels": ((rows, targets), "<i8"), "failed": ((rows,), "|b1")}
    expected["tied"] = expected["failed"]
    if (file.kind, file.version, file.rows) != ("native-outputs", 0, rows) or shapes != expected:
        raise DescriptionInvalidError("native outputs do not fit", expected=str(expected), found=str(shapes))
    return Native(
        values=arrays["values"],
        labels=arrays["labels"],
        failed=arrays["failed"],
        tied=arrays["tied"],
        messages=file.messages,
        single_us=file.single_us,
    )


def read_oracle(folder: Path, *, rows: int, width: int) -> Oracle:
    """What the second opinion wrote; raises DescriptionInvalidError if it does not fit."""
    try:
        file = msgspec.json.decode((folder / "oracle.json").read_bytes(), type=_OracleFile)
    except (OSError, msgspec.MsgspecError) as error:
        raise DescriptionInvalidError("oracle.json does not fit", where=str(folder), found=str(error)) from error
    if file.answered_by is None:
        return Oracle(None, missing=file.missing or "no reason given")
    values, by = read_arrays(folder / "oracle.npz").get("values"), file.answered_by
    if values is None or values.shape != (rows, width) or values.dtype != np.float64:
        found = "none" if values is None else f"{values.shape} {values.dtype}"
        return Oracle(None, answered_by=by, missing=f"{by} answers in another shape: {found}")
    return Oracle(values, answered_by=by)
