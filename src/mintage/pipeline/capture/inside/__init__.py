"""What is copied beside the hook and runs in the user's program: it needs nothing of Mintage.

``begin`` costs nothing until a library is imported that fits estimators: only then is the rest of this package loaded.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["LIBRARIES", "begin"]

LIBRARIES = frozenset(("sklearn", "xgboost", "lightgbm", "catboost", "imblearn", "joblib", "skops"))


class _Waiting:
    """Comes before the other finders, and puts the watcher in its own place at the first import that matters."""

    def __init__(self, folder: str, work: str) -> None:
        self.folder = folder
        self.work = work

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in LIBRARIES:
            return None
        sys.meta_path.remove(self)
        try:
            from .patch import start

            return start(self.folder, self.work).find_spec(name, path, target)
        except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
            return None


def begin(folder: str, work: str) -> None:
    """Watch this process, and write what it did below ``folder`` when it ends; ``work`` is the folder of its scripts.

    A process that multiprocessing or loky started to work for another is left alone.
    """
    if not _is_worker():
        sys.meta_path.insert(0, _Waiting(folder, work))


def _is_worker() -> bool:
    words = getattr(sys, "orig_argv", None)
    if words is None:
        try:
            with open("/proc/self/cmdline", encoding="utf-8") as stream:
                words = stream.read().split("\0")
        except OSError:
            words = []
    return any("multiprocessing" in word or "loky" in word for word in words)
