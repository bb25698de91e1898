"""The environment of a stage: the running interpreter, frozen with a hash for every installed package.

The hash of a package is that of its RECORD (the list of its files with their hashes), so a package patched by hand and
reinstalled differs. The package ``mintage`` itself is recorded but is not part of the key: its release must not rerun
every pipeline. A fingerprint of the site folders by stat lets a second run skip reading them.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.store.statcache import StatCache

__all__ = ["environment_key", "freeze", "frozen_environment"]


def freeze() -> dict[str, Any]:
    """The interpreter and its packages: ``{python, implementation, platform, packages: [{name, version, record}]}``."""
    from importlib.metadata import distributions

    packages: dict[str, dict[str, str]] = {}
    for distribution in distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if not name or name in packages:
            continue
        record = distribution.read_text("RECORD") or distribution.read_text("PKG-INFO") or ""
        packages[name] = {
            "name": name,
            "version": distribution.version,
            "record": f"sha256:{hashlib.sha256(record.encode()).hexdigest()}",
        }
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": [packages[name] for name in sorted(packages)],
    }


def environment_key(frozen: dict[str, Any]) -> str:
    """The digest of a freeze that enters cache keys."""
    packages = [package for package in frozen["packages"] if package["name"] != "mintage"]
    return blake3_bytes(canonical_bytes({**frozen, "packages": packages}))


def frozen_environment(cache: StatCache) -> dict[str, Any]:
    """``freeze()``, from the cache while no package was installed, removed or changed."""
    mark = "environment:" + _fingerprint()
    known = cache.result(mark)
    if known is not None:
        value: dict[str, Any] = json.loads(known)
        return value
    frozen = freeze()
    cache.remember(mark, json.dumps(frozen))
    return frozen


def _fingerprint() -> str:
    facts: list[str] = [sys.version, sys.executable]
    for folder in sys.path:
        if not folder or not Path(folder).is_dir():
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith((".dist-info", ".egg-info")):
                    record = Path(entry.path, "RECORD")
                    status = record.stat() if record.is_file() else entry.stat()
                    facts.append(f"{entry.path}:{status.st_mtime_ns}:{status.st_size}")
    return blake3_bytes("\n".join(sorted(facts)).encode())
