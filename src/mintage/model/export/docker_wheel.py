"""A wheel of the Mintage that runs, packed again from its own files, so that no package index is needed for it.

It holds what the installed distribution holds: of an installed wheel the files of its record, of an editable checkout
those of the package's folder. The same files give the same bytes: sorted, with one date, not compressed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

__all__ = ["own_wheel"]

_NAME = "mintage"
_DATE = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: mintage\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_FOLDER = Path(__file__).parents[2]  # the package itself
_KEPT = ("METADATA", "entry_points.txt")


def own_wheel() -> tuple[str, bytes]:
    """The wheel's file name and bytes."""
    found = distribution(_NAME)
    folder = f"{_NAME}-{found.version}.dist-info"
    files = {**_package_files(found), **{f"{folder}/{name}": data for name, data in _metadata(found).items()}}
    files[f"{folder}/WHEEL"] = _WHEEL.encode()
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in sorted(files.items()))
    files[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    return f"{_NAME}-{found.version}-py3-none-any.whl", _zip(files)


def _package_files(found: Distribution) -> Mapping[str, bytes]:
    recorded = [] if _is_editable(found) else [path for path in found.files or () if path.parts[0] == _NAME]
    if recorded:
        paths = {path.as_posix(): Path(str(path.locate())) for path in recorded}
    else:
        paths = {f"{_NAME}/{path.relative_to(_FOLDER).as_posix()}": path for path in _FOLDER.rglob("*")}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file() and _is_source(name)}


def _is_editable(found: Distribution) -> bool:
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


def _is_source(name: str) -> bool:
    """Not what Python or a tool has made there."""
    parts = name.split("/")
    return not name.endswith(".pyc") and not any(part == "__pycache__" or part.startswith(".") for part in parts)


def _metadata(found: Distribution) -> Mapping[str, bytes]:
    files = {name: (found.read_text(name) or "").encode() for name in _KEPT}
    for path in found.files or ():
        if path.parts[0].endswith(".dist-info") and path.parts[1] == "licenses":
            files["/".join(path.parts[1:])] = path.read_binary()
    return files


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Metadata last, as the format asks; members are not compressed, as compressors differ."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name.endswith("/RECORD"), name)):
            member = zipfile.ZipInfo(name, _DATE)
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name])
    return stream.getvalue()
