"""``mintage.load``: a model by name or folder, verified, ready to predict tables of several kinds.

>>> LoadedModel.__doc__.splitlines()[0]
'A verified model that predicts.'
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mintage.attest.trust import read_trust
from mintage.errors import RefusedError
from mintage.model.frames import columns_of
from mintage.model.html_view import html_view
from mintage.model.package import Package, open_package
from mintage.model.runtime import Prediction
from mintage.model.signature import Input
from mintage.record.digest import hex_of
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["LoadedModel", "load_model", "open_built"]

_SHOWN = 8


class LoadedModel:
    """A verified model that predicts.

    ``root`` is its id, ``signature`` what it takes and gives, ``card`` what it is for. Many threads may use it at once.
    """

    def __init__(self, package: Package) -> None:
        self.root = package.root
        self.signature = package.signature
        self.card = package.card
        self._predictor = package.predictor()

    def __repr__(self) -> str:
        return f"<model {self.signature.model} {self.root[:19]}, {len(self.signature.inputs)} inputs>"

    def _repr_html_(self) -> str:
        signature = self.signature
        target = signature.target if isinstance(signature.target, str) else ", ".join(signature.target)
        rows = [(item.name, _kind(item), _values(item), "yes" if item.nullable else "no") for item in signature.inputs]
        return html_view(
            signature.model,
            lines=[f"model {self.root[:19]}, verified", f"predicts {target} ({signature.task})"],
            head=("input", "type", "values", "may be missing"),
            rows=rows,
        )

    def predict(self, rows: Any) -> Prediction:
        """The model's answers to ``rows``.

        Rows are a pandas, polars or Arrow table; a dict of columns or of one row; a list of dicts; or a NumPy array
        [N, inputs] in the signature's order. Missing is None or NaN. The answers are in ``outputs`` by name; a
        classifier has ``probabilities`` [N, classes] and ``labels`` [N], of two classes ``scores`` [N], a
        regression ``values`` [N, targets].

        Raises InputMissingError, InputUnknownError, InputTypeError, InputShapeError, InputNullError, InputRangeError or
        EmptyBatchError. Columns of a table that are no inputs are left out; of a dict they are an error.
        """
        return self._predictor.predict(columns_of(rows, self.signature))


def _kind(item: Input) -> str:
    return "text" if item.datatype == "BYTES" else "whole number" if item.integer else "number"


def _values(item: Input) -> str:
    if item.categories is not None:
        shown = ", ".join(map(str, item.categories[:_SHOWN]))
        return shown + (f" and {len(item.categories) - _SHOWN} more" if len(item.categories) > _SHOWN else "")
    low, high = item.range or (None, None)
    ends = [f"{word} {end:g}" for word, end in (("from", low), ("to", high)) if end is not None]
    return " ".join(ends) or "any"


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
