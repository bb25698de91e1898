"""Times a model in Python: load, one row, ten thousand rows, beside the bare runtime and beside MLflow's pyfunc.

    python bench/model.py [--peers PYTHON] [--rounds N] [--out FILE]

The model is the demo's: the template's project is run in a new folder. Every figure is taken in this run, on this
machine, round by round; the table has ratios to the bare ``InferenceSession.run`` on ready tensors. PYTHON is an
interpreter with requirements/peers.txt (``make bench-model`` makes one); without it MLflow is named as not measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from timing import MINTAGE, machine, write_result

import mintage
from mintage.model.package import open_package
from mintage.model.runtime import load_session

ROWS = 10_000
PEER = Path(__file__).with_name("peer_mlflow.py")


def median_us(call: Callable[[], object], count: int) -> float:
    """The median time of a call, after a warm-up."""
    for _ in range(max(3, count // 20)):
        call()
    found = []
    for _ in range(count):
        started = time.perf_counter_ns()
        call()
        found.append(time.perf_counter_ns() - started)
    return float(np.median(found)) / 1000


def make_model(folder: Path) -> Path:
    """The demo's project, run; returns the folder of its model."""
    for words in (["init", "--template", "flights"], ["run"]):
        subprocess.run([MINTAGE, *words], cwd=folder, check=True, capture_output=True)
    (found,) = (folder / ".mintage" / "models" / "late").iterdir()
    return found


def measure(model_folder: Path, rows: pl.DataFrame, rounds: int) -> dict[str, Any]:
    """Medians by name, in microseconds; ``load`` in milliseconds."""
    loads = []
    for _ in range(max(rounds, 3)):
        started = time.perf_counter()
        model = mintage.load(model_folder)
        loads.append((time.perf_counter() - started) * 1000)
    package = open_package(model_folder)
    predictor, session = package.predictor(), load_session(package.files["model.onnx"])
    names = [output.name for output in package.signature.outputs]
    order = [item.name for item in package.signature.inputs]
    taken = {item.name for item in session.get_inputs()}
    plain = {name: rows[name].to_list() for name in order}
    columns = {
        name: np.array(values, dtype=object if isinstance(values[0], str) else np.float64)
        for name, values in plain.items()
    }
    feeds = {name: tensor for name, tensor in predictor.tensors(columns).items() if name in taken}
    one_feed = {name: tensor[:1] for name, tensor in feeds.items()}
    one = {name: values[0] for name, values in plain.items()}
    array = np.array([one[name] for name in order], dtype=object)
    frame = rows.select(order)
    as_pandas, as_arrow, one_pandas = frame.to_pandas(), frame.to_arrow(), frame[:1].to_pandas()
    calls: dict[str, tuple[Callable[[], object], int]] = {
        "one row: bare runtime": (lambda: session.run(names, one_feed), 2000),
        "one row: dict": (lambda: model.predict(one), 2000),
        "one row: numpy": (lambda: model.predict(array), 2000),
        "one row: pandas": (lambda: model.predict(one_pandas), 500),
        "10k rows: bare runtime": (lambda: session.run(names, feeds), 15),
        "10k rows: numpy columns": (lambda: model.predict(columns), 15),
        "10k rows: dict of lists": (lambda: model.predict(plain), 15),
        "10k rows: polars": (lambda: model.predict(frame), 15),
        "10k rows: pandas": (lambda: model.predict(as_pandas), 15),
        "10k rows: arrow": (lambda: model.predict(as_arrow), 15),
    }
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, (call, count) in calls.items():
            found[name].append(median_us(call, count))
    return {"load_ms": float(np.median(loads)), "us": {name: float(np.median(times)) for name, times in found.items()}}


def measure_peer(python: str, folder: Path, model_folder: Path, rows: pl.DataFrame, rounds: int) -> dict[str, Any]:
    """MLflow's figures, in its own environment, and how far its answers are from ours."""
    workdir = folder / "peer"
    workdir.mkdir()
    (workdir / "model.joblib").write_bytes((folder / "work" / "model.joblib").read_bytes())
    (workdir / "model.onnx").write_bytes((model_folder / "model.onnx").read_bytes())
    order = [item.name for item in open_package(model_folder).signature.inputs]
    rows.select(order).write_parquet(workdir / "rows.parquet")
    command = [str(Path(python).absolute()), str(PEER), str(workdir), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=workdir)
    if done.returncode:
        return {"failed": done.stderr[-500:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    ours = mintage.load(model_folder).predict(rows.select(order)).probabilities
    for name in ("sklearn", "pyfunc"):
        answers = workdir / f"answers-{name}.npy"
        if answers.exists():
            found["flavours"][name]["largest_difference"] = float(np.abs(np.load(answers) - ours).max())
    return found


def show(found: dict[str, Any], peer: dict[str, Any] | None) -> None:
    """A table of medians and ratios."""
    us = found["us"]
    sizes = f"graph {found['graph_bytes'] / 1000:.0f} kB, folder {found['folder_bytes'] / 1000:.0f} kB"
    print(f"load, verified (imports aside): {found['load_ms']:.1f} ms; {sizes}")
    for kind in ("one row", "10k rows"):
        bare = us[f"{kind}: bare runtime"]
        for name, value in us.items():
            if name.startswith(kind):
                print(f"  {name:<28} {value:>12,.1f} us   {value / bare:5.2f} x")
        for flavour, figures in (peer or {}).get("flavours", {}).items():
            if "failed" in figures:
                print(f"  {kind}: MLflow {flavour:<13} does not answer: {figures['failed']}")
            else:
                value = figures["one_row_us" if kind == "one row" else "many_us"]
                print(f"  {kind}: MLflow {flavour:<13} {value:>12,.1f} us   {value / bare:5.2f} x")
    if peer is None or "failed" in peer:
        print(f"  MLflow: not measured ({'no --peers interpreter' if peer is None else peer['failed']})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter with requirements/peers.txt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("bench/results/model.json"))
    arguments = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(prefix="mintage-bench-") as name:
        folder = Path(name)
        model_folder = make_model(folder)
        rows = pl.read_parquet(folder / "work" / "validation.parquet").sample(ROWS, with_replacement=True, seed=1)
        found = measure(model_folder, rows, arguments.rounds)
        found["graph_bytes"] = (model_folder / "model.onnx").stat().st_size
        found["folder_bytes"] = sum(path.stat().st_size for path in model_folder.rglob("*") if path.is_file())
        peer = measure_peer(arguments.peers, folder, model_folder, rows, arguments.rounds) if arguments.peers else None
        show(found, peer)
    write_result("model", before=before, figures={"mintage": found, "mlflow": peer}, output=arguments.out)


if __name__ == "__main__":
    main()
