"""A requirement that a file of the project decides. Reading it runs nothing; its digest goes into the result."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mintage.certify.check import Check, CheckResult, Requirement
from mintage.certify.evidence import Evidence
from mintage.certify.measure import without_number
from mintage.certify.own_code import OwnCode, OwnFile
from mintage.errors import MintageError, OwnCheckError

__all__ = ["FileRequirement", "OwnPath", "find_file", "left_open"]

OwnPath = Annotated[str, Meta(pattern=r"^checks/[A-Za-z0-9_]{1,64}\.py$")]
_Sha256 = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]


class FileRequirement(Requirement, frozen=True, kw_only=True):
    """With ``digest`` no other bytes than those are run."""

    digest: _Sha256 | msgspec.UnsetType = msgspec.UNSET

    @property
    def path(self) -> str:
        """The file's path from the project's root."""
        raise NotImplementedError


def find_file(evidence: Evidence, requirement: FileRequirement) -> tuple[OwnCode, OwnFile]:
    """The file and who runs it; raises OwnCheckError or FileMissingError."""
    if evidence.own is None:
        raise OwnCheckError(f"{requirement.path} cannot be run here", where=requirement.path)
    file = evidence.own.file(requirement.path)
    if requirement.digest is not msgspec.UNSET and requirement.digest != file.digest:
        raise OwnCheckError(f"{file.path} is not the file that the policy pins", found=file.digest, where=file.path)
    return evidence.own, file


def left_open(check: Check[Any], requirement: FileRequirement, error: MintageError) -> CheckResult:
    """The result of a file that did not come to one: INCONCLUSIVE, with the last lines of what it said."""
    lines = (error.found or "").strip().splitlines()
    said = f": {lines[-1].strip()}" if lines else ""
    reason = f"{check.title}: not known, {error.message}{said}"
    if error.hint:
        reason += f"; {error.hint}"
    result = without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason)
    details: dict[str, float | int | str | bool | None] = {"file": requirement.path}
    return msgspec.structs.replace(result, details=details | ({"said": "\n".join(lines)} if lines else {}))
