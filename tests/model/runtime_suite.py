"""What every runtime must pass. A test file of a runtime has a class of it:

    class TestC(RuntimeSuite):
        runtime = RUNTIME

It proves it on the built model of conftest. To prove it on others too, override the fixture ``case`` (of class scope,
a classmethod, perhaps parametrised) and return ``case_of_package(package)`` or a Case of your own. A runtime that is
not on this machine skips the class, with what is missing and how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mintage.model.package import Package, open_package
from mintage.model.runtime import Predictor, load_session
from mintage.model.runtimes.base import Answers, Columns, Missing, Runtime, Session
from mintage.model.signature import Signature

ODD_TEXTS = (
    *("", " ", "a", "A", "é", "e\u0301", "ß", "日本", "\U0001f600", "\U0010ffff", "\ue000", "\ufeff", "\u200d"),
    *("'", '"', "\\", "\\n", "\n", "\r\n", "\t", "%s", "$1", "{}", "--", ";", "/*"),
    *("\x01", "\x7f", "\u2028", "x" * 5000),
    *("null", "NULL", "NaN", "None", "0", "true"),
)
ODD_NUMBERS = (0.0, -0.0, 5e-324, -2.5e-308, 0.1, 1 / 3, 16777217.0, 2.0**53, 1e30, -1e30, 1.5e300)


@dataclass(frozen=True)
class Case:
    """A model, rows that its validation accepts, and the answers that they must get.

    Values must be within ``tolerance``, as a share of the value if that is beyond one; labels must be equal.
    """

    onnx: bytes
    signature: Signature
    columns: Columns
    values: Any
    labels: Any
    tolerance: float


def case_of_package(package: Package) -> Case:
    """The golden vectors of a package, and the answers that the original library gave."""
    golden = package.golden
    return Case(
        package.files["model.onnx"],
        package.signature,
        golden.columns,
        golden.values,
        golden.labels,
        golden.tolerance,
    )


def onnxruntime_answers(onnx: bytes, signature: Signature, columns: Columns) -> Answers:
    """What the runtime of record answers."""
    feeds = {}
    for item in signature.inputs:
        column = columns[item.name]
        if item.datatype == "BYTES":
            texts = [signature.missing_text if value is None else value for value in column.tolist()]
            column = np.array(texts, dtype=object)
        feeds[item.name] = column.reshape(-1, 1)
    session = load_session(onnx)
    names = [item.name for item in signature.outputs]
    found = session.run(names, {item.name: feeds[item.name] for item in session.get_inputs()})
    rows = len(next(iter(columns.values())))
    parts: dict[str, list[Any]] = {"FP64": [np.empty((rows, 0))], "INT64": [np.empty((rows, 0), dtype=np.int64)]}
    for item, array in zip(signature.outputs, found, strict=True):
        parts[item.datatype].append(array.reshape(rows, -1))
    return Answers(np.concatenate(parts["FP64"], axis=1), np.concatenate(parts["INT64"], axis=1), ())


def rows_of(columns: Columns, places: Any) -> Columns:
    """Some rows of a table."""
    return {name: column[places] for name, column in columns.items()}


def with_values(case: Case, column: str, values: Any) -> Columns:
    """Golden rows of which one column has these values in turn."""
    count = len(values)
    rows = dict(rows_of(case.columns, np.resize(np.arange(len(case.values)), count)))
    rows[column] = rows[column].copy()
    rows[column][:] = values
    return rows


class RuntimeSuite:
    """The tests; see the module's text."""

    runtime: ClassVar[Runtime]

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, made: Any) -> Case:
        return case_of_package(open_package(made.built.folder))

    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
        found = cls.runtime.find()
        if isinstance(found, Missing):
            pytest.skip(f"{cls.runtime.name}: {found.what}; {found.hint}")
        with cls.runtime.open(case.onnx, case.signature, tmp_path_factory.mktemp(cls.runtime.name)) as session:
            yield session

    def same(self, case: Case, columns: Columns, found: Answers) -> None:
        """The answers are those of the runtime of record."""
        expected = onnxruntime_answers(case.onnx, case.signature, columns)
        self.equal(case, found, expected.values, expected.labels)

    def equal(self, case: Case, found: Answers, values: Any, labels: Any) -> None:
        assert found.values.dtype == np.float64
        assert found.labels.dtype == np.int64
        assert found.values.shape == values.shape
        assert found.labels.shape == labels.shape
        assert np.isfinite(found.values).all()
        error = np.abs(found.values - values) / np.maximum(1.0, np.abs(values))
        assert error.max(initial=0.0) <= case.tolerance, f"row {int(np.argmax(error.max(axis=1)))}"
        np.testing.assert_array_equal(found.labels, labels)

    def test_found_runtime_says_its_version(self, session: Session) -> None:
        found = self.runtime.find()
        assert not isinstance(found, Missing)
        assert any(character.isdigit() for character in found.version)

    def test_golden_rows_get_the_originals_answers(self, case: Case, session: Session) -> None:
        self.equal(case, session.answer(case.columns), case.values, case.labels)

    def test_one_row_is_answered_as_among_others(self, case: Case, session: Session) -> None:
        for place in range(min(5, len(case.values))):
            found = session.answer(rows_of(case.columns, slice(place, place + 1)))
            self.equal(case, found, case.values[place : place + 1], case.labels[place : place + 1])

    def test_many_rows_keep_their_order(self, case: Case, session: Session) -> None:
        places = np.random.default_rng(3).integers(0, len(case.values), 3000)
        found = session.answer(rows_of(case.columns, places))
        self.equal(case, found, case.values[places], case.labels[places])

    def test_missing_values_are_answered_wherever_they_may_be(self, case: Case, session: Session) -> None:
        nullable = [item for item in case.signature.inputs if item.nullable]
        for item in nullable:
            rows = with_values(case, item.name, [None if item.datatype == "BYTES" else np.nan] * 20)
            self.same(case, rows, session.answer(rows))
        rows = dict(rows_of(case.columns, slice(0, 20)))
        for item in nullable:
            rows[item.name] = np.full_like(rows[item.name], None if item.datatype == "BYTES" else np.nan)
        self.same(case, rows, session.answer(rows))

    def test_texts_of_any_characters_are_answered(self, case: Case, session: Session) -> None:
        for item in case.signature.inputs:
            if item.datatype == "BYTES":
                known = [str(value) for value in item.categories or ()]
                near = [text for value in known[:3] for text in (value + " ", value.upper(), value[:-1])]
                texts = known if item.closed else [*known, *near, *ODD_TEXTS]
                rows = with_values(case, item.name, texts)
                self.same(case, rows, session.answer(rows))

    def test_numbers_of_any_size_are_answered(self, case: Case, session: Session) -> None:
        predictor = Predictor(case.onnx, case.signature)
        for item in case.signature.inputs:
            if item.datatype == "FP64" and not item.closed:
                low, high = item.limits or (-np.inf, np.inf)
                kept = [number for number in ODD_NUMBERS if low <= number <= high]
                kept = [number for number in kept if not item.integer or number == np.floor(number)]
                rows = with_values(case, item.name, kept)
                predictor.predict(rows)  # validation accepts them, else this test asks too much
                self.same(case, rows, session.answer(rows))

    def test_answers_do_not_depend_on_what_was_asked_before(self, case: Case, session: Session) -> None:
        first = session.answer(case.columns)
        session.answer(rows_of(case.columns, slice(0, 3)), timed=3)
        again = session.answer(case.columns)
        np.testing.assert_array_equal(first.values, again.values)
        np.testing.assert_array_equal(first.labels, again.labels)

    @pytest.mark.parametrize("timed", [0, 1, 25])
    def test_predictions_are_timed_one_by_one_when_asked(self, case: Case, session: Session, timed: int) -> None:
        rows = rows_of(case.columns, slice(0, 10))
        found = session.answer(rows, timed=timed)
        assert len(found.single_us) in ({0, timed} if timed else {0})
        assert all(0 <= time < 60e6 for time in found.single_us)
        self.equal(case, found, case.values[:10], case.labels[:10])

    def test_two_sessions_do_not_disturb_each_other(self, case: Case, session: Session, tmp_path: Path) -> None:
        with self.runtime.open(case.onnx, case.signature, tmp_path) as other:
            self.equal(case, other.answer(case.columns), case.values, case.labels)
        self.equal(case, session.answer(case.columns), case.values, case.labels)
