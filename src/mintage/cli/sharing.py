"""What the commands say to a run about sharing results: where the remote is, who signs, whose results count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mintage.cli.context import Context, now
from mintage.errors import FileMissingError, KeyFileError
from mintage.repo.remote import open_remote

if TYPE_CHECKING:
    from mintage.attest.keys import PublicKey
    from mintage.attest.trust import Trust
    from mintage.pipeline.shared.sharing import Sharing

__all__ = ["sharing_of"]


def sharing_of(context: Context, *, publishes: bool = False) -> Sharing | None:
    """How this project shares; None if it names no remote. Nothing is opened yet."""
    workspace = context.workspace
    if workspace.project(allow_unmade=True).remote is None and not publishes:
        return None
    from mintage.pipeline.shared.sharing import Sharing

    return Sharing(
        remote=lambda: open_remote(workspace, home=Path.home(), make=publishes),
        trust=lambda: _trust(context),
        own=lambda: _own(context),
        signer=lambda: context.signer,
        clock=now,
        publishes=publishes,
    )


def _trust(context: Context) -> Trust | None:
    try:
        return context.trust
    except FileMissingError:
        return None


def _own(context: Context) -> PublicKey | None:
    """The public key of this clone; none is made to look at what others say."""
    from mintage.attest.keys import PublicKey

    path = context.workspace.keys_dir / "project.pem.pub"
    try:
        return PublicKey.from_pem(path.read_bytes())
    except (OSError, KeyFileError):
        return None
