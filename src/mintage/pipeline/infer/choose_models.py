"""Which of the files that stages wrote are models of the project, and under which names. Pure.

What predicts is a model; what only changes columns is not. Of files with the same bytes, and of one model saved in
several formats beside each other, the first is taken. More than three models are a question: they may be the folds of
one, and nothing says which is meant.

>>> seen = [Seen(path="out/model.joblib", stage="train", digest="a", format="pickle", role="predictor"),
...         Seen(path="out/scaler.joblib", stage="train", digest="b", format="pickle", role="transformer")]
>>> choose_models(seen, project="churn", taken=()).names
{'churn': 'out/model.joblib'}
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from mintage.pipeline.recording.insert_models import model_entry
from mintage.record.names import name_from

__all__ = ["MOST_MODELS", "Choice", "Seen", "choose_models", "name_models"]

MOST_MODELS = 3
_FORMATS = ("pickle", "skops", "xgboost", "lightgbm", "catboost", "torch", "onnx")
"""Of one model in several formats, the first says most of itself: its columns' names, its classes."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One file of an estimator's name: who wrote it, what is in it, its ``type``, and ``why`` it is no model."""

    path: str
    stage: str
    digest: str
    format: str
    role: Literal["predictor", "transformer", "refused"]
    why: str = ""
    type: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """``names`` to the paths of models; ``remarks`` are what a person should know of the others."""

    names: dict[str, str]
    remarks: tuple[str, ...] = ()


def choose_models(seen: Sequence[Seen], *, project: str, taken: Collection[str]) -> Choice:
    """``taken`` are the names of the models that the project has already."""
    programs = {file.stage for file in seen if file.role == "predictor" and file.format == "torch"}
    others = [file for file in seen if file.role != "predictor"]
    told = [file for file in others if file.format != "torch weights" or file.stage not in programs]
    remarks = [f"{file.path} is not taken as a model: {file.why}" for file in told]
    models: list[Seen] = []
    for file in sorted((file for file in seen if file.role == "predictor"), key=_richest):
        same = next((model for model in models if model.digest == file.digest), None)
        twin = next((model for model in models if _stem(model) == _stem(file)), None)
        if same is not None:
            remarks.append(f"{file.path} has the same bytes as {same.path}")
        elif twin is not None:
            remarks.append(f"{file.path} has the name of {twin.path}: taken to be the same model in another format")
        else:
            models.append(file)
    models.sort(key=lambda file: [other.path for other in seen].index(file.path))
    names = name_models([file.path for file in models], project=project, taken=taken)
    if len(models) > MOST_MODELS:
        lines = ", ".join(model_entry(name, path) for name, path in list(names.items())[:2])
        paths = ", ".join(list(names.values())[:5])
        question = f"which of {len(models)} files is the model cannot be known ({paths}…): write those that are meant "
        return Choice(names={}, remarks=(*remarks, f"{question}under `models:` in mintage.yaml, as in `{lines}`"))
    return Choice(names=names, remarks=tuple(remarks))


def name_models(paths: Sequence[str], *, project: str, taken: Collection[str]) -> dict[str, str]:
    """The project's name for its only model; else the stem of the file, with its folder where two have the same.

    >>> name_models(["rf/model.pkl", "gb/model.pkl", "base.pkl"], project="churn", taken=())
    {'rf': 'rf/model.pkl', 'gb': 'gb/model.pkl', 'base': 'base.pkl'}
    """
    if len(paths) == 1 and not taken:
        return {project: paths[0]}
    found: dict[str, str] = {}
    stems = [PurePosixPath(path).stem for path in paths]
    for path in paths:
        clean = PurePosixPath(path)
        alone = stems.count(clean.stem) == 1 or not clean.parent.name
        wanted = name_from(clean.stem if alone else clean.parent.name)
        name, number = wanted, 2
        while name in found or name in taken:
            name, number = f"{wanted[:60]}-{number}", number + 1
        found[name] = path
    return found


def _richest(file: Seen) -> int:
    return _FORMATS.index(file.format) if file.format in _FORMATS else len(_FORMATS)


def _stem(file: Seen) -> str:
    return str(PurePosixPath(file.path).with_suffix(""))
