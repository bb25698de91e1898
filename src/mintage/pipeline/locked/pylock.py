"""What a pylock.toml (PEP 751) pins where its markers hold. Pure.

>>> text = '''lock-version = "1.0"
... created-by = "uv"
... [[packages]]
... name = "six"
... version = "1.17.0"
... wheels = [{ url = "https://example.org/six.whl", hashes = { sha256 = "00" } }]
... '''
>>> read_pylock(text, {}, extras=(), groups=(), where="pylock.toml")
[Pin(name='six', version='1.17.0', hashes=('00',))]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from mintage.pipeline.locked.pin import Pin, canonical_name, line_of, refuse, unknown_choice

__all__ = ["read_pylock"]


def read_pylock(
    text: str, markers: Mapping[str, str], *, extras: Sequence[str], groups: Sequence[str], where: str
) -> list[Pin]:
    """The packages to install; raises LockInvalidError."""
    from packaging.markers import InvalidMarker, Marker

    try:
        lock = tomllib.loads(text)
        if str(lock["lock-version"]).partition(".")[0] != "1":
            raise refuse("a version of pylock.toml that is not known", found=str(lock["lock-version"]), where=where)
        for kind, names, known in (
            ("extra", extras, lock.get("extras", [])),
            ("group", groups, lock.get("dependency-groups", [])),
        ):
            for name in names:
                if name not in known:
                    raise unknown_choice(kind, name, list(known), where=where)
        values: dict[str, Any] = {
            **markers,
            "extras": frozenset(extras),
            "dependency_groups": frozenset(groups or lock.get("default-groups", [])),
        }
        taken = [
            package
            for package in lock.get("packages", [])
            if "marker" not in package or Marker(package["marker"]).evaluate(values, context="lock_file")
        ]
        return [_pin(package, text, where) for package in taken]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, InvalidMarker) as error:
        raise refuse("the lock cannot be read", found=str(error), where=where, hint="make it again") from error


def _pin(package: Mapping[str, Any], text: str, where: str) -> Pin:
    name = package["name"]
    outside = [kind for kind in ("vcs", "directory") if kind in package]
    if outside:
        place = "folder" if outside == ["directory"] else "repository"
        raise refuse(
            f"the lock takes {name} from a {place}, which no hash pins",
            where=f"{where}:{line_of(text, name)}",
            hint="leave the project itself out (`uv export --no-emit-project`); take others from an index",
        )
    files = [*package.get("wheels", []), *([package["archive"]] if "archive" in package else [])]
    hashes = [each["hashes"]["sha256"] for each in files if "sha256" in each.get("hashes", {})]
    if not hashes:
        raise refuse(
            f"the lock has no wheel of {name} with a SHA-256",
            found="a source distribution" if "sdist" in package else None,
            where=f"{where}:{line_of(text, name)}",
            hint="take a version that has wheels, or build one and put it on an index",
        )
    archive = package.get("archive", {})
    version = package.get("version") or archive.get("url") or archive.get("path", "")
    return Pin(name=canonical_name(name), version=version, hashes=tuple(sorted(hashes)))
