"""Pin what a stage uses: resolve its revision to a commit once, fetch that, and write its files down.

The pin of the lock is kept until ``update`` asks for a later one, so a branch that moves changes nothing by itself.
"""

from __future__ import annotations

from mintage.errors import UseError
from mintage.pipeline.uses.used import pinned
from mintage.repo.foreign import Foreign
from mintage.repo.locks import Lock
from mintage.repo.use import Pin, Use
from mintage.repo.workspace import PROJECT_FILE, Workspace

__all__ = ["pin_use"]


def pin_use(workspace: Workspace, use: Use, lock: Lock | None, *, update: bool) -> Pin:
    """The pin of ``use``, whose files are here afterwards; goes to the network only if it must. Raises UseError."""
    workspace.prepare()
    foreign = Foreign(workspace, use)
    pin = None if update else pinned(use, lock)
    if pin is None:
        foreign.fetch()
        pin = Pin(repo=use.repo, rev=use.rev, commit=foreign.resolve())
    elif not foreign.files_dir(pin.commit).is_dir() and not foreign.knows(pin.commit):
        foreign.fetch()
        if not foreign.knows(pin.commit):
            raise UseError(
                f"{use.repo} no longer has the commit that the lock pins",
                expected=pin.commit,
                where=PROJECT_FILE,
                hint="its history was rewritten: `mintage run --update-uses` pins what the revision is now",
            )
    foreign.write_files(pin.commit)
    return pin
