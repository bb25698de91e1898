"""Signed models of every task, on disk, and their golden rows as requests; the graphs are those of tests/model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hand_made import hand_made
from serve_models import SmallModel

from mintage.attest.oms import sign_model
from mintage.model.package import Package

FILLERS = {"parity.json": b"{}", "profile.json": b"{}", "card.json": b"{}"}


def build_task_model(task: str, folder: Path, signer: Any, **options: Any) -> tuple[SmallModel, Package]:
    """A hand-made model of the task, written and signed."""
    package = hand_made(task, **options)
    (folder / "golden").mkdir(parents=True)
    for name, data in (FILLERS | dict(package.files)).items():
        (folder / name).write_bytes(data)
    return SmallModel(folder, sign_model(folder, signer)), package


def golden_tensors(package: Package, rows: slice = slice(None)) -> list[dict[str, Any]]:
    """Golden rows as the tensors of a request."""
    tensors = []
    for item in package.signature.inputs:
        values = package.golden.columns[item.name][rows].tolist()
        data = [None if value != value else value for value in values]  # noqa: PLR0124 NaN
        tensors.append({"name": item.name, "datatype": item.datatype, "shape": [len(data)], "data": data})
    return tensors
