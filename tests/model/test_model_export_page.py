"""The page of the export for the web, in Chromium: filled in by a script, compared with Python."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_folder import need
from hand_made import TASKS, hand_made

from mintage.model.export.wasm import EXPORT
from mintage.model.package import Package
from mintage.model.runtime import Predictor
from mintage.model.runtimes.chromium import browse, find_chromium
from mintage.model.runtimes.node_packages import find_package
from mintage.model.runtimes.page_server import serve_page

pytestmark = pytest.mark.slow

WASM = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
# Fills in the form of the page in a frame of 390 pixels, row by row, and sends what the page shows.
DRIVER = """<!doctype html><meta charset="utf-8">
<iframe src="index.html" style="width:390px; height:1400px; border:0"></iframe>
<script type="module">
const asked = ASKED;
const frame = document.querySelector("iframe");
const until = (page, done) => new Promise((resolve) => {
  const look = () => done() && (watch.disconnect(), resolve());
  const watch = new MutationObserver(look);
  watch.observe(page, { subtree: true, childList: true, attributes: true });
  look();
});
const errors = [];
await new Promise((resolve) => frame.addEventListener("load", resolve));
const page = frame.contentDocument;
frame.contentWindow.addEventListener("error", (event) => errors.push(event.message));
page.addEventListener("securitypolicyviolation", (event) => errors.push(event.violatedDirective));
await until(page, () => page.querySelector("#answer section, #answer .bad"));
const shown = () => ({
  answers: [...page.querySelectorAll("#answer section")].map((part) => JSON.parse(part.dataset.answer)),
  bars: [...page.querySelectorAll("#answer .bar > div")].map((bar) => bar.offsetWidth / bar.parentNode.offsetWidth),
  text: page.querySelector("#answer").innerText,
  invalid: [...page.querySelectorAll("[aria-invalid=true]")].map((field) => field.name),
  width: page.documentElement.scrollWidth,
});
const seen = [shown()];
for (const row of asked) {
  for (const [name, text] of Object.entries(row)) page.getElementById("form").elements[name].value = text;
  page.getElementById("answer").replaceChildren();
  page.querySelector("button").click();
  await until(page, () => page.getElementById("answer").childElementCount);
  seen.push(shown());
}
const labels = [...page.querySelectorAll("#form input, #form select")].map((field) => field.labels.length);
await fetch("answer", { method: "POST", body: JSON.stringify({ seen, errors, labels, title: page.title }) });
</script>"""
ROWS: tuple[dict[str, str], ...] = (
    {"origin": "Flughafen 007", "carrier": "DL", "dep delay": "3.5", "seats": "120"},
    {"origin": "Åre 'Ö' \"\U0001f6eb\"", "carrier": "B6", "dep delay": "-12", "seats": "1"},
    {"origin": "", "carrier": "UA", "dep delay": "", "seats": "250"},
    {"origin": "<img src=x onerror=alert(1)>", "carrier": "UA", "dep delay": "1e3", "seats": "0"},
)
REFUSED: dict[str, dict[str, str]] = {
    "seats": {"seats": "1.5"},
    "dep delay": {"seats": "10", "dep delay": "ten"},
}


def drive(files: Mapping[str, bytes], folder: Path, *rows: Mapping[str, str]) -> Any:
    """What the page shows first, and after each row was filled in."""
    return open_page(files, folder, DRIVER.replace("ASKED", json.dumps(rows)))


def open_page(files: Mapping[str, bytes], folder: Path, text: str) -> Any:
    """What a page beside the export's files sends."""
    need()
    library, program = find_package("onnxruntime-web"), find_chromium()
    assert library is not None
    assert program is not None
    parts = {
        f"node_modules/onnxruntime-web/dist/{name}": (library.folder / "dist" / name).read_bytes() for name in WASM
    }
    with (
        serve_page({**files, **parts, "page.html": text.encode()}, folder) as page,
        browse(program, page.url, folder / "browser", ended=page.stop),
    ):
        answer = page.answered(timeout_s=120)
        assert answer is not None
        return json.loads(answer)


def python_answers(package: Package, row: dict[str, str]) -> list[float]:
    """The values that Python predicts for what was typed."""
    columns = {}
    for item in package.signature.inputs:
        text = row[item.name]
        if item.datatype == "BYTES":
            columns[item.name] = np.array([None if text == "" else text], dtype=object)
        else:
            columns[item.name] = np.array([np.nan if text == "" else float(text)])
    outputs = Predictor(package.files["model.onnx"], package.signature).predict(columns).outputs
    return [float(v) for item in package.signature.outputs if item.datatype == "FP64" for v in outputs[item.name][0]]


@pytest.mark.parametrize("task", TASKS)
def test_the_page_shows_what_python_predicts_and_what_it_refuses(task: str, tmp_path: Path) -> None:
    package = hand_made(task)
    found = drive(EXPORT.files(package), tmp_path, *ROWS, *REFUSED.values())
    first, *seen = found["seen"]
    assert (found["errors"], found["title"], found["labels"]) == ([], "flights", [1, 1, 1, 1])
    assert first["answers"]
    for row, shown in zip(ROWS, seen, strict=False):
        values = [value for part in shown["answers"] for value in part.get("probabilities", [part.get("value")])]
        np.testing.assert_allclose(values, python_answers(package, row), rtol=0, atol=1e-12)
        classes = [str(part["class"]) for part in shown["answers"] if "class" in part]
        assert all(name in shown["text"].split("\n") for name in classes)
        if shown["bars"]:
            np.testing.assert_allclose(shown["bars"], values, rtol=0, atol=0.01)
    assert ["Unusual: " in shown["text"] for shown in seen[: len(ROWS)]] == [False, False, False, True]
    assert "Unusual: origin, dep delay, seats" in seen[3]["text"]
    for name, shown in zip(REFUSED, seen[len(ROWS) :], strict=True):
        assert (shown["answers"], shown["invalid"]) == ([], [name])
        assert f"input {name}" in shown["text"]
    assert {shown["width"] for shown in found["seen"]} == {390}


def test_the_page_says_so_when_the_model_does_not_load(tmp_path: Path) -> None:
    files = {**EXPORT.files(hand_made("binary")), "model.onnx": b"no graph"}
    (shown,) = drive(files, tmp_path)["seen"]
    assert shown["answers"] == []
    assert "No prediction" in shown["text"]


def test_the_readmes_example_for_a_browser_gives_what_python_gives(tmp_path: Path) -> None:
    package = hand_made("multiclass")
    files = EXPORT.files(package)
    in_browser, _, predict = re.findall(r"```js\n(.*?)```", files["README.md"].decode(), re.DOTALL)
    script = f'{in_browser}\n{predict}\nawait fetch("answer", {{ method: "POST", body: JSON.stringify(answer) }});'
    found = open_page(files, tmp_path, f'<!doctype html><meta charset="utf-8"><script type="module">{script}</script>')
    row = json.loads(predict[predict.index("{") : predict.index(",\n]);")])
    typed = {name: "" if value is None else str(value) for name, value in row.items()}
    np.testing.assert_allclose(found["probabilities"], python_answers(package, typed), rtol=0, atol=1e-12)
    assert found["class"] == found["label"] + 1
