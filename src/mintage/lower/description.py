"""What the extraction wrote of a fitted estimator, read strictly. See docs/spec/estimator-description.md.

``read_description(folder)`` trusts nothing in the folder: sizes are capped, arrays are read without pickle, and what
does not fit raises DescriptionInvalidError. It runs no code of the estimator and imports no library of it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec
import numpy as np

from mintage.errors import DescriptionInvalidError, EstimatorRefusedError

__all__ = [
    "WAYS_OUT",
    "Class",
    "Description",
    "InputColumn",
    "Opaque",
    "Step",
    "Task",
    "raise_refusal",
    "read_arrays",
    "read_description",
]

Task = Literal["classifier", "regressor"]
Class = str | int | float | bool
MAX_BYTES = 1 << 30
MAX_MEMBERS = 100_000
MAX_DEPTH = 80
WAYS_OUT = (
    "do it with a transformer that is lowered (docs/spec/estimator-description.md lists them), "
    "move it into the stage that prepares the data, or write it in ONNX as a family of its own in an entry point "
    "of group mintage.families"
)


class InputColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One raw column that the estimator takes: a number (float64, NaN is missing) or text (None is missing)."""

    name: str
    kind: Literal["number", "text"]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """estimator.json as it is written."""

    kind: Literal["estimator-description"]
    version: Literal[0]
    libraries: dict[str, str]
    container: str
    missing: Literal["none", "nan"]
    inputs: tuple[InputColumn, ...]
    task: Task
    classes: tuple[tuple[Class, ...], ...]
    width: int
    estimator: Any


@dataclass(frozen=True)
class Opaque:
    """Something that the extraction only names."""

    type: str


@dataclass(frozen=True)
class Step:
    """One object of the estimator: its type's full name, its attributes, and where it stands in the pipeline."""

    type: str
    state: Mapping[str, Any]
    path: str = "estimator"

    @property
    def short(self) -> str:
        """The class name without its module."""
        return self.type.rpartition(".")[2]

    def at(self, name: str) -> Step:
        """The same step, named as a part of the pipeline."""
        return Step(self.type, self.state, f"{self.path}/{name}")

    def get(self, name: str) -> Any:
        """An attribute; its absence means an unknown version of the library, which is refused."""
        if name not in self.state:
            self.refuse(f"has no attribute {name!r}: this version of its library is not known")
        return self.state[name]

    def numbers(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """An attribute that is an array of numbers, as float64."""
        value = self.get(name)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            self.refuse(f"has a {name!r} that is not an array of numbers")
        return value.astype(np.float64)

    def step(self, name: str) -> Step:
        """An attribute that is an object."""
        value = self.get(name)
        if not isinstance(value, Step):
            self.refuse(f"has a {name!r} that is not an object of a known library")
        return Step(value.type, value.state, self.path)

    def refuse(self, why: str) -> NoReturn:
        """Refuse the estimator because of this step."""
        raise EstimatorRefusedError(f"{self.short} {why}", where=self.path, hint=WAYS_OUT)


@dataclass(frozen=True)
class Description:
    """A fitted estimator: what it takes and gives, and the objects that it is made of.

    A classifier has ``classes`` for each target (of two, the second is the positive one), a regressor none; ``width``
    is how many numbers it gives a row: probabilities of all targets side by side, or values. ``missing`` says what a
    missing text was for the estimator: None or NaN.
    """

    libraries: Mapping[str, str]
    container: str
    missing: Literal["none", "nan"]
    inputs: tuple[InputColumn, ...]
    task: Task
    classes: tuple[tuple[Class, ...], ...]
    width: int
    root: Step


def raise_refusal(folder: Path) -> None:
    """Raise EstimatorRefusedError if the process that opens the estimator wrote that it refuses it."""
    refused = folder / "refused.json"
    if refused.exists():
        reason = json.loads(_read(refused)).get("reason", "no reason given")
        raise EstimatorRefusedError(str(reason), where=str(folder), hint=WAYS_OUT)


def read_description(folder: Path) -> Description:
    """Read estimator.json and estimator.npz.

    Raises EstimatorRefusedError if the extraction refused, DescriptionInvalidError if the files do not fit.
    """
    raise_refusal(folder)
    try:
        file = msgspec.json.decode(_read(folder / "estimator.json"), type=_File)
    except msgspec.MsgspecError as error:
        raise DescriptionInvalidError(
            "estimator.json does not fit", expected="an estimator description, version 0", found=str(error)
        ) from error
    if not file.inputs or len({column.name for column in file.inputs}) != len(file.inputs):
        raise DescriptionInvalidError("estimator.json does not fit", expected="inputs of different names")
    if not _face_fits(file):
        raise DescriptionInvalidError(
            "estimator.json does not fit", expected="classes of each target of a classifier, as many as its outputs"
        )
    root = _value(file.estimator, read_arrays(folder / "estimator.npz"), 0)
    if not isinstance(root, Step):
        name = root.type if isinstance(root, Opaque) else type(root).__name__
        raise EstimatorRefusedError(f"{name} is not from a library that can be lowered", hint=WAYS_OUT)
    return Description(
        libraries=file.libraries,
        container=file.container,
        missing=file.missing,
        inputs=file.inputs,
        task=file.task,
        classes=file.classes,
        width=file.width,
        root=root,
    )


def _face_fits(file: _File) -> bool:
    """A classifier has two classes or more a target, all different; a regressor has none."""
    if file.task == "regressor":
        return not file.classes and file.width > 0
    sizes = [len(set(classes)) for classes in file.classes]
    unique = sizes == [len(classes) for classes in file.classes]
    return bool(sizes) and min(sizes) >= 2 and unique and sum(sizes) == file.width


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of an npz file, without pickle, after looking at what it would grow to."""
    try:
        with zipfile.ZipFile(io.BytesIO(_read(path))) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_BYTES:
                raise DescriptionInvalidError("the arrays are too large", expected=f"at most {MAX_BYTES} bytes")
            return {
                member.filename.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(member)), allow_pickle=False
                )
                for member in members
            }
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, SyntaxError) as error:
        raise DescriptionInvalidError("arrays cannot be read", found=str(error), where=path.name) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DescriptionInvalidError("the file is too large", expected=f"at most {MAX_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise DescriptionInvalidError(f"{path.name} is not there", where=str(path), found=str(error)) from error


def _value(item: Any, arrays: Mapping[str, Any], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise DescriptionInvalidError("the description is too deeply nested")
    if isinstance(item, list):
        return [_value(part, arrays, depth + 1) for part in item]
    if not isinstance(item, dict):
        return item
    try:
        return _tagged(item, arrays, depth)
    except (KeyError, TypeError, ValueError) as error:
        raise DescriptionInvalidError("a value of the description does not fit", found=repr(error)) from error


def _tagged(item: Mapping[str, Any], arrays: Mapping[str, Any], depth: int) -> Any:
    match item["$"]:
        case "float":
            return float(item["value"])
        case "array":
            return arrays[item["ref"]]
        case "objects":
            array = np.empty(len(item["items"]), dtype=object)
            array[:] = [_value(part, arrays, depth + 1) for part in item["items"]]
            return array.reshape(item["shape"])
        case "dict":
            return {key: _value(part, arrays, depth + 1) for key, part in item["items"]}
        case "object":
            return Step(item["type"], {key: _value(part, arrays, depth + 1) for key, part in item["state"].items()})
        case "opaque" | "type":
            return Opaque(item.get("type") or item["name"])
        case "slice":
            return slice(*item["items"])
        case other:
            raise ValueError(f"unknown tag {other!r}")
