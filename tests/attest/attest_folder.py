"""The files of a small model's folder."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FILES", "write_files"]

FILES = {
    "model.onnx": b"\x08\x0a\x12\x07mintage" * 20,
    "signature.json": b'{"model":"late"}',
    "golden/inputs.json": b"[1,2,3]",
    "golden/expected.json": b"[0.5]",
    "empty": b"",
}


def write_files(folder: Path) -> Path:
    """Write FILES under ``folder``."""
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
