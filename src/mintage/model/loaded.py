"""``mintage.load``: a model by name or folder, verified, ready to predict tables of several kinds.

>>> LoadedModel.__doc__.splitlines()[0]
'A verified model that predicts.'
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mintage.attest.trust import read_trust
from mintage.errors import InputMissingError, RefusedError
from mintage.model.package import Package, open_package
from mintage.model.runtime import Prediction
from mintage.model.tables import encode_columns
from mintage.record.digest import hex_of
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["LoadedModel", "load_model", "open_built"]


class LoadedModel:
    """A verified model that predicts.

    ``root`` is its id, ``signature`` what it takes and gives.
    """

    def __init__(self, package: Package) -> None:
        self.root = package.root
        self.signature = package.signature
        self.card = package.card
        self._predictor = package.predictor()

    def __repr__(self) -> str:
        return f"<model {self.signature.model} {self.root[:19]}, {len(self.signature.inputs)} inputs>"

    def predict(self, rows: Any) -> Prediction:
        """Scores and labels for ``rows``: an Arrow, polars or pandas table, a dict of columns, or a dict of one row.

        Missing is None or NaN. Raises InputMissingError, InputTypeError and the other input errors.
        """
        return self._predictor.predict(self._columns(rows))

    def _columns(self, rows: Any) -> Mapping[str, np.ndarray[Any, Any]]:
        if isinstance(rows, pa.Table):
            return encode_columns(rows, self.signature)
        if isinstance(rows, Mapping):
            return {item.name: self._column(item.name, item.datatype, rows) for item in self.signature.inputs}
        if hasattr(rows, "to_arrow"):
            return encode_columns(rows.to_arrow(), self.signature)
        return encode_columns(pa.table(rows), self.signature)

    def _column(self, name: str, datatype: str, rows: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        if name not in rows:
            raise InputMissingError(f"the input {name} is not given", expected=name, found=", ".join(map(str, rows)))
        values = rows[name]
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
            values = [values]
        if datatype == "BYTES":
            column = np.empty(len(values), dtype=object)
            column[:] = list(values)
            return column
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def load_model(model: str | os.PathLike[str]) -> LoadedModel:
    """The model at a folder, or of that name in the project around the current folder.

    A model of a project is verified by its trust.yaml; a bare folder by the digests of its own signature.
    """
    folder = Path(model)
    if folder.is_dir():
        return LoadedModel(open_package(folder))
    return LoadedModel(open_built(Workspace.find(Path.cwd()), str(model)))


def open_built(workspace: Workspace, model: str) -> Package:
    """The model of that name as the lock has it, from the store if its folder is not in place, proven by trust.yaml."""
    workspace.model_entry(model)
    lock = read_lock(workspace.root, f"model:{model}")
    if lock is None or lock.root is None:
        raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
    folder = workspace.models_dir / model / hex_of(lock.root)[:16]
    if not folder.is_dir():
        Store(workspace.store_dir).checkout_tree(lock.outputs[0].digest, folder)
    package = open_package(folder, keys=read_trust(workspace.root / "trust.yaml").keys_for("model"))
    if package.root != lock.root:
        raise RefusedError("the folder holds another model", expected=lock.root, found=package.root, where=str(folder))
    return package
