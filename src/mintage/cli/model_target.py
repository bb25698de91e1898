"""Find the model that a command means: a name of the project, or a model's folder anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.cli.context import Context
from mintage.errors import FileMissingError, ProjectNotFoundError, UnknownNameError, UsageError
from mintage.model.loaded import open_built
from mintage.model.package import Package, open_package
from mintage.repo.nearest import nearest_hint

if TYPE_CHECKING:
    from mintage.attest.keys import PublicKey

__all__ = ["ModelTarget", "find_model"]


@dataclass(frozen=True)
class ModelTarget:
    """An opened model. ``context`` is set for a model of the project around the current folder, proven by its trust.

    A bare folder is proven by the key that was given; without one only its digests were compared.
    """

    package: Package
    context: Context | None


def find_model(text: str | None, *, trust: Path | None = None) -> ModelTarget:
    """The model of that name, else the one in that folder; without ``text`` the project's only one.

    ``trust`` is the file of a public key that must have signed it. Raises UnknownNameError or UsageError.
    """
    if text is None:
        text = _only_model()
    keys = None if trust is None else [_public_key(trust)]
    try:
        context: Context | None = Context.here()
    except ProjectNotFoundError:
        context = None
    if context is not None and text in context.workspace.project().models:
        package = open_built(context.workspace, text)
        return ModelTarget(package if keys is None else open_package(package.folder, keys=keys), context)
    if Path(text).is_dir():
        return ModelTarget(open_package(Path(text), keys=keys), None)
    names = list(context.workspace.project().models) if context is not None else []
    raise UnknownNameError(
        f"there is no model {text!r}",
        expected=", ".join([*names, "or a model's folder"]),
        hint=nearest_hint(text, names, otherwise="name a model of mintage.yaml, or the folder of one"),
    )


def _only_model() -> str:
    """The one model that the project declares; raises UsageError if there is none, or more."""
    models = list(Context.here().workspace.project().models)
    if len(models) != 1:
        raise UsageError(
            "which model is meant is not said" if models else "the project has no model yet",
            expected="one of " + ", ".join(models) if models else "a model under `models:` in mintage.yaml",
            hint="name it as the first argument" if models else "`mintage run` builds what mintage.yaml declares",
        )
    return models[0]


def _public_key(path: Path) -> PublicKey:
    from mintage.attest.keys import PublicKey

    if not path.is_file():
        raise FileMissingError(f"{path} is not there", expected="a public key, PEM", where=str(path.absolute()))
    return PublicKey.from_pem(path.read_bytes(), where=str(path))
