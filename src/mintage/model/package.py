"""Open a model's folder: prove every byte first, then parse. See docs/spec/model-folder.md.

Files are read into memory once and it is those bytes that are compared with the signature, so a file that changes
between proof and use is never used. Without ``keys`` only the digests are compared, which shows accidents, not
attacks: for tests and for folders that this process just made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from mintage.attest.keys import PublicKey
from mintage.attest.oms import parse_model_signature, verify_model
from mintage.attest.resources import SIGNATURE_FILE, Resource, folder_files
from mintage.errors import PackageInvalidError
from mintage.model.golden import Golden, decode_golden
from mintage.model.hostile import check_graph
from mintage.model.runtime import Predictor
from mintage.model.signature import Signature, decode_signature

__all__ = ["FILES", "Package", "open_package"]

FILES = (
    "CARD.md",
    "card.json",
    "golden/expected.json",
    "golden/inputs.json",
    "model.onnx",
    "parity.json",
    "profile.json",
    "signature.json",
)
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class Package:
    """An opened model. ``root`` is its id; ``key_id`` says who signed it and ``key`` is theirs, None if no keys were
    given."""

    folder: Path
    root: str
    key_id: str | None
    signature: Signature
    files: Mapping[str, bytes]
    key: PublicKey | None = None

    @property
    def profile_bytes(self) -> bytes:
        """profile.json, for ``mintage.profile.decode_profile``."""
        return self.files["profile.json"]

    @property
    def card(self) -> dict[str, Any]:
        """card.json as plain values."""
        value: dict[str, Any] = msgspec.json.decode(self.files["card.json"], type=dict[str, Any])
        return value

    @property
    def golden(self) -> Golden:
        """The golden vectors."""
        return decode_golden(self.files["golden/inputs.json"], self.files["golden/expected.json"], self.signature)

    def predictor(self) -> Predictor:
        """Load the graph for predicting."""
        return Predictor(self.files["model.onnx"], self.signature)


def open_package(folder: Path, *, keys: Iterable[PublicKey] | None = None) -> Package:
    """Open a model's folder, proven by one of ``keys``.

    Raises SignatureMissingError, ModelTamperedError and the other errors of ``attest.oms.verify_model``, and
    PackageInvalidError or GraphRefusedError for a folder that is signed but not a model of this format.
    """
    known = None if keys is None else list(keys)
    root, key_id, resources = _proven(folder, known)
    files = _read(folder, resources)
    signature = decode_signature(files["signature.json"])
    check_graph(files["model.onnx"], signature)
    key = next((key for key in known or () if key.key_id == key_id), None)
    return Package(folder=folder, root=root, key_id=key_id, signature=signature, files=files, key=key)


def _proven(folder: Path, keys: Iterable[PublicKey] | None) -> tuple[str, str | None, tuple[Resource, ...]]:
    if keys is not None:
        found = verify_model(folder, keys)
        return found.root, found.key_id, found.resources
    try:
        data = (folder / SIGNATURE_FILE).read_bytes()
    except OSError as error:
        raise PackageInvalidError(
            "not a model's folder", expected=f"a folder with {SIGNATURE_FILE}", where=str(folder), found=str(error)
        ) from error
    _, root, manifest = parse_model_signature(data, where=str(folder / SIGNATURE_FILE))
    return root, None, manifest.resources


def _read(folder: Path, resources: tuple[Resource, ...]) -> dict[str, bytes]:
    """The files' bytes, each compared with its signed digest."""
    signed = {resource.name: resource for resource in resources}
    present = dict(folder_files(folder, ignore=(SIGNATURE_FILE,)))
    if sorted(signed) != sorted(FILES) or sorted(present) != sorted(FILES):
        odd = sorted(set(FILES) ^ set(signed) | set(FILES) ^ set(present))
        raise PackageInvalidError(
            "the folder does not hold what a model does",
            expected=", ".join(FILES),
            found=f"a difference in {', '.join(odd)}",
            where=str(folder),
            hint="get the model again from the store, by its digest",
        )
    if sum(path.stat().st_size for path in present.values()) > MAX_BYTES:
        raise PackageInvalidError("the model is too large", expected=f"at most {MAX_BYTES} bytes", where=str(folder))
    files = {name: path.read_bytes() for name, path in present.items()}
    for name, data in files.items():
        if _digest(data, signed[name].algorithm) != signed[name].digest:
            raise PackageInvalidError(
                f"{name} is not what was signed",
                expected=signed[name].digest,
                found=_digest(data, signed[name].algorithm),
                where=str(folder / name),
                hint="do not use this copy; get the model again from the store, by its digest",
            )
    return files


def _digest(data: bytes, algorithm: str) -> str:
    hasher: Any = blake3() if algorithm == "blake3" else hashlib.new(algorithm)
    hasher.update(data)
    return str(hasher.hexdigest())
