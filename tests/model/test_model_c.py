"""The C code as its callers meet it: the runtime, names, checks, sanitizers, what it needs and what it does not."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import NUMBERS, Probe, assert_same, both, texts
from runtime_suite import Case, RuntimeSuite, case_of_package
from test_model_c_trees import forest

from mintage.errors import GraphRefusedError, RuntimeFailedError
from mintage.model.compile.c.face import face
from mintage.model.compile.c.literal import encode
from mintage.model.compile.c.names import comment, identifiers
from mintage.model.compile.c.program import compile_c
from mintage.model.package import open_package
from mintage.model.program import read_program
from mintage.model.runtimes.base import Found, Missing
from mintage.model.runtimes.c import FLAGS, RUNTIME, CompiledC, find_compiler
from mintage.model.signature import Input, Output, Signature, encode_signature

needs_compiler = pytest.mark.skipif(isinstance(RUNTIME.find(), Missing), reason="there is no C compiler: install gcc")
AWKWARD = (
    *("plain", "wind gust", "wind_gust", "wind_gust_2", "wind-gust", "double", "class", "NAN", "INT_MAX", "errno", "I"),
    *(
        "2nd",
        "größe",
        "日本",
        "",
        "_x",
        "__x",
        "in",
        "out",
        "j",
        "x */ int y; /*",
        "a\nb",
        'q"uo\\te',
        "??/",
        "%s",
        "ß",
    ),
)


class TestC(RuntimeSuite):
    runtime = RUNTIME


@needs_compiler
def test_awkward_names_of_columns_become_members(tmp_path: Path) -> None:
    names = [name for name in AWKWARD if name]  # a graph has no input without a name
    probe = Probe(**dict.fromkeys(names, "number"))
    for name in names:
        probe.give(name, cast=False)
    rows = {name: np.array([at + 0.5, -at]) for at, name in enumerate(names)}
    assert_same(*both(probe, rows, tmp_path))


def test_names_are_kept_where_c_allows_them_and_never_shared() -> None:
    found = identifiers(AWKWARD)
    assert len(set(found)) == len(found)
    kept = [name for name, made in zip(AWKWARD, found, strict=True) if name == made]
    assert kept == ["plain", "wind_gust", "wind_gust_2", "in", "out", "j"]
    assert all("*/" not in comment(name) and "\n" not in comment(name) for name in AWKWARD)


def built_case(made: Any) -> Case:
    return case_of_package(open_package(made.built.folder))


@pytest.fixture(scope="module")
def case(made: Any) -> Case:
    return built_case(made)


def test_the_same_model_gives_the_same_files_in_another_process(case: Case, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(case.onnx)
    code = (
        "import sys, hashlib, pathlib\n"
        "from mintage.model.compile.c.program import compile_c\n"
        "from mintage.model.signature import decode_signature\n"
        "files = compile_c(*(pathlib.Path(p).read_bytes() for p in sys.argv[1:2]),"
        " decode_signature(pathlib.Path(sys.argv[2]).read_bytes()), 'churn')\n"
        "sys.stdout.buffer.write(files['model.h'] + files['model.c'])\n"
    )
    (tmp_path / "signature.json").write_bytes(encode_signature(case.signature))
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx"), str(tmp_path / "signature.json")]
    done = subprocess.run(command, capture_output=True, check=True)
    files = compile_c(case.onnx, case.signature, "churn")
    assert done.stdout == files["model.h"] + files["model.c"]


@needs_compiler
@pytest.mark.parametrize("standard", ["c99", "c11", "gnu17"])
def test_code_compiles_without_a_warning_under_each_standard(case: Case, standard: str, tmp_path: Path) -> None:
    flags = (f"-std={standard}", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-ffp-contract=off")
    with CompiledC(flags).open(case.onnx, case.signature, tmp_path) as session:
        found = session.answer(case.columns)
    assert np.abs(found.values - case.values).max() <= case.tolerance


@needs_compiler
def test_flags_that_break_missing_values_do_not_compile(case: Case, tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeFailedError) as caught,
        CompiledC((*FLAGS, "-ffast-math")).open(case.onnx, case.signature, tmp_path),
    ):
        pass
    assert "compile without -ffast-math" in str(caught.value.found)


@needs_compiler
def test_code_needs_only_libm_and_has_no_state(case: Case, tmp_path: Path) -> None:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("there is no nm: install binutils")
    for name, data in compile_c(case.onnx, case.signature, "churn").items():
        (tmp_path / name).write_bytes(data)
    subprocess.run([*(find_compiler() or []), *FLAGS, "-c", "model.c"], cwd=tmp_path, check=True)
    listed = subprocess.run([nm, "model.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    kinds = {line.split()[-1]: line.split()[-2] for line in listed.splitlines()}
    assert {name for name, kind in kinds.items() if kind == "U"} <= {"exp", "strcmp", "floor", "_GLOBAL_OFFSET_TABLE_"}
    assert {name for name, kind in kinds.items() if kind in "DBCdb"} == set()
    assert {name for name, kind in kinds.items() if kind == "T"} == {
        "churn_predict",
        "churn_check",
        "churn_message",
        "churn_input_name",
    }


@needs_compiler
def test_sanitizers_find_nothing(case: Case, tmp_path: Path) -> None:
    flags = (*FLAGS, "-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    try:
        with CompiledC(flags).open(case.onnx, case.signature, tmp_path) as session:
            found = session.answer(case.columns)
    except RuntimeFailedError as error:
        if "san" in str(error.found) and "cannot find" in str(error.found):
            pytest.skip("the compiler has no sanitizers: install libasan and libubsan")
        raise
    assert np.abs(found.values - case.values).max() <= case.tolerance


@needs_compiler
def test_sanitizers_find_nothing_in_odd_graphs(tmp_path: Path) -> None:
    probe = Probe(x="number", s="text")
    rng = np.random.default_rng(16)
    matrix = probe.add("Concat", ["x"] * 4, axis=1)
    probe.give(
        probe.add_ml("TreeEnsemble", [matrix], **forest(rng, trees=5, depth=5, modes=(0, 1, 6), targets=3)), width=3
    )
    whole = probe.as_type("x", 7)
    probe.give(probe.add("Mul", [whole, probe.number(2**62, np.int64)]))
    probe.give(probe.add("Neg", [whole]))
    probe.give(probe.as_type("x", 2))
    keys = ["", "a", "é", "b" * 50]
    coded = probe.add_ml(
        "LabelEncoder", ["s"], keys_strings=keys, values_tensor=np.arange(4.0), default_tensor=-np.ones(1)
    )
    probe.give(coded)
    rows = {"x": np.array([*NUMBERS, 9.3e18]), "s": texts([*keys, None, "zz"] * 3)}
    flags = (*FLAGS, "-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    try:
        found, expected = both(probe, rows, tmp_path, runtime=CompiledC(flags))
    except RuntimeFailedError as error:
        if "san" in str(error.found) and "cannot find" in str(error.found):
            pytest.skip("the compiler has no sanitizers: install libasan and libubsan")
        raise
    assert_same(
        type(found)(found.values[:, 3:], found.labels, ()), type(found)(expected.values[:, 3:], expected.labels, ())
    )


CHECKED = Signature(
    model="m",
    task="regression",
    target="y",
    threshold=0.5,
    inputs=(
        Input(name="free", datatype="FP64"),
        Input(name="count", datatype="FP64", nullable=False, integer=True),
        Input(name="bounded", datatype="FP64", limits=(-5.0, 1e30)),
        Input(name="grades", datatype="FP64", closed=True, categories=(1.0, 2.5), range=(0.0, None)),
        Input(name="city", datatype="BYTES", nullable=False),
        Input(name="kind", datatype="BYTES", closed=True, categories=("a", "é", "")),
    ),
    outputs=(Output(name="value", datatype="FP64", shape=(-1, 1)),),
)


class Library:
    """The code of a model as a shared library."""

    def __init__(self, onnx: bytes, signature: Signature, folder: Path) -> None:
        names = face(read_program(onnx), signature, "m")
        for name, data in compile_c(onnx, signature, "m").items():
            (folder / name).write_bytes(data)
        command = [*(find_compiler() or []), *FLAGS, "-shared", "-fPIC", "model.c", "-o", "model.so", "-lm"]
        subprocess.run(command, cwd=folder, check=True)
        kinds = {"BYTES": ctypes.c_char_p, "FP64": ctypes.c_double, "INT64": ctypes.c_int}
        members = [(names.inputs[item.name], kinds[item.datatype]) for item in signature.inputs]
        made = [
            (member, kinds[item.datatype] * columns if columns else kinds[item.datatype])
            for item, (member, columns) in ((item, names.outputs[item.name]) for item in signature.outputs)
        ]
        self.Row: Any = type("Row", (ctypes.Structure,), {"_fields_": members})
        self.Answer: Any = type("Answer", (ctypes.Structure,), {"_fields_": made})
        self.code = ctypes.CDLL(str(folder / "model.so"))
        self.code.m_message.restype = self.code.m_input_name.restype = ctypes.c_char_p

    def check(self, **values: Any) -> tuple[str, str | None]:
        """The message and the input that a check gives."""
        place = ctypes.c_int(-7)
        code = self.code.m_check(ctypes.byref(self.Row(**values)), ctypes.byref(place))
        name = self.code.m_input_name(place)
        return self.code.m_message(code).decode(), None if name is None else name.decode()


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Library:
    probe = Probe(**{item.name: "text" if item.datatype == "BYTES" else "number" for item in CHECKED.inputs})
    data = probe.model(outputs={"value": ("free", "double", 1)})
    return Library(data, CHECKED, tmp_path_factory.mktemp("checked"))


GOOD = {"free": float("nan"), "count": 3.0, "bounded": 1e30, "grades": 2.5, "city": b"x", "kind": "é".encode()}


@needs_compiler
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "no error"),
        ({"bounded": float("nan"), "grades": float("nan"), "kind": None}, "no error"),
        ({"kind": b""}, "no error"),
        ({"count": float("nan")}, "a value is missing where none may be"),
        ({"city": None}, "a value is missing where none may be"),
        ({"city": "\ue000missing".encode()}, "a value is missing where none may be"),
        ({"free": float("inf")}, "a number is infinite"),
        ({"count": -float("inf")}, "a number is infinite"),
        ({"count": 0.5}, "a number has a fraction where integers are declared"),
        ({"bounded": 1.0000001e30}, "a number is too large for the model"),
        ({"bounded": -5.0000001}, "a number is too large for the model"),
        ({"grades": 2.0}, "a value is one that the model refuses: not known, or out of its range"),
        ({"kind": b"b"}, "a value is one that the model refuses: not known, or out of its range"),
    ],
    ids=str,
)
def test_a_row_is_checked_by_the_signature(checked: Library, change: dict[str, Any], message: str) -> None:
    expected = (message, None if message == "no error" else next(iter(change)))
    assert checked.check(**{**GOOD, **change}) == expected


@needs_compiler
def test_null_pointers_and_unknown_codes_are_answered(checked: Library) -> None:
    row, answer = checked.Row(**GOOD), checked.Answer()
    assert checked.code.m_predict(ctypes.byref(row), ctypes.byref(answer)) == 0
    for arguments in ((None, ctypes.byref(answer)), (ctypes.byref(row), None)):
        assert checked.code.m_message(checked.code.m_predict(*arguments)) == b"a pointer is NULL"
    assert checked.code.m_message(checked.code.m_check(None, None)) == b"a pointer is NULL"
    assert checked.code.m_check(ctypes.byref(row), None) == 0
    assert checked.code.m_message(99) == b"not a code of this model"
    assert [checked.code.m_input_name(at) for at in (-1, 0, 6)] == [None, b"free", None]


@needs_compiler
def test_threads_do_not_disturb_each_other(case: Case, tmp_path: Path) -> None:
    library = Library(case.onnx, case.signature, tmp_path)
    fields = [name for name, _ in library.Row._fields_]
    columns = list(case.columns.values())
    rows = [
        library.Row(
            **{
                field: encode(value) if isinstance(value, str) else value
                for field, value in zip(fields, values, strict=True)
            }
        )
        for values in zip(*(column.tolist() for column in columns), strict=True)
    ]

    def predict(row: Any) -> float:
        answer = library.Answer()
        assert library.code.m_predict(ctypes.byref(row), ctypes.byref(answer)) == 0
        return float(answer.probabilities[1])

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(predict, rows * 5))
    np.testing.assert_allclose(found, np.tile(case.values[:, 1], 5), rtol=0, atol=case.tolerance)


def test_missing_compiler_is_said_with_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    found = RUNTIME.find()
    assert isinstance(found, Missing)
    assert "apt-get install gcc" in found.hint


@needs_compiler
def test_compiler_is_the_one_that_cc_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"{find_compiler()[0]} -O1")  # type: ignore[index]
    assert find_compiler()[1:] == ["-O1"]  # type: ignore[index]
    assert isinstance(RUNTIME.find(), Found)


@needs_compiler
def test_compile_error_and_crash_say_what_was_printed(case: Case, tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeFailedError) as refused,
        CompiledC(("-fno-such-flag",)).open(case.onnx, case.signature, tmp_path),
    ):
        pass
    assert "no-such-flag" in str(refused.value.found)
    with RUNTIME.open(case.onnx, case.signature, tmp_path) as session:
        (tmp_path / "driver").write_text("#!/bin/sh\necho it broke >&2\nkill -SEGV $$\n", encoding="ascii")
        with pytest.raises(RuntimeFailedError) as crashed:
            session.answer(case.columns)
    assert "it broke" in str(crashed.value.found)


def test_graph_that_does_not_fit_its_signature_is_refused(case: Case) -> None:
    with pytest.raises(GraphRefusedError):
        compile_c(case.onnx, CHECKED, "m")
