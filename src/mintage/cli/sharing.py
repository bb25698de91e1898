"""What the commands say to a run about sharing results: where the remote is, who signs, whose results count."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.cli.context import Context, now
from mintage.errors import FileMissingError, KeyFileError, ProjectError
from mintage.repo.remote import open_remote

if TYPE_CHECKING:
    from mintage.attest.keys import PublicKey
    from mintage.attest.trust import Trust
    from mintage.pipeline.shared.sharing import Sharing
    from mintage.pipeline.status import StageState
    from mintage.store.statcache import StatCache

__all__ = ["origins", "sharing_of", "trust_lines", "trust_of"]


def sharing_of(context: Context, *, publishes: bool = False) -> Sharing | None:
    """How this project shares; None if it names no remote. Nothing is opened yet."""
    workspace = context.workspace
    if workspace.project(allow_unmade=True).remote is None and not publishes:
        return None
    from mintage.pipeline.shared.sharing import Sharing

    return Sharing(
        remote=lambda: open_remote(workspace, home=Path.home(), make=publishes),
        trust=lambda: trust_of(context),
        own=lambda: _own(context),
        signer=lambda: context.signer,
        clock=now,
        enter=lambda action, stage, details: _enter(context, action, stage, details),
        publishes=publishes,
    )


def origins(context: Context, cache: StatCache, states: Iterable[StageState]) -> dict[str, str]:
    """Of the stages that are out of date, what a run would not run: ``restored …`` or ``downloaded …``, by name."""
    from mintage.pipeline.facts import Inspector

    stale = [(state.name, state.key) for state in states if state.reasons]
    if not any(key for _, key in stale):
        return {}
    inspector, sharing = Inspector(context.workspace, cache), sharing_of(context)
    found: dict[str, str] = {}
    for name, key in stale:
        stage = inspector.project.stages.get(name)
        outputs = (name,) if stage is None else stage.outputs  # of a model its one folder
        if key is None or not outputs:
            continue
        if inspector.known_result(key) is not None:
            found[name] = "restored, the same was made before"
        elif (
            sharing is not None
            and (made := sharing.promised(inspector, key, outputs, is_model=stage is None)) is not None
        ):
            found[name] = f"downloaded, {made}"
    return found


def trust_of(context: Context) -> Trust | None:
    """trust.yaml of the work tree; None if there is none."""
    try:
        return context.trust
    except FileMissingError:
        return None


def trust_lines(context: Context) -> list[str]:
    """What to write into trust.yaml if nobody but this clone takes what it signs."""
    from mintage.pipeline.shared.makers import makers_of

    try:
        trust = trust_of(context)
    except ProjectError:
        return []  # whoever reads it is told
    key = context.signer.public
    if any(maker.key == key for maker in makers_of(trust, None)):
        return []
    name = trust.name_of(key.key_id) if trust is not None else None
    if name is not None:
        return [f"others take these results once {name} has the role `result` in trust.yaml"]
    return [
        "others take these results once trust.yaml has this under `keys:`, with a name of yours:",
        "  NAME:",
        "    public: |",
        *(f"      {line}" for line in key.pem.decode().strip().splitlines()),
        "    roles: [result]",
    ]


def _enter(context: Context, action: str, stage: str, details: dict[str, str]) -> None:
    from mintage.database.connection import transaction

    context.open_audit_log()
    with transaction(context.connection):
        context.record_access(action, stage, details)


def _own(context: Context) -> PublicKey | None:
    """The public key of this clone; none is made to look at what others say."""
    from mintage.attest.keys import PublicKey

    path = context.workspace.keys_dir / "project.pem.pub"
    try:
        return PublicKey.from_pem(path.read_bytes())
    except (OSError, KeyFileError):
        return None
