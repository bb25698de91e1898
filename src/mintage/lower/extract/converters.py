"""Ask a published converter, where the estimator lives, for an object that Mintage does not lower itself.

``converted(item)`` gives the fields to write beside the object's attributes: the graph that the converter made of the
object alone and who made it, or why there is none. What it says is proven later, on rows, like any other lowering.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

__all__ = ["CONVERTED", "converted"]

CONVERTED = frozenset(
    (
        "sklearn.cluster._kmeans.KMeans",
        "sklearn.cluster._kmeans.MiniBatchKMeans",
        "sklearn.neighbors._nca.NeighborhoodComponentsAnalysis",
        "sklearn.random_projection.GaussianRandomProjection",
    )
)
OPSETS = {"": 21, "ai.onnx.ml": 3}


def converted(item: Any) -> dict[str, Any]:
    """``#onnx`` uint8 and ``#converter``, or ``#refused`` with the reason."""
    width = getattr(item, "n_features_in_", None)
    if width is None:
        return {}
    try:
        import skl2onnx  # type: ignore[import-untyped]
        from skl2onnx.common.data_types import DoubleTensorType  # type: ignore[import-untyped]
    except ImportError as error:
        return {
            "#refused": f"is lowered through skl2onnx, which the environment that fitted it lacks ({error}): "
            "`pip install skl2onnx` there"
        }
    name = f"skl2onnx {skl2onnx.__version__}"
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            model = skl2onnx.convert_sklearn(
                item, initial_types=[("x", DoubleTensorType([None, width]))], target_opset=OPSETS
            )
    except Exception as error:  # noqa: BLE001 the converter's code: any failure is an answer
        return {"#refused": f"is not taken by {name}: {type(error).__name__}: {error}"[:300]}
    return {"#onnx": np.frombuffer(model.SerializeToString(), dtype=np.uint8), "#converter": name}
