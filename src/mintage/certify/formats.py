"""Which formats a model's files have: told by their content, for a name proves nothing. Pure.

Only formats that hold data and no program are known. ONNX is parsed and judged when a model is opened; JSON and
Markdown are text; safetensors is a header of JSON, and numbers. What is none of them has no name here.

>>> format_of("card.json", b'{"model": "late"}')
'json'
>>> format_of("model.onnx", b"\\x80\\x04\\x95") is None
True
"""

from __future__ import annotations

import json
import struct

__all__ = ["format_of"]

_MOST_HEADER = 100_000_000


def format_of(path: str, data: bytes) -> str | None:
    """The format of a file, None if it is no known one or not what its name says."""
    ending = path.rpartition(".")[2].lower()
    if ending == "onnx":
        return "onnx" if _is_onnx(data) else None
    if ending == "safetensors":
        return "safetensors" if _is_safetensors(data) else None
    if ending in ("json", "md"):
        try:
            text = data.decode("utf-8")
            if ending == "json":
                json.loads(text)
        except (ValueError, RecursionError):
            return None
        return "json" if ending == "json" else "markdown"
    return None


def _is_onnx(data: bytes) -> bool:
    """A ModelProto begins with its version, field 1, a small number; what a model holds is judged when it is opened."""
    return len(data) > 2 and data[0] == 0x08 and 1 <= data[1] < 0x40


def _is_safetensors(data: bytes) -> bool:
    if len(data) < 8:
        return False
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, _MOST_HEADER):
        return False
    try:
        return isinstance(json.loads(data[8 : 8 + length]), dict)
    except (ValueError, RecursionError):
        return False
