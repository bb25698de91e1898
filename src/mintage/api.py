"""What ``import mintage`` gives to a script: parameters, metrics and seeds of a stage; models to load and to verify.

What ``load``, ``certificate`` and ``verify`` return shows itself in a notebook.

In a stage that ``mintage run`` starts, ``params`` returns the declared slice and ``log_metrics`` reports to the run.
The same script started by hand works too: it reads params.yaml and writes its metrics to the terminal.

>>> log_metrics({"auc": 0.75})
auc = 0.75
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mintage.errors import UsageError

if TYPE_CHECKING:
    from mintage.model.loaded import LoadedModel
    from mintage.report.results import Certified, Verification

__all__ = ["certificate", "load", "log_metrics", "open", "params", "seed", "verify"]


def params() -> dict[str, Any]:
    """The parameters of this stage, as a nested dict: the declared slice in a run, else all of params.yaml."""
    declared = os.environ.get("MINTAGE_PARAMS")
    if declared is not None:
        value: dict[str, Any] = json.loads(Path(declared).read_text())
        return value
    path = Path("params.yaml")
    if not path.is_file():
        return {}
    from mintage.pipeline.params import read_params

    return read_params(path.parent, None)


def log_metrics(metrics: Mapping[str, float], *, step: int = 0) -> None:
    """Report numbers by name; a name may have dots. NaN and infinity are kept as they are."""
    lines = []
    for key, value in metrics.items():
        if not isinstance(key, str) or not key:
            raise UsageError("a metric needs a name", expected="a text", found=repr(key))
        if isinstance(value, bool) or (not isinstance(value, int | float) and not hasattr(value, "__float__")):
            raise UsageError(f"the metric {key!r} is not a number", found=repr(value))
        number = float(value)
        text = number if math.isfinite(number) else str(number)
        lines.append(json.dumps({"key": key, "value": text, "step": step}))
    sink = os.environ.get("MINTAGE_METRICS")
    if sink is None:
        for key, value in metrics.items():
            sys.stdout.write(f"{key} = {float(value):g}\n")
        return
    with Path(sink).open("a", encoding="utf-8") as stream:
        stream.write("".join(line + "\n" for line in lines))


def seed(default: int = 0) -> int:
    """The seed of this stage (``seed:`` in mintage.yaml, else ``default``).

    It seeds ``random`` and, of what was imported before, NumPy and PyTorch, which is told to use deterministic
    algorithms alone. Hand the number on to what takes one: ``random_state=``, ``default_rng()``, a DataLoader's
    ``generator``.
    """
    value = int(os.environ.get("MINTAGE_SEED", default))
    import random

    random.seed(value)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(value % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(value)
        sys.modules["torch"].use_deterministic_algorithms(True)
    return value


def load(model: str | os.PathLike[str]) -> LoadedModel:
    """Open a model by name (of the project around the current folder) or by its folder, verified, ready to predict."""
    from mintage.model.loaded import load_model

    return load_model(model)


def open(path: str | os.PathLike[str], *, rev: str = "HEAD") -> BinaryIO:  # as mintage.open
    """Versioned data as they were at a revision, opened for reading bytes; every byte was verified first.

    ``path`` is from the project's root. Revisions from before a DVC project was imported are read too. A stage does
    not see the project: it reads its declared inputs.
    """
    from mintage.data.at_revision import open_at
    from mintage.repo.workspace import Workspace

    return open_at(Workspace.find(Path.cwd()), Path(path).as_posix(), rev)


def verify(target: str | os.PathLike[str]) -> Verification:
    """The chain behind ``target`` (a model's name or a release ``environment/model``): true if all of it verifies."""
    from mintage.lineage.own_log import open_own_log
    from mintage.lineage.verify import verify_target
    from mintage.repo.workspace import Workspace
    from mintage.report.results import Verification

    workspace = Workspace.find(Path.cwd())
    with open_own_log(workspace) as own:
        return Verification(verify_target(str(target), workspace=workspace, own=own))


def certificate(model: str) -> Certified:
    """The certificate of a model of the project around the current folder, its signature proven.

    Raises UnknownNameError if there is no such model, RefusedError if it was not certified yet.
    """
    from mintage.release.current_certificate import current_certificate
    from mintage.repo.workspace import Workspace
    from mintage.report.results import Certified

    return Certified(*current_certificate(Workspace.find(Path.cwd()), model))
