"""Which files outside the project look like data, not like a part of Python or the system. Pure.

>>> is_data("/srv/data/customers.csv", libraries=("/opt/python",))
True
>>> is_data("/opt/python/lib/python3.12/site-packages/sklearn/data/iris.csv", libraries=("/opt/python",))
False
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["is_data"]

_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/nix", "/proc", "/run", "/sbin", "/sys"),
    *("/usr", "/var/cache", "/var/lib", "/System", "/Library", "/private/etc", "/private/var/db", "/opt/homebrew"),
)
_CODE = {".py", ".pyc", ".pyi", ".so", ".dylib", ".pth", ".egg-link", ".pyd"}
_LIBRARY_PARTS = {"site-packages", "dist-packages", ".cache", ".local", "__pycache__"}


def is_data(path: str, *, libraries: Sequence[str]) -> bool:
    """Whether a file that was read at ``path`` may be the user's data; ``libraries`` are folders of the interpreter."""
    pure = PurePath(path)
    if pure.suffix in _CODE or _LIBRARY_PARTS & set(pure.parts):
        return False
    return not any(pure.is_relative_to(folder) for folder in (*_SYSTEM, *libraries))
