"""The export for the web: the graph, a module without dependencies that checks and predicts, a page, a test.

It runs on onnxruntime-web in any browser, and on onnxruntime-node in Node. See docs/spec/export-wasm.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import onnx

from mintage.errors import GraphRefusedError
from mintage.model.export.golden_json import example_row, golden_json, resource, template_text
from mintage.model.package import Package

__all__ = ["EXPORT", "NODE_VERSION", "WEB_VERSION", "Wasm"]

WEB_VERSION = "1.30.0"
NODE_VERSION = "1.30.0"
_FOLDER = "wasm_files"
_AS_THEY_ARE = ("index.html", "mintage-model.d.mts", "mintage-model.mjs", "page.mjs", "test.mjs")


class Wasm:
    """The export ``wasm``."""

    name = "wasm"
    about = "a web developer: ONNX with a JavaScript module and a page, for browsers (WebAssembly) and Node"

    def files(self, package: Package) -> Mapping[str, bytes]:
        _refuse_nul(package.files["model.onnx"])
        readme = template_text(
            resource(_FOLDER, "README.md.txt").decode(),
            model=package.signature.model,
            root=package.root,
            row=example_row(package),
            answer=_answer(package),
            web=WEB_VERSION,
        )
        return {
            **{name: resource(_FOLDER, name) for name in _AS_THEY_ARE},
            "CARD.md": package.files["CARD.md"],
            "README.md": readme.encode(),
            "golden.json": golden_json(package),
            "model.onnx": package.files["model.onnx"],
            "package.json": _package_json(package),
            "signature.json": package.files["signature.json"],
        }


def _package_json(package: Package) -> bytes:
    value = {
        "private": True,
        "description": f"The model {package.signature.model}, {package.root}",
        "type": "module",
        "scripts": {"test": "node test.mjs"},
        "dependencies": {"onnxruntime-web": WEB_VERSION},
        "devDependencies": {"onnxruntime-node": NODE_VERSION},
    }
    return (json.dumps(value, indent=2) + "\n").encode()


def _answer(package: Package) -> str:
    """The form of an answer, for the README."""
    signature = package.signature
    one = "{ value }" if signature.task == "regression" else "{ probabilities, label, class }"
    if isinstance(signature.target, str):
        return f"{one[:-2]}, unusual }}"
    targets = ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {one}" for name in signature.target)
    return f"{{ targets: {{ {targets} }}, unusual }}"


def _refuse_nul(graph: bytes) -> None:
    """The runtimes in JavaScript end a text at a NUL: a category with one would be another."""
    for node in onnx.load_model_from_string(graph).graph.node:
        for attribute in node.attribute:
            if attribute.name == "keys_strings" and any(b"\0" in key for key in attribute.strings):
                raise GraphRefusedError(
                    "a category holds a NUL character, which runtimes in JavaScript cannot",
                    where=f"input of {node.op_type} {node.name}",
                    hint="clean the column before the model is fitted",
                )


EXPORT = Wasm()
