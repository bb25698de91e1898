"""Who rebuilt a commit, and how near they came: the attestations under its ref, each proven before it is shown."""

from __future__ import annotations

from typing import Any

from mintage.attest.keys import PublicKey
from mintage.attest.seal import open_sealed
from mintage.cli.console import emit, emit_json, table
from mintage.cli.context import Context
from mintage.errors import IntegrityError
from mintage.pipeline.reproduce.statement import PREDICATE_TYPE
from mintage.record.digest import blake3_bytes, short
from mintage.repo.workspace import Workspace

__all__ = ["REFS", "list_reproductions"]

REFS = "refs/mintage/reproductions"


def list_reproductions(context: Context, commit: str, *, as_json: bool) -> int:
    """Show the attestations of ``commit``. Of one that no known key signed nothing is shown but that."""
    names = known_keys(context)
    keys = [key for key, _ in names.values()]
    found = [
        {"attestation": blake3_bytes(text.encode()), **_opened(text, keys, names, commit)}
        for text in _bundles(context.workspace, commit)
    ]
    if as_json:
        emit_json({"commit": commit, "reproductions": found})
        return 0
    if not found:
        emit(f"nobody has reproduced {commit[:12]} yet")
        return 0
    columns = ("level", "independent", "finished", "by", "signed_by")
    rows = [[short(item["attestation"]), *(item[key] for key in columns)] for item in found]
    emit(table(rows, head=("attestation", "level", "independent", "when", "by", "signed by")))
    return 0


def known_keys(context: Context) -> dict[str, tuple[PublicKey, str]]:
    """The keys of trust.yaml, if there is one, and this clone's own, each with its name, by id."""
    own = context.signer.public
    names = {own.key_id: (own, "this clone (not in trust.yaml)")}
    if (context.workspace.root / "trust.yaml").is_file():
        names |= {trusted.key.key_id: (trusted.key, trusted.name) for trusted in context.trust.keys}
    return names


def _bundles(workspace: Workspace, commit: str) -> list[str]:
    refs = workspace.git.run("for-each-ref", "--format=%(refname)", f"{REFS}/{commit}/").splitlines()
    return [workspace.git.run("cat-file", "blob", ref) for ref in refs]


def _opened(text: str, keys: list[PublicKey], names: dict[str, tuple[PublicKey, str]], commit: str) -> dict[str, Any]:
    unknown = {"level": "not verified", "independent": "-", "finished": "-", "by": "-"}
    try:
        sealed = open_sealed(text.encode(), keys, where=REFS)
    except IntegrityError as error:
        return {**unknown, "signed_by": error.message}
    said, subjects = sealed.statement.predicate, [subject.digest for subject in sealed.statement.subjects]
    if sealed.statement.predicate_type != PREDICATE_TYPE or {"gitCommit": commit} not in subjects:
        return {**unknown, "signed_by": "a statement about something else"}
    return {
        "level": said["level"],
        "independent": "yes" if said["independent"] else "no",
        "finished": said["finishedOn"],
        "by": said["rebuilder"]["id"],
        "signed_by": names[sealed.key_id][1],
    }
