"""Find the model that a command means: a name of the project, or a model's folder anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mintage.cli.context import Context
from mintage.errors import ProjectNotFoundError, UnknownNameError
from mintage.model.loaded import open_built
from mintage.model.package import Package, open_package
from mintage.repo.nearest import nearest_hint

__all__ = ["ModelTarget", "find_model"]


@dataclass(frozen=True)
class ModelTarget:
    """An opened model. ``context`` is set for a model of the project around the current folder, proven by its trust."""

    package: Package
    context: Context | None


def find_model(text: str) -> ModelTarget:
    """The model of that name, else the one in that folder; raises UnknownNameError."""
    try:
        context: Context | None = Context.here()
    except ProjectNotFoundError:
        context = None
    if context is not None and text in context.workspace.project().models:
        return ModelTarget(open_built(context.workspace, text), context)
    if Path(text).is_dir():
        return ModelTarget(open_package(Path(text)), None)
    names = list(context.workspace.project().models) if context is not None else []
    raise UnknownNameError(
        f"there is no model {text!r}",
        expected=", ".join([*names, "or a model's folder"]),
        hint=nearest_hint(text, names, otherwise="name a model of mintage.yaml, or the folder of one"),
    )
