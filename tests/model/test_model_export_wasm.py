"""The export for the web, in Node as its README says. Needs ``scripts/install-system-parts``."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_folder import install, need, node, run, write_export
from hand_made import TASKS, hand_made
from test_model_export_onnx import moved_split

from mintage.errors import DataError, GraphRefusedError
from mintage.lower.graph import Graph
from mintage.model.export.wasm import EXPORT, NODE_VERSION, WEB_VERSION
from mintage.model.package import Package, open_package
from mintage.model.runtime import Predictor

NODE_PACKAGES = Path(__file__).parents[2] / "requirements" / "node" / "package.json"
LOAD = """
import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";
import { loadModel, InputError } from "./mintage-model.mjs";
const signature = JSON.parse(readFileSync("signature.json"));
const model = await loadModel(ort, "model.onnx", signature);
const say = (value) => console.log(JSON.stringify(value));
const code = async (rows) => {
  try {
    return (await model.predict(rows)).map((answer) => answer.unusual.length).reduce((a, b) => a + b, 0);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return [error.code, error.input, error.row];
  }
};
"""


@pytest.fixture(scope="module", params=TASKS)
def exported(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Package, Path]:
    """A model and its export, installed."""
    need()
    package = hand_made(request.param)
    folder = write_export(EXPORT, package, tmp_path_factory.mktemp("wasm"))
    install(folder, "onnxruntime-web", "onnxruntime-node")
    return package, folder


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need()
    folder = write_export(EXPORT, hand_made("binary"), tmp_path_factory.mktemp("wasm"))
    install(folder, "onnxruntime-node")
    return folder


def test_its_versions_are_those_that_are_tested() -> None:
    tested = json.loads(NODE_PACKAGES.read_text())["dependencies"]
    assert tested == {"onnxruntime-node": NODE_VERSION, "onnxruntime-web": WEB_VERSION}
    package = json.loads(EXPORT.files(hand_made("binary"))["package.json"])
    assert {**package["dependencies"], **package["devDependencies"]} == tested


def test_a_built_model_is_exported_with_its_own_bytes_the_same_each_time(made: Any) -> None:
    package = open_package(made.built.folder)
    files = EXPORT.files(package)
    assert files == EXPORT.files(package)
    for name in ("model.onnx", "signature.json", "CARD.md"):
        assert files[name] == package.files[name]
    assert "{{" not in files["README.md"].decode()


def test_a_category_with_a_nul_is_refused() -> None:
    graph = Graph()
    column = graph.input("origin", text=True)
    value = graph.add_ml(
        "LabelEncoder", [column], keys_strings=["a\0b"], values_tensor=np.array([1.0]), default_tensor=np.array([2.0])
    )
    package = hand_made("binary")
    onnx = graph.model(outputs={"value": (value, "double", 1)})
    odd = Package(package.folder, package.root, None, package.signature, {**package.files, "model.onnx": onnx})
    with pytest.raises(GraphRefusedError, match="NUL"):
        EXPORT.files(odd)


@pytest.mark.slow
def test_the_test_passes_and_is_red_after_one_threshold_moved(exported: tuple[Package, Path]) -> None:
    _, folder = exported
    graph = (folder / "model.onnx").read_bytes()
    good = run(folder, "node", "test.mjs")
    (folder / "model.onnx").write_bytes(moved_split(graph))
    bad = run(folder, "node", "test.mjs")
    (folder / "model.onnx").write_bytes(graph)
    assert (good.returncode, good.stderr) == (0, "")
    assert re.fullmatch(r"ok: 200 golden rows, .* \(onnxruntime-web .*; 200 .* \(onnxruntime-node .*\)\n", good.stdout)
    assert (bad.returncode, bad.stderr) == (1, "")
    assert re.fullmatch(r"FAILED: \d+ of 200 golden rows differ.*\n", bad.stdout)


@pytest.mark.slow
def test_the_test_is_red_for_a_corrupt_graph_and_says_when_nothing_is_installed(tmp_path: Path) -> None:
    need()
    folder = write_export(EXPORT, hand_made("binary"), tmp_path)
    nothing = run(folder, "node", "test.mjs")
    install(folder, "onnxruntime-node")
    (folder / "model.onnx").write_bytes(b"no graph")
    corrupt = run(folder, "node", "test.mjs")
    assert (nothing.returncode, nothing.stderr) == (2, "")
    assert "npm install --ignore-scripts" in nothing.stdout
    assert (corrupt.returncode, corrupt.stderr) == (1, "")
    assert corrupt.stdout.startswith("FAILED: ")


@pytest.mark.slow
def test_the_example_of_the_readme_gives_what_python_gives(exported: tuple[Package, Path]) -> None:
    package, folder = exported
    readme = (folder / "README.md").read_text()
    _, in_node, predict = re.findall(r"```js\n(.*?)```", readme, re.DOTALL)
    answer = node(folder, f"{in_node}\n{predict}\nconsole.log(JSON.stringify(answer));")
    targets = package.signature.target
    assert sorted(answer.get("targets", [])) == ([] if isinstance(targets, str) else sorted(targets))
    row = json.loads(predict[predict.index("{") : predict.index(",\n]);")])
    columns = {
        item.name: np.array([row[item.name]], dtype=object if item.datatype == "BYTES" else np.float64)
        for item in package.signature.inputs
    }
    values, labels, classes = flat(answer)
    outputs = Predictor(package.files["model.onnx"], package.signature).predict(columns).outputs
    expected = [
        value for item in package.signature.outputs if item.datatype == "FP64" for value in outputs[item.name][0]
    ]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    heads = [item for item in package.signature.outputs if item.datatype == "INT64"]
    assert labels == [int(outputs[item.name][0]) for item in heads]
    assert classes == [item.classes[label] for item, label in zip(heads, labels, strict=True) if item.classes]


def flat(answer: dict[str, Any]) -> tuple[list[float], list[int], list[Any]]:
    """The values, labels and classes of an answer, side by side."""
    parts = list(answer.get("targets", {"one": answer}).values())
    values = [value for part in parts for value in part.get("probabilities", [part.get("value")])]
    return values, [part["label"] for part in parts if "label" in part], [p["class"] for p in parts if "class" in p]


ROW = {"origin": "Flughafen 003", "carrier": "UA", "dep delay": 3.5, "seats": 100}
ODD = [
    ("origin", None, "null"),
    ("origin", "never seen", '"never seen"'),
    ("origin", "", '""'),
    ("origin", "\ue000missing", '"\\ue000missing"'),
    ("origin", 3, "3"),
    ("origin", True, "true"),
    ("origin", "\ud800", '"\\ud800"'),
    ("origin", "Flughafen 003\0", '"Flughafen 003\\0"'),
    ("carrier", None, "null"),
    ("carrier", "XX", '"XX"'),
    ("carrier", "\ue000missing", '"\\ue000missing"'),
    ("dep delay", None, "null"),
    ("dep delay", float("nan"), "NaN"),
    ("dep delay", float("inf"), "Infinity"),
    ("dep delay", float("-inf"), "-Infinity"),
    ("dep delay", 600.0, "600"),
    ("dep delay", 600.5, "600.5"),
    ("dep delay", -60.5, "-60.5"),
    ("dep delay", 1e9, "1e9"),
    ("dep delay", 1.1e9, "1.1e9"),
    ("dep delay", "3.5", '"3.5"'),
    ("dep delay", True, "true"),
    ("dep delay", [3.5], "[3.5]"),
    ("dep delay", 3, "3n"),
    ("dep delay", 2**60, "2n ** 60n"),
    ("seats", None, "null"),
    ("seats", float("nan"), "NaN"),
    ("seats", 1.5, "1.5"),
    ("seats", 0.0, "0"),
    ("seats", -0.0, "-0"),
    ("seats", 1e300, "1e300"),
]


def python_code(predictor: Predictor, name: str, value: Any) -> Any:
    """The code of the error, or how many values are unusual."""
    columns = {}
    for key, usual in ROW.items():
        column = np.empty(1, dtype=object)
        column[0] = value if key == name else usual
        if key in ("dep delay", "seats") and type(column[0]) is float:
            column = column.astype(np.float64)
        columns[key] = column
    try:
        return sum(predictor.predict(columns).flags.values())
    except DataError as error:
        return error.code


@pytest.mark.slow
def test_a_value_is_accepted_flagged_or_refused_as_in_python(binary: Path) -> None:
    package = hand_made("binary")
    predictor = Predictor(package.files["model.onnx"], package.signature)
    calls = ", ".join(f"{{...row, {json.dumps(name)}: {literal}}}" for name, _, literal in ODD)
    script = f"""{LOAD} const row = {json.dumps(ROW)}, all = [];
    for (const one of [{calls}]) all.push(await code([row, one]));
    say(all);"""
    for (name, value, literal), found in zip(ODD, node(binary, script), strict=True):
        expected = python_code(predictor, name, value)
        wanted = [expected, name, 1] if isinstance(expected, str) else expected
        assert found == wanted, (name, literal)


@pytest.mark.slow
def test_rows_and_columns_of_another_form_are_refused_each_with_its_code(binary: Path) -> None:
    asked = {
        "[{}]": ["input.missing", "origin", 0],
        "[row, {...row, seats: undefined}]": ["input.missing", "seats", 1],
        "[{...row, more: 1}]": ["input.unknown", "more", 0],
        "[row, null]": ["input.shape", None, 1],
        '["row"]': ["input.shape", None, 0],
        "null": ["input.shape", None, None],
        "3": ["input.shape", None, None],
        "{}": ["input.missing", "origin", None],
        "{...columns, more: [1]}": ["input.unknown", "more", None],
        "{...columns, seats: [1]}": ["input.shape", "seats", None],
        "{...columns, seats: 1}": ["input.shape", "seats", None],
        "columns": 0,
        "{...columns, seats: new Float64Array([1, 2])}": 0,
        "{...columns, seats: new BigInt64Array([1n, 2n])}": 0,
        "[row]": 0,
        "[]": 0,
    }
    columns = {name: [value, value] for name, value in ROW.items()}
    calls = ", ".join(f"await code({call})" for call in asked)
    script = f"{LOAD} const row = {json.dumps(ROW)}, columns = {json.dumps(columns)}; say([{calls}]);"
    for (call, expected), found in zip(asked.items(), node(binary, script), strict=True):
        assert found == expected, call


@pytest.mark.slow
def test_many_rows_many_calls_at_once_and_every_way_to_load_give_the_same(binary: Path) -> None:
    script = f"""{LOAD}
    import {{ pathToFileURL }} from "node:url";
    const row = {json.dumps(ROW)};
    const at = (delay) => ({{ ...row, "dep delay": delay }});
    const many = await model.predict(Array.from({{ length: 25_001 }}, (_, place) => at(place % 100)));
    const few = await Promise.all(Array.from({{ length: 100 }}, (_, place) => model.predict([at(place)])));
    const bytes = readFileSync("model.onnx");
    const sources = [bytes, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
      pathToFileURL("model.onnx"), "model.onnx"];
    const loaded = await Promise.all(sources.map((source) => loadModel(ort, source, signature)));
    const same = await Promise.all(loaded.map((other) => other.predict([row])));
    await loaded[0].release();
    say([many.length, many.every((answer, place) => answer.probabilities[1] === few[place % 100][0].probabilities[1]),
      same.map(([answer]) => answer.probabilities[1])]);"""
    length, equal, same = node(binary, script)
    assert (length, equal) == (25_001, True)
    assert len(set(same)) == 1


@pytest.mark.slow
def test_the_module_says_what_it_was_not_given(binary: Path) -> None:
    script = f"""{LOAD}
    const told = [];
    const nul = {{ ...signature, inputs: [{{ ...signature.inputs[0], categories: ["a\\0b"] }}] }};
    for (const other of [undefined, {{}}, nul]) {{
      try {{ await loadModel(ort, "model.onnx", other); }} catch (error) {{ told.push([error.name, error.message]); }}
    }}
    say(told);"""
    nothing, empty, nul = node(binary, script)
    assert nothing == empty == ["TypeError", "the third argument is the parsed signature.json"]
    assert "NUL" in nul[1]


@pytest.mark.slow
def test_the_scripts_are_valid_modules(binary: Path) -> None:
    for name in ("mintage-model.mjs", "page.mjs", "test.mjs"):
        done = subprocess.run(["node", "--check", name], cwd=binary, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
