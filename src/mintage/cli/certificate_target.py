"""Find the certificate that a command means: a file, a digest, or what a lock names, now or in a commit.

======================== =================================================================
``path/to/file``          the signed certificate in a file, or in the page of one (.html)
``b3:<64 hex digits>``    that digest in the store
``certificate:MODEL``     what the lock of the work tree names
``certificate:MODEL@REV`` what the lock of a commit names
``MODEL``, ``MODEL@REV``, ``REV``  the same, where a command takes nothing but certificates
======================== =================================================================
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from mintage.errors import GitError, RefusedError, UnknownNameError
from mintage.record.digest import is_digest
from mintage.repo.locks import lock_path, parse_lock
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["FoundCertificate", "earlier_certificate", "find_certificate", "is_certificate"]

_PREFIX = "certificate:"
_PAGES = (".html", ".htm")


class FoundCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a signed certificate, nothing proven yet, and where they are from. ``page`` holds those of the page
    that carried them."""

    data: bytes
    where: str
    page: bytes | None = None


def is_certificate(text: str) -> bool:
    """Whether a word can only mean a certificate, where others mean models or releases."""
    is_path = "/" in text or bool(Path(text).suffix)  # a bare word is a name, also where a file has it
    return text.startswith((_PREFIX, "b3:")) or (is_path and Path(text).is_file())


def find_certificate(text: str, workspace: Workspace | None) -> FoundCertificate:
    """The certificate of that name; raises UnknownNameError, RefusedError, or what the store does."""
    path = Path(text)
    if path.is_file():
        return _in_file(path)
    if workspace is None:
        if not path.suffix:
            Workspace.find(Path.cwd())  # says that there is no project
        raise UnknownNameError(
            f"there is no file {text!r}",
            expected="a file with a certificate; outside of a project nothing else is known",
            where=str(path.absolute()),
        )
    if is_digest(text):
        return FoundCertificate(data=Store(workspace.store_dir).get_bytes(text), where=text)
    model, revision = _named(text, workspace)
    digest = _in_lock(workspace, model, revision)
    return FoundCertificate(data=Store(workspace.store_dir).get_bytes(digest), where=f"certificate {digest}")


def earlier_certificate(workspace: Workspace, model: str) -> str:
    """The digest of the newest committed certificate of a model that is not the present one; raises RefusedError."""
    path = lock_path(f"{_PREFIX}{model}")
    present = _in_lock(workspace, model, None)
    for commit in workspace.git.log(path):
        data = workspace.git.show(commit.id, path)
        digest = None if data is None else parse_lock(data, where=path).record
        if digest is not None and digest != present:
            return digest
    raise RefusedError(
        f"{model} has no earlier certificate in Git to compare with",
        where=path,
        hint="name two, as in `mintage diff OLD.json NEW.json`",
    )


def _in_file(path: Path) -> FoundCertificate:
    data = path.read_bytes()
    if path.suffix.lower() not in _PAGES:
        return FoundCertificate(data=data, where=str(path))
    from mintage.report.seal_page import carried_by

    return FoundCertificate(data=carried_by(data, where=str(path)).certificate, where=str(path), page=data)


def _named(text: str, workspace: Workspace) -> tuple[str, str | None]:
    """The model and the revision that a word names."""
    models = list(workspace.project().models)
    name, _, revision = text.removeprefix(_PREFIX).partition("@")
    if name in models:
        return name, revision or None
    if not text.startswith(_PREFIX) and len(models) == 1:
        try:
            return models[0], workspace.git.resolve(text)
        except GitError:
            pass
    raise UnknownNameError(
        f"there is no certificate {text!r}",
        expected="a file, a whole digest, "
        + ", ".join(f"{_PREFIX}{model}" for model in models)
        + ", or one of them with @REVISION",
        hint=nearest_hint(name, models, otherwise="`mintage certify MODEL` makes one"),
    )


def _commit(workspace: Workspace, revision: str) -> str:
    try:
        return workspace.git.resolve(revision)
    except GitError:
        raise UnknownNameError(
            f"there is no revision {revision!r}", expected="a commit, branch or tag", hint="see `git log --oneline`"
        ) from None


def _in_lock(workspace: Workspace, model: str, revision: str | None) -> str:
    """The digest that the lock names, in the work tree or in a commit."""
    path = lock_path(f"{_PREFIX}{model}")
    file = workspace.root / path
    if revision is None:
        data = file.read_bytes() if file.is_file() else None
    else:
        data = workspace.git.show(_commit(workspace, revision), path)
    digest = None if data is None else parse_lock(data, where=path).record
    if digest is None:
        place = "" if revision is None else f" in {revision}"
        raise RefusedError(
            f"there is no certificate of {model}{place}",
            where=path,
            hint=f"make one with `mintage certify {model}`" if revision is None else f"see `git log -- {path}`",
        )
    return digest
