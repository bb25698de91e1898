"""Times MLflow's pyfunc, in the environment of the peers: load, one row, many rows; the answers go to a file.

    python peer_mlflow.py WORKDIR ROUNDS

WORKDIR has ``model.joblib`` (the fitted pipeline), ``model.onnx`` and ``rows.parquet``. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import mlflow
import numpy as np
import onnx
import pandas as pd


class Probabilities(mlflow.pyfunc.PythonModel):
    """The pipeline's probabilities: MLflow's own flavour of scikit-learn gives labels unless told otherwise."""

    def load_context(self, context: Any) -> None:
        self.model = joblib.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return self.model.predict_proba(model_input)


def median_us(call: Callable[[], object], count: int) -> float:
    for _ in range(max(3, count // 20)):
        call()
    seconds = []
    for _ in range(count):
        started = time.perf_counter_ns()
        call()
        seconds.append(time.perf_counter_ns() - started)
    return float(np.median(seconds)) / 1000


def main(workdir: Path, rounds: int) -> None:
    warnings.filterwarnings("ignore")
    rows = pd.read_parquet(workdir / "rows.parquet")
    signature = mlflow.models.infer_signature(rows)
    sklearn_dir, custom_dir, onnx_dir = (workdir / name for name in ("mlflow-sklearn", "mlflow-custom", "mlflow-onnx"))
    pipeline = joblib.load(workdir / "model.joblib")
    mlflow.sklearn.save_model(
        pipeline,
        sklearn_dir,
        signature=signature,
        pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle",
    )
    mlflow.pyfunc.save_model(
        custom_dir,
        python_model=Probabilities(),
        signature=signature,
        artifacts={"model": str(workdir / "model.joblib")},
    )
    found: dict[str, Any] = {"mlflow": mlflow.__version__, "flavours": {}}
    flavours = {"sklearn": sklearn_dir, "pyfunc": custom_dir}
    try:
        mlflow.onnx.save_model(onnx.load(workdir / "model.onnx"), onnx_dir, signature=signature)
        mlflow.pyfunc.load_model(str(onnx_dir)).predict(rows[:2])
        flavours["onnx"] = onnx_dir
    except Exception as error:  # noqa: BLE001 what a peer cannot do is a result too
        found["flavours"]["onnx"] = {"failed": f"{type(error).__name__}: {error}"[:300]}
    for name, folder in flavours.items():
        loads = []
        for _ in range(rounds):
            started = time.perf_counter()
            model = mlflow.pyfunc.load_model(str(folder))
            loads.append(time.perf_counter() - started)
        one = rows[:1]
        answers = np.asarray(model.predict(rows), dtype=np.float64) if name != "onnx" else None
        if answers is not None:
            np.save(workdir / f"answers-{name}.npy", answers)
        found["flavours"][name] = {
            "load_ms": float(np.median(loads)) * 1000,
            "one_row_us": median_us(lambda model=model, one=one: model.predict(one), 200),
            "many_us": median_us(lambda model=model: model.predict(rows), 10),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
