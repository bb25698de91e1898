"""Find the environment that a command means when none is named."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.context import Context
from mintage.errors import UsageError
from mintage.release.history import manifests_at
from mintage.release.reconcile import environment_dir

__all__ = ["add_environment", "environment_of"]


def add_environment(parser: argparse.ArgumentParser) -> None:
    """The option ``--in``."""
    parser.add_argument(
        "--in", dest="environment", metavar="ENVIRONMENT", help="the environment; needed if several release the model"
    )


def environment_of(context: Context, model: str, given: str | None) -> tuple[str, Path]:
    """The environment and its folder: the one given, else the only one whose manifest releases the model."""
    workspace = context.workspace
    workspace.model_entry(model)
    if given is not None:
        return given, environment_dir(workspace, given)
    head = workspace.git.head()
    manifests = manifests_at(workspace.git, head) if head else []
    names = sorted({manifest.environment for manifest in manifests if manifest.model == model})
    if len(names) != 1:
        raise UsageError(
            f"{model} is released in {'no environment' if not names else 'several environments'}",
            expected="one",
            found=", ".join(names) or "none",
            hint="release it with `mintage release`" if not names else "name one with --in",
        )
    return names[0], environment_dir(workspace, names[0])
