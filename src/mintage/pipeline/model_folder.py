"""Where a built model lies in the workspace: one folder a model and root, never changed once it is there."""

from __future__ import annotations

from pathlib import Path

from mintage.record.digest import hex_of
from mintage.repo.workspace import Workspace

__all__ = ["model_folder"]


def model_folder(workspace: Workspace, model: str, root: str) -> Path:
    """The folder of the model with id ``root``."""
    return workspace.models_dir / model / hex_of(root)[:16]
