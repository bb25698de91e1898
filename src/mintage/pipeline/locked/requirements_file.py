"""What a requirements file with hashes pins. Pure.

>>> zeros = "0" * 64
>>> text = f"six==1.17.0 --hash=sha256:{zeros}\\ncolorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{zeros}"
>>> [(pin.name, pin.version) for pin in read_requirements(text, {"sys_platform": "linux"}, where="r.txt")]
[('six', '1.17.0')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mintage.pipeline.locked.pin import Pin, canonical_name, refuse

__all__ = ["read_requirements"]

_HASH = re.compile(r"\s--hash[=\s]sha256:([0-9a-fA-F]{64})(?=\s|$)")
_OTHER = re.compile(r"\s--\S.*$")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OUTSIDE = re.compile(r"(-r|-c|-e|--requirement|--constraint|--editable)\b")


def read_requirements(text: str, markers: Mapping[str, str], *, where: str) -> list[Pin]:
    """The packages whose markers hold; raises LockInvalidError with the line of what is not pinned by hash."""
    found: dict[str, Pin] = {}
    for number, line in _lines(text):
        at = f"{where}:{number}"
        if _OUTSIDE.match(line):
            raise refuse(
                "a lock names another file",
                found=line[:80],
                where=at,
                hint="write what that says into this file too: its packages with their hashes",
            )
        if line.startswith("--no-binary"):
            raise refuse("a lock asks for sources to be built", found=line[:80], where=at, hint="take the line out")
        pin = None if line.startswith("-") else _pin(line, markers, where=at)
        if pin is not None and found.setdefault(pin.name, pin) != pin:
            raise refuse(f"{pin.name} is pinned twice", found=f"{found[pin.name].version}, {pin.version}", where=at)
    if not found and not any(not line.startswith("-") for _, line in _lines(text)):
        raise refuse("the lock pins nothing", expected="a line name==version --hash=… a package", where=where)
    return list(found.values())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with their numbers; comments and empty ones are left out."""
    begun, parts = 0, list[str]()
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        begun = begun if parts else number
        line = _COMMENT.sub("", raw)
        if line.rstrip().endswith("\\"):
            parts.append(line.rstrip()[:-1])
            continue
        whole = " ".join([*parts, line]).strip()
        parts = []
        if whole:
            yield begun, whole


def _pin(line: str, markers: Mapping[str, str], *, where: str) -> Pin | None:
    from packaging.requirements import InvalidRequirement, Requirement

    hashes = _HASH.findall(f"{line} ")
    try:
        requirement = Requirement(_OTHER.sub("", _HASH.sub("", f"{line} ")).strip())
    except InvalidRequirement:
        raise refuse("a line of the lock cannot be read", found=line[:80], where=where) from None
    if requirement.marker is not None and not requirement.marker.evaluate(dict(markers)):
        return None
    pins = [each.version for each in requirement.specifier if each.operator in ("==", "===")]
    version = requirement.url or (pins[0] if len(pins) == len(requirement.specifier) == 1 else "")
    if not version or version.endswith(".*"):
        raise refuse(
            f"the lock does not pin {requirement.name}",
            expected=f"{requirement.name}==VERSION",
            found=line[:80],
            where=where,
            hint="`uv pip compile --generate-hashes` or `pip-compile --generate-hashes` writes a lock from it",
        )
    if not hashes:
        raise refuse(
            f"the lock has no hash of {requirement.name}",
            expected=f"{requirement.name}=={version} --hash=sha256:…",
            found=line[:80],
            where=where,
            hint="make the lock again with `--generate-hashes`, or `mintage python freeze`",
        )
    return Pin(name=canonical_name(requirement.name), version=version, hashes=tuple(sorted(map(str.lower, hashes))))
