"""What a file is, told by its content: a name proves nothing."""

from __future__ import annotations

import json
import pickle
import struct

import pytest

from mintage.certify.formats import format_of

HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("card.json", b"{}", "json"),
        ("CARD.md", "# Modell\u00e9\n".encode(), "markdown"),
        ("model.onnx", b"\x08\x0a\x12\x07mintage", "onnx"),
        ("w.safetensors", struct.pack("<Q", len(HEADER)) + HEADER + bytes(4), "safetensors"),
    ],
)
def test_formats_of_data_are_known(path: str, data: bytes, expected: str) -> None:
    assert format_of(path, data) == expected


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["card.json", "model.onnx", "w.safetensors", "model.pkl", "model"])
def test_a_pickle_is_known_by_no_name(protocol: int, name: str) -> None:
    assert format_of(name, pickle.dumps({"a": print}, protocol=protocol)) is None


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("card.json", b"[" * 100_000),
        ("card.json", b"{"),
        ("w.safetensors", struct.pack("<Q", 1 << 40)),
        ("w.safetensors", b"\x00"),
        ("CARD.md", b"\xff\xfe"),
        ("model.onnx", b""),
        ("run.sh", b"echo"),
    ],
)
def test_what_does_not_hold_what_its_name_says_is_not_known(path: str, data: bytes) -> None:
    assert format_of(path, data) is None
