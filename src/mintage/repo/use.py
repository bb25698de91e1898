"""What is used of another repository: an address, a revision, and a stage, a pipeline, a path or a model there. Pure.

Addresses and revisions reach ``git``: only https, ssh and paths are taken, and nothing that could be an option or a
helper program. See docs/spec/use.md.

>>> check_use(Use(repo="https://example.org/team/features.git", rev="v1.2", path="data/codes.csv"))
>>> check_use(Use(repo="ext::sh -c date", rev="v1", path="a"))
Traceback (most recent call last):
    ...
mintage.errors.project.UseError: not an address of a repository
"""

from __future__ import annotations

import re

import msgspec

from mintage.errors import RecordInvalidError, UseError
from mintage.record.manifest import safe_path

__all__ = ["Pin", "Use", "check_use"]

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/%+-]+")
_SSH = re.compile(r"ssh://([A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?/[A-Za-z0-9._~/%+-]+")
_SCP = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/][A-Za-z0-9._~/+-]*")
_PATH = re.compile(r"(?!-)[^\x00-\x1f\x7f:]+")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a revision of a repository was when it was last resolved; kept in the lock."""

    repo: str
    rev: str
    commit: str


class Use(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``stage``, ``pipeline``, ``path``, ``model`` of the project in ``repo`` at ``rev``.

    A pipeline is what makes the paths of ``out``, with all that it needs. ``in`` and ``out`` of a stage or pipeline say
    which path here stands for which there; ``params`` overrules parameters by dotted name. A path or a model comes to
    the path ``to``.
    """

    repo: str
    rev: str
    stage: str | None = None
    pipeline: bool = False
    path: str | None = None
    model: str | None = None
    inputs: dict[str, str] = msgspec.field(name="in", default={})
    out: dict[str, str] = {}
    params: dict[str, int | float | str | bool] = {}
    to: str | None = None

    @property
    def here(self) -> tuple[str, ...]:
        """The paths that it fills in this project."""
        if self.runs:
            return tuple(self.out.values())
        return (self.to or self.path or f"models/{self.model}",)

    @property
    def runs(self) -> bool:
        """Whether something of the other repository runs here."""
        return self.stage is not None or self.pipeline

    @property
    def is_local(self) -> bool:
        """Whether the repository is named by a path."""
        return not any(kind.fullmatch(self.repo) for kind in (_HTTPS, _SSH, _SCP))


def check_use(use: Use) -> None:
    """Raise UseError for what cannot be used, or should not reach Git."""
    if use.is_local and not _PATH.fullmatch(use.repo):
        raise UseError(
            "not an address of a repository",
            expected="https://HOST/PATH, ssh://HOST/PATH, USER@HOST:PATH, or a path; without a password in it",
            found=repr(use.repo[:80]) if "@" not in use.repo else "an address that is not one of these",
        )
    if not _REVISION.fullmatch(use.rev) or ".." in use.rev:
        raise UseError("not a revision", expected="a tag, a branch or a commit", found=repr(use.rev[:80]))
    if sum(each is not None for each in (use.stage, use.path, use.model)) + use.pipeline != 1:
        raise UseError("what is used is not clear", expected="one of `stage`, `pipeline: true`, `path` and `model`")
    if use.runs and (use.to is not None or not use.out):
        raise UseError(
            f"nothing of {f'stage {use.stage}' if use.stage else 'the pipeline'} is used",
            expected="`out: {PATH THERE: PATH HERE}`",
            hint="name what it writes",
        )
    if not use.runs and (use.inputs or use.out or use.params):
        raise UseError(
            "`in`, `out` and `params` go with `stage` or `pipeline`", hint="`to: PATH` says where files come to"
        )
    try:
        for path in (*use.inputs, *use.out, *([use.path] if use.path else [])):
            safe_path(path.rstrip("/"))
    except RecordInvalidError as error:
        raise UseError("a path leads out of the project", expected=error.expected, found=error.found) from error
