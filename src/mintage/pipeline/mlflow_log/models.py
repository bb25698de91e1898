"""Give the models that a stage logged with MLflow paths that stay the same: ``captured/<stage>/<name>``.

MLflow keeps a model under a random id. A stage that saves no estimator itself has the model's file under a path of its
own among its outputs; ``place_models`` puts it there after the command, each time the stage runs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from mintage.errors import FileMalformedError, StageOutputMissingError
from mintage.pipeline.mlflow_log.limits import files_in
from mintage.pipeline.mlflow_log.logged import Logged, LoggedModel
from mintage.repo.yamlfile import load_yaml

__all__ = ["logged_outputs", "place_models"]

_FLAVOURS = {"sklearn": "pickled_model", "xgboost": "data", "lightgbm": "data", "catboost": "data", "onnx": "data"}
_SUFFIXES = {".lgb": ".txt", ".cb": ".cbm"}
_YAML_BYTES = 1 << 20
_HEAD_BYTES = 4


def logged_outputs(logged: Logged, stage: str) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Files of logged models by the path to keep each under, and what a person should know of the others."""
    found: dict[str, list[Path]] = {}
    remarks = []
    for model in _without_doubles(logged.models):
        path = _data_file(model)
        if path is None:
            remarks.append(f"logs the model {model.name} with MLflow in a form that is not read: {_ADVICE}")
        else:
            found.setdefault(_stable(stage, model.name, path), []).append(path)
    for files in found.values():
        if len(files) > 1:
            remarks.append(f"logs {len(files)} models of one name with MLflow: {_ADVICE}")
    return {name: files[0] for name, files in found.items() if len(files) == 1}, tuple(remarks)


_ADVICE = 'save the one that counts to a file, as in joblib.dump(model, "model.joblib")'


def place_models(logged: Logged, work: Path, *, stage: str, outputs: Collection[str]) -> None:
    """Copy to the declared ``outputs`` those that the command did not write and that name a logged model.

    Raises StageOutputMissingError if it logged none of that name, or several.
    """
    wanted = [path for path in outputs if path.startswith(f"captured/{stage}/") and not (work / path).exists()]
    if not wanted:
        return
    there, remarks = logged_outputs(logged, stage)
    for path in wanted:
        source = there.get(path)
        if source is None:
            raise StageOutputMissingError(
                f"stage {stage} did not log the model of {path} with MLflow",
                expected="one logged model of that name",
                found="; ".join((*there, *remarks)) or "none",
                where=path,
                hint="log it again under that name, or correct `out:` of the stage in mintage.yaml",
            )
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, work / path)


def _without_doubles(models: Collection[LoggedModel]) -> list[LoggedModel]:
    """Without the ``best_estimator`` that autologging keeps beside a search, which has it inside, and without one
    folder twice."""
    whole = {model.run for model in models if model.name == "model"}
    kept: dict[Path, LoggedModel] = {}
    for model in models:
        if not (model.name == "best_estimator" and model.run in whole):
            kept.setdefault(model.folder, model)
    return list(kept.values())


def _data_file(model: LoggedModel) -> Path | None:
    """The file that its ``MLmodel`` names for a library that is known; it must lie in the model's own folder."""
    flavours = _flavours(model.folder / "MLmodel")
    for flavour, key in _FLAVOURS.items():
        about = flavours.get(flavour)
        named = about.get(key) if isinstance(about, Mapping) else None
        if isinstance(named, str):
            return next((path for path in files_in(model.folder) if path == model.folder / named), None)
    return None


def _flavours(path: Path) -> Mapping[str, object]:
    try:
        if path.is_symlink() or path.stat().st_size > _YAML_BYTES:
            return {}
        about = load_yaml(path.read_bytes(), where="MLmodel")[0]
    except (FileMalformedError, FileNotFoundError):
        return {}
    found = about.get("flavors") if isinstance(about, dict) else None
    return found if isinstance(found, dict) else {}


def _stable(stage: str, name: str, path: Path) -> str:
    """The path for a model's file, with the ending that says what it is."""
    suffix = _SUFFIXES.get(path.suffix, path.suffix)
    if suffix in (".xgb", ".model"):  # XGBoost's, in one of its two forms
        with path.open("rb") as stream:
            suffix = ".json" if stream.read(_HEAD_BYTES).startswith(b'{"') else ".ubj"
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "model"
    return f"captured/{stage}/{clean}{suffix}"
