"""What a uv.lock pins: the packages that the project's own one leads to, where markers hold. Pure.

>>> text = '''version = 1
... [[package]]
... name = "mine"
... version = "0"
... source = { virtual = "." }
... dependencies = [{ name = "six" }]
... [[package]]
... name = "six"
... version = "1.17.0"
... source = { registry = "https://example.org/simple" }
... wheels = [{ url = "https://example.org/six.whl", hash = "sha256:00" }]
... '''
>>> read_uv_lock(text, {}, extras=(), groups=(), where="uv.lock")
[Pin(name='six', version='1.17.0', hashes=('00',))]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mintage.pipeline.locked.pin import Pin, canonical_name, line_of, refuse, unknown_choice

__all__ = ["read_uv_lock"]

_INDEXES = ("registry", "url")
_OWN = ("virtual", "editable", "directory")


def read_uv_lock(
    text: str, markers: Mapping[str, str], *, extras: Sequence[str], groups: Sequence[str], where: str
) -> list[Pin]:
    """The packages to install, but for the project itself; raises LockInvalidError."""
    try:
        lock = tomllib.loads(text)
        packages = {(each["name"], each.get("version", "")): each for each in lock.get("package", [])}
        return _walk(packages, _own(lock, where), markers, extras=extras, groups=groups, text=text, where=where)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise refuse(
            "the lock cannot be read", found=str(error), where=where, hint="make it again: `uv lock`"
        ) from error


def _own(lock: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The project's own package."""
    if lock.get("conflicts"):
        raise refuse(
            "the lock has extras or groups that conflict, which Mintage does not tell apart",
            where=where,
            hint="export one choice, and name that file: `uv export --format pylock.toml --extra … -o pylock.toml`",
        )
    for package in lock.get("package", []):
        if any(package["source"].get(kind) == "." for kind in _OWN):
            own: dict[str, Any] = package
            return own
    raise refuse(
        "the lock has no project of its own",
        expected="a package whose source is the lock's folder",
        where=where,
        hint="name the uv.lock of a single project, or export a member's: `uv export --package … -o requirements.txt`",
    )


def _walk(
    packages: Mapping[tuple[str, str], dict[str, Any]],
    own: dict[str, Any],
    markers: Mapping[str, str],
    *,
    extras: Sequence[str],
    groups: Sequence[str],
    text: str,
    where: str,
) -> list[Pin]:
    optional, dev = own.get("optional-dependencies", {}), own.get("dev-dependencies", {})
    for kind, names, known in (("extra", extras, optional), ("group", groups, dev)):
        for name in names:
            if name not in known:
                raise unknown_choice(kind, name, list(known), where=where)
    wanted = [*own.get("dependencies", []), *_chosen(optional, extras), *_chosen(dev, groups)]
    seen: set[tuple[str, str, str]] = set()
    pins: dict[str, Pin] = {}
    while wanted:
        dependency = wanted.pop()
        if not _holds(dependency.get("marker"), markers):
            continue
        package = _package(packages, dependency)
        for extra in ("", *dependency.get("extra", [])):
            if (state := (package["name"], package.get("version", ""), extra)) in seen:
                continue
            seen.add(state)
            more = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
            wanted += more
        if package is not own:
            pins[package["name"]] = _pin(package, text, where)
    return list(pins.values())


def _chosen(known: Mapping[str, list[dict[str, Any]]], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        yield from known[name]


def _package(packages: Mapping[tuple[str, str], dict[str, Any]], dependency: Mapping[str, Any]) -> dict[str, Any]:
    """The package that is meant: the only one of that name, or that of the version that is said."""
    if "version" in dependency:
        return packages[dependency["name"], dependency["version"]]
    found = next((each for (name, _), each in packages.items() if name == dependency["name"]), None)
    if found is None:
        raise KeyError(f"the package {dependency['name']}")
    return found


def _holds(marker: str | None, markers: Mapping[str, str]) -> bool:
    if marker is None:
        return True
    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(marker).evaluate(dict(markers))
    except InvalidMarker as error:
        raise KeyError(f"the marker {marker!r}") from error


def _pin(package: Mapping[str, Any], text: str, where: str) -> Pin:
    name, source = package["name"], package["source"]
    if not any(kind in source for kind in _INDEXES):
        raise refuse(
            f"the lock takes {name} from {', '.join(source)}, which no hash pins",
            expected="a package from an index, or the address of a wheel",
            found=", ".join(map(str, source.values())),
            where=f"{where}:{line_of(text, name)}",
            hint="take it from an index, or put its code into the project",
        )
    hashes = [each["hash"].partition(":")[2] for each in package.get("wheels", []) if "hash" in each]
    if not hashes:
        raise refuse(
            f"the lock has no wheel of {name} with a hash",
            expected="wheels: building sources runs and fetches what no lock pins",
            found="a source distribution" if "sdist" in package else None,
            where=f"{where}:{line_of(text, name)}",
            hint="take a version that has wheels, or build one and put it on an index",
        )
    version = source["url"] if "url" in source else package["version"]
    return Pin(name=canonical_name(name), version=version, hashes=tuple(sorted(hashes)))
