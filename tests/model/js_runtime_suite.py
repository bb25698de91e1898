"""What runtimes in JavaScript must keep: each bit of a double, each character of a text, and one error a failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from runtime_suite import ODD_TEXTS

from mintage.errors import RuntimeFailedError
from mintage.lower.graph import Graph
from mintage.model.runtimes.base import Missing, Runtime
from mintage.model.signature import Input, Output, Signature

BITS = (
    *(0x7FF8000000000000, 0x7FF8DEAD0000BEEF, 0xFFF8000000000001, 0x7FF0000000000000, 0xFFF0000000000000),
    *(0x8000000000000000, 0x0000000000000000, 0x0000000000000001, 0x800FFFFFFFFFFFFF, 0x3FF0000000000001),
    *(0x7FEFFFFFFFFFFFFF, 0x4340000000000001, 0x3FB999999999999A),
)
INTEGERS = (0, -1, 2**53 + 1, -(2**63), 2**63 - 1)


def bit_graph() -> tuple[bytes, Signature, dict[str, Any]]:
    """A graph that gives its number as it is, and the place of its text among ODD_TEXTS; and rows of it."""
    graph = Graph()
    number, text = graph.input("number", text=False), graph.input("text", text=True)
    places = np.array([INTEGERS[place % len(INTEGERS)] for place in range(len(ODD_TEXTS))])
    found = graph.add_ml(
        "LabelEncoder",
        [text],
        keys_strings=list(ODD_TEXTS),
        values_tensor=places,
        default_tensor=np.array([77]),
    )
    label = graph.add("Squeeze", [found, graph.constant(np.array([1]))])
    onnx = graph.model(outputs={"value": (number, "double", 1), "label": (label, "int64", None)})
    signature = Signature(
        model="bits",
        task="regression",
        target="number",
        threshold=0.5,
        inputs=(Input(name="number", datatype="FP64"), Input(name="text", datatype="BYTES")),
        outputs=(
            Output(name="value", datatype="FP64", shape=(-1, 1)),
            Output(name="label", datatype="INT64", shape=(-1,)),
        ),
    )
    texts = np.empty(len(ODD_TEXTS) + 2, dtype=object)
    texts[:] = [*ODD_TEXTS, None, "a\0"]  # the last is not the text "a"
    numbers = np.resize(np.array(BITS, dtype="<u8"), len(texts)).view("<f8")
    return onnx, signature, {"number": numbers, "text": texts}


class JsRuntimeSuite:
    """The tests; a class of it has the ``runtime``."""

    runtime: ClassVar[Runtime]

    @contextlib.contextmanager
    def opened(self, onnx: bytes, signature: Signature, folder: Path) -> Iterator[Any]:
        found = self.runtime.find()
        if isinstance(found, Missing):
            pytest.skip(f"{self.runtime.name}: {found.what}; {found.hint}")
        with self.runtime.open(onnx, signature, folder) as session:
            yield session

    def test_each_double_keeps_its_64_bits_and_each_text_its_characters(self, tmp_path: Path) -> None:
        onnx, signature, columns = bit_graph()
        with self.opened(onnx, signature, tmp_path) as session:
            found = session.answer(columns)
        np.testing.assert_array_equal(found.values[:, 0].view("<u8"), columns["number"].view("<u8"))
        expected = [INTEGERS[place % len(INTEGERS)] for place in range(len(ODD_TEXTS))]
        assert found.labels[:, 0].tolist() == [*expected, 77, 77]

    def test_more_rows_than_fit_into_one_question_and_none_at_all(self, tmp_path: Path) -> None:
        onnx, signature, columns = bit_graph()
        places = np.resize(np.arange(len(columns["number"])), 25_001)
        many = {name: column[places] for name, column in columns.items()}
        with self.opened(onnx, signature, tmp_path) as session:
            found = session.answer(many)
            none = session.answer({name: column[:0] for name, column in columns.items()}, timed=5)
        np.testing.assert_array_equal(found.values[:, 0].view("<u8"), many["number"].view("<u8"))
        assert none.values.shape == (0, 1)
        assert none.labels.shape == (0, 1)
        assert len(none.single_us) == 0

    @pytest.mark.parametrize("damage", ["truncated", "empty", "other operator"])
    def test_a_corrupt_graph_is_refused_with_the_runtimes_words(self, damage: str, tmp_path: Path) -> None:
        onnx, signature, _ = bit_graph()
        broken = {
            "truncated": onnx[: len(onnx) // 2],
            "empty": b"",
            "other operator": onnx.replace(b"Squeeze", b"Squeezy"),
        }[damage]
        with pytest.raises(RuntimeFailedError) as caught, self.opened(broken, signature, tmp_path):
            pass
        assert caught.value.found

    def test_an_output_that_is_not_the_signatures_is_an_error_and_the_next_question_is_answered(
        self, tmp_path: Path
    ) -> None:
        onnx, signature, columns = bit_graph()
        with self.opened(onnx, signature, tmp_path) as session:
            odd = {"number": columns["number"], "text": columns["text"][:3]}
            with pytest.raises(RuntimeFailedError):
                session.answer(odd)
            assert len(session.answer(columns).values) == len(columns["text"])
