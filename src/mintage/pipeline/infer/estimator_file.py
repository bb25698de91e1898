"""Tell a fitted estimator's file by its name and its first bytes, without opening it.

>>> estimator_kind("work/model.joblib", b"\\x80\\x04\\x95").name
'pickle'
>>> estimator_kind("model.ubj", b"{L\\x00\\x00").name
'xgboost'
>>> estimator_kind("train.parquet", b"PAR1") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["HEAD_BYTES", "EstimatorKind", "estimator_kind", "find_estimators"]

HEAD_BYTES = 512
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PACKED = (*_ZLIB, b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"]\x00\x00", b"\x04\x22M\x18")
_PICKLES = (".joblib", ".pkl", ".pickle")


@dataclass(frozen=True, kw_only=True)
class EstimatorKind:
    """``name`` of the format; ``advice`` what to save instead, where a model cannot be built from it."""

    name: str
    advice: str | None = None


_PICKLE = EstimatorKind(name="pickle")
_SKOPS = EstimatorKind(name="skops")
_ONNX = EstimatorKind(name="onnx")
_TORCH = EstimatorKind(name="torch")
_XGBOOST = EstimatorKind(name="xgboost", advice="save the XGBClassifier or XGBRegressor with joblib.dump")
_LIGHTGBM = EstimatorKind(name="lightgbm", advice="save the LGBMClassifier or LGBMRegressor with joblib.dump")
_CATBOOST = EstimatorKind(name="catboost", advice="save the CatBoostClassifier or CatBoostRegressor with joblib.dump")


def estimator_kind(path: str, head: bytes) -> EstimatorKind | None:
    """The kind of the file at ``path`` that begins with ``head``; None if it is no estimator, whatever its name is."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _PICKLES:
        is_pickle = len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5
        return _PICKLE if is_pickle or head.startswith(_PACKED) else None
    if suffix == ".onnx":
        return _ONNX if head[:1] == b"\x08" else None
    if suffix == ".skops":
        return _SKOPS if head.startswith(b"PK\x03\x04") else None
    if suffix == ".pt2":
        return _TORCH if head.startswith(b"PK\x03\x04") else None
    if suffix == ".ubj" or (suffix == ".json" and b'"learner"' in head):
        return _XGBOOST if head[:1] == b"{" else None
    if suffix == ".txt":
        return _LIGHTGBM if head.startswith(b"tree\nversion=") else None
    if suffix == ".cbm":
        return _CATBOOST if head.startswith(b"CBM1") else None
    return None


def find_estimators(heads: Mapping[str, bytes]) -> dict[str, EstimatorKind]:
    """Those of some files, by path with their first bytes, that hold an estimator."""
    found = {path: estimator_kind(path, head) for path, head in heads.items()}
    return {path: kind for path, kind in found.items() if kind is not None}
