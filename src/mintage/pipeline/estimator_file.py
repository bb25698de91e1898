"""Tell a fitted estimator's file by its name and its first bytes, without opening it.

>>> estimator_kind("work/model.joblib", b"\\x80\\x04\\x95").name
'pickle'
>>> estimator_kind("model.ubj", b"{L\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x07learner").name
'xgboost'
>>> estimator_kind("train.parquet", b"PAR1") is None
True
>>> what_it_is("model.pkl", b"<!DOCTYPE html><html>")
'a web page'
"""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

__all__ = [
    "HEAD_BYTES",
    "PICKLES",
    "EstimatorKind",
    "can_hold_one",
    "estimator_kind",
    "names_an_estimator",
    "what_it_is",
]

HEAD_BYTES = 512
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PACKED = (*_ZLIB, b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"]\x00\x00", b"\x04\x22M\x18")
PICKLES = (".joblib", ".pkl", ".pickle")
_BOOSTERS = (".ubj", ".json", ".txt", ".cbm", ".xgb", ".lgb", ".bst", ".model")
_PT = (".pt", ".pth")
_NAMED = (*PICKLES, *_PT, ".skops", ".onnx", ".pt2", ".ubj", ".cbm")
_ZIP = b"PK\x03\x04"


class EstimatorKind(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` of the format; ``advice`` what to save instead, where a model cannot be built from it."""

    name: str
    advice: str | None = None


_PICKLE = EstimatorKind(name="pickle")
_SKOPS = EstimatorKind(name="skops")
_ONNX = EstimatorKind(name="onnx")
_TORCH = EstimatorKind(name="torch")
_XGBOOST = EstimatorKind(name="xgboost")
_LIGHTGBM = EstimatorKind(name="lightgbm")
_CATBOOST = EstimatorKind(name="catboost")
_WEIGHTS = EstimatorKind(
    name="torch weights",
    advice="save the program with its weights: `program = torch.export.export(model.eval(), (rows,), "
    'dynamic_shapes=({0: torch.export.Dim("rows")},))`, then `torch.export.save(program, "model.pt2")`, where `rows` '
    "is a tensor of two or more rows",
)


def estimator_kind(path: str, head: bytes) -> EstimatorKind | None:
    """The kind of the file at ``path`` that begins with ``head``; None if it is no estimator, whatever its name is."""
    suffix = _suffix(path)
    is_pickle = len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5
    if suffix in PICKLES:
        return _PICKLE if is_pickle or head.startswith(_PACKED) else None
    if suffix in _PT:
        return _WEIGHTS if is_pickle or head.startswith(_ZIP) else None
    if suffix == ".onnx":
        return _ONNX if head[:1] == b"\x08" else None
    if suffix == ".skops":
        return _SKOPS if head.startswith(_ZIP) else None
    if suffix == ".pt2":
        return _TORCH if head.startswith(_ZIP) else None
    return _booster(head) if suffix in _BOOSTERS else None


def _booster(head: bytes) -> EstimatorKind | None:
    """A bare model of one of the three libraries, in its own format."""
    if head[:1] == b"{" and b"learner" in head[:32]:
        return _XGBOOST
    if head.startswith(b"tree\nversion="):
        return _LIGHTGBM
    return _CATBOOST if head.startswith(b"CBM1") else None


def can_hold_one(path: str) -> bool:
    """Whether a file of that name may hold an estimator."""
    return _suffix(path) in (*_NAMED, *_BOOSTERS)


def names_an_estimator(path: str) -> bool:
    """Whether a file of that name can hardly be anything else; a .json or .txt can.

    >>> names_an_estimator("a/model.pkl"), names_an_estimator("notes.txt")
    (True, False)
    """
    return _suffix(path) in _NAMED


def _suffix(path: str) -> str:
    """As ``PurePosixPath(path).suffix`` has it, in lower case; a thousand outputs are asked."""
    name = path.rpartition("/")[2]
    place = name.rfind(".")
    return name[place:].lower() if 0 < place < len(name) - 1 else ""


def what_it_is(path: str, head: bytes) -> str:
    """What a file of an estimator's name holds instead, as far as its first bytes tell."""
    start = head.lstrip()[:64].lower()
    if not head:
        return "an empty file"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS; `git lfs pull` brings the file"
    if head.startswith(_ZIP):
        return "a zip archive"
    if head.startswith(b"\x89HDF"):
        return "an HDF5 file"
    text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "a text" if text else f"something else than a {PurePosixPath(path).suffix} file"
