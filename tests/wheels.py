"""Wheels of one module, written by hand, so that environments are built without an index."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from programs import program

__all__ = ["requirements", "uv", "write_index", "write_wheel"]


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    code: str | None = None,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    recorded: str | None = None,
) -> str:
    """The SHA-256 of a wheel of the module ``name`` that is now in ``folder``; its ``VERSION`` is the version.

    ``recorded`` is the code that its RECORD is made for, if that is another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = f"VERSION = {version!r}\n" if code is None else code
    about = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{name}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n{needs}",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = {**files, f"{name}.py": code if recorded is None else recorded}
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in rows.items())
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
            archive.writestr(inside, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def requirements(folder: Path, pins: Mapping[str, str], *, more: str = "") -> str:
    """A requirements file of ``name==version`` to hash, found in ``folder`` and nowhere else."""
    lines = "".join(f"{pin} \\\n    --hash=sha256:{digest}\n" for pin, digest in pins.items())
    return f"--no-index\n--find-links {folder}\n{lines}{more}"


def write_index(wheels: Path, folder: Path) -> str:
    """The address of a package index of what is in ``wheels``, in files; a lock made of it has hashes."""
    for wheel in sorted(wheels.glob("*.whl")):
        page = folder / wheel.name.partition("-")[0].replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with page.open("a") as stream:
            stream.write(f'<a href="{wheel.as_uri()}#sha256={digest}">{wheel.name}</a>\n')
    return folder.as_uri()


def uv(folder: Path, *words: str) -> None:
    """Call uv in ``folder``."""
    subprocess.run([str(program("uv")), "-q", *words], cwd=folder, check=True)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
