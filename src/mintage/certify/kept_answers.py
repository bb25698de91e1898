"""Keep what a model answers, so that no row is predicted twice: by the model's root and the rows' content.

All that answers depend on is in their name: model, rows, the code that predicts, the installed packages. They are
arrays without objects, and are verified when read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.code import package_digest
from mintage.certify.content import content_digest
from mintage.certify.evidence import Native
from mintage.certify.kept_files import KeptFiles

__all__ = ["KeptAnswers"]

_NATIVE = ("holdout", "edge", "edge_served")
Columns = Mapping[str, NDArray[Any]]


class KeptAnswers:
    """Answers in ``files``; ``environment`` names the installed packages."""

    def __init__(self, files: KeptFiles, *, environment: str) -> None:
        self._files, self._environment = files, environment

    def values(self, root: str, columns: Columns, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """What the model ``root`` answers to ``columns``: as it was computed before, else what ``compute`` gives."""
        key = self._key(["answers", root, columns])
        known = None if key is None else self._read(key, ("values",))
        if known is not None:
            return known["values"]
        values = compute()
        if key is not None:
            self._write(key, {"values": values})
        return values

    def native_key(self, *facts: Any) -> str | None:
        """The name of the original's answers that depend on ``facts`` (and on the code here); None if these are not
        plain values."""
        return self._key(["native", facts])

    def native(self, key: str | None) -> Native | None:
        """The original's answers that were kept under ``key``."""
        known = None if key is None else self._read(key, _NATIVE)
        return None if known is None else Native(**known)

    def put_native(self, key: str | None, native: Native) -> None:
        """Keep the original's answers."""
        if key is not None:
            self._write(key, {name: getattr(native, name) for name in _NATIVE})

    def _key(self, parts: list[Any]) -> str | None:
        return content_digest([*parts, package_digest("mintage"), self._environment])

    def _read(self, key: str, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]] | None:
        content = self._files.get(key)
        if content is None:
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return {name: arrays[name] for name in names}
        except (KeyError, ValueError, OSError, zipfile.BadZipFile):
            return None

    def _write(self, key: str, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **arrays)
        self._files.put(key, stream.getvalue())
