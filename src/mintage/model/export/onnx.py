"""The export for a Python developer: the graph, an example with numpy and onnxruntime alone, a test.

Any runtime of ONNX can load the graph; see docs/spec/export-onnx.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from mintage.model.export.golden_json import example_row, golden_json, resource, template_text
from mintage.model.package import Package

__all__ = ["EXPORT", "REQUIREMENTS", "Onnx"]

REQUIREMENTS = ("numpy>=2.0", "onnxruntime>=1.21")
_FOLDER = "onnx_files"


class Onnx:
    """The export ``onnx``."""

    name = "onnx"
    about = "a Python developer, or any runtime of ONNX: the graph, with numpy and onnxruntime alone"

    def files(self, package: Package) -> Mapping[str, bytes]:
        signature = package.signature
        inputs = ", ".join(f"`{item.name}`" for item in signature.inputs)
        outputs = ", ".join(f"`{item.name}` {item.datatype.lower()} {list(item.shape)}" for item in signature.outputs)
        readme = template_text(
            resource(_FOLDER, "README.md.txt").decode(),
            model=signature.model,
            root=package.root,
            inputs=inputs,
            outputs=outputs,
            row=example_row(package),
        )
        return {
            "CARD.md": package.files["CARD.md"],
            "README.md": readme.encode(),
            "example.py": resource(_FOLDER, "example.py.txt"),
            "golden.json": golden_json(package),
            "model.onnx": package.files["model.onnx"],
            "requirements.txt": "".join(f"{line}\n" for line in REQUIREMENTS).encode(),
            "signature.json": package.files["signature.json"],
            "test.py": resource(_FOLDER, "test.py.txt"),
        }


EXPORT = Onnx()
