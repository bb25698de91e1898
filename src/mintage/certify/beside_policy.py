"""The YAML files beside a policy in which people say something of one model: waivers and revocations. Read strictly."""

from __future__ import annotations

from typing import Protocol, TypeVar

from mintage.errors import FileMalformedError
from mintage.repo.yamlfile import Marks, check_version, convert, load_yaml

__all__ = ["read_beside"]


class _OfModel(Protocol):
    @property
    def model(self) -> str: ...


F = TypeVar("F", bound=_OfModel)


def read_beside(data: bytes, form: type[F], *, key: str, of: str, model: str, where: str, hint: str) -> tuple[F, Marks]:
    """The file as ``form``, and where each of its values stands; ``key`` has what ``of`` calls in the plural.

    Raises FileMalformedError with file, line and column, also for the file of another model or a later version.
    """
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError(f"no {of}", expected=f"keys model, {key}", where=where, hint=hint)
    check_version(value, marks, known=1)
    file = convert(value, form, marks, hint=hint)
    if file.model != model:
        raise FileMalformedError(
            f"{of} of another model", expected=model, found=file.model, where=marks.at(("model",)), hint=hint
        )
    return file, marks
