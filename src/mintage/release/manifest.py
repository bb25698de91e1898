"""The release manifest ``releases/<environment>/<model>.yaml``: which model runs there, and what it must prove.

Written by ``mintage release``, reviewed and reverted like any file of the project. See docs/spec/release-manifest.md.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import yaml
from msgspec import Meta

from mintage.errors import FileMalformedError, UsageError
from mintage.record.names import check_name
from mintage.repo.yamlfile import convert, load_yaml

__all__ = [
    "RELEASE_FOLDER",
    "RELEASE_TRAILER",
    "Challenger",
    "Manifest",
    "Released",
    "encode_release",
    "manifest_path",
    "parse_release",
]

RELEASE_FOLDER = "releases"
RELEASE_TRAILER = "Mintage-Release"

_Root = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
_Blob = Annotated[str, Meta(pattern=r"^b3:[0-9a-f]{64}$")]
_HINT = "write it with `mintage release`; docs/spec/release-manifest.md says what it holds"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the parts of a manifest: frozen, strict."""


class Released(_Part, frozen=True, kw_only=True):
    """One model by its id (``root``), with the record that leads to its run and the signed certificate."""

    root: _Root
    record: _Blob
    certificate: _Blob


class Challenger(Released, frozen=True, kw_only=True):
    """A rival that gets ``share`` of the traffic (0 to 1)."""

    share: Annotated[float, Meta(gt=0, lt=1)]


class Manifest(_Part, frozen=True, kw_only=True):
    """What one environment runs for one model.

    ``policy`` names the policy file; the certificate must be for its digest, of the commit that the manifest stands in.
    ``salt`` decides which requests the challenger gets; ``why`` is for people; ``decision`` names the record of the
    decision that asked for the change.
    """

    model: str
    environment: str
    champion: Released
    policy: str
    salt: str
    why: str
    challenger: Challenger | None = None
    decision: str | None = None
    version: int = 0


def manifest_path(environment: str, model: str) -> str:
    """The manifest's path below the project's root."""
    return f"{RELEASE_FOLDER}/{environment}/{model}.yaml"


def parse_release(data: bytes, *, where: str) -> Manifest:
    """Parse and check a manifest; raises FileMalformedError with file, line and column."""
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError(
            "not a release manifest", expected="keys model, environment, champion", where=where, hint=_HINT
        )
    manifest = convert(value, Manifest, marks, hint=_HINT)
    for key, name in (("model", manifest.model), ("environment", manifest.environment)):
        try:
            check_name(name, what=key)
        except UsageError as error:
            raise FileMalformedError(
                error.message, expected=error.expected, found=error.found, where=marks.at((key,)), hint=_HINT
            ) from None
    if where.endswith(".yaml") and not where.endswith(manifest_path(manifest.environment, manifest.model)):
        raise FileMalformedError(
            "the manifest is not for the place it lies in",
            expected=manifest_path(manifest.environment, manifest.model),
            found=where,
            where=marks.at(("model",)),
            hint="correct `model` and `environment`, or move the file",
        )
    if manifest.challenger is not None and manifest.challenger.root == manifest.champion.root:
        raise FileMalformedError(
            "the challenger is the champion", where=marks.at(("challenger", "root")), hint="remove `challenger`"
        )
    if manifest.version != 0:
        raise FileMalformedError(
            "unknown version of a manifest",
            expected="0",
            found=str(manifest.version),
            where=marks.at(("version",)),
            hint="update Mintage",
        )
    return manifest


def encode_release(manifest: Manifest) -> bytes:
    """The manifest as YAML for people to read."""
    value = msgspec.to_builtins(manifest)
    head = (
        "# Written by `mintage release`; `mintage reconcile` makes it so. Undo it with `mintage rollback` (a revert).\n"
    )
    # YAML folds some line breaks of Unicode: where there are such, everything beyond ASCII is escaped.
    plain = f"{manifest.salt}{manifest.why}{manifest.decision}".isprintable()
    return (head + yaml.safe_dump(value, sort_keys=False, allow_unicode=plain, width=120)).encode()
