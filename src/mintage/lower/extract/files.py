"""Write JSON and npz whose bytes depend on the content alone."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["write_json", "write_npz"]


def write_npz(path: Path, arrays: dict[str, Any]) -> None:
    """An npz whose bytes depend on the arrays alone (numpy.savez stamps the time)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue())


def write_json(path: Path, value: Any) -> None:
    """Sorted keys, no NaN: the same object gives the same bytes."""
    path.write_text(json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False), encoding="utf-8")
