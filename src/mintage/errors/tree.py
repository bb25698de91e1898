"""The exception tree: every error has a stable code, what was expected, what was found, where, and a hint.

::

    MintageError
    ├── UsageError            the command line or an argument is wrong
    ├── ProjectError          a file of the project is missing, malformed or contradicts another
    ├── DataError             data or a request does not fit its declared schema
    ├── IntegrityError        bytes, a digest, a signature or a log do not verify
    ├── RefusedError          the rules say no: no certificate, a failed policy, not allowed
    ├── RunError              user code or a started process failed
    ├── BusyError             somebody else holds a lock or a port
    └── MissingToolError      a program or an optional library is not there

The command line maps these eight classes to exit codes, the gateway to HTTP statuses, each in one table.

>>> error = ProjectError("no project here", where="/tmp", hint="run `mintage init`")
>>> str(error)
'no project here'
>>> error.code
'project.invalid'
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BusyError",
    "DataError",
    "IntegrityError",
    "MintageError",
    "MissingToolError",
    "ProjectError",
    "RefusedError",
    "RunError",
    "UsageError",
]


class MintageError(Exception):
    """Base of all errors that a user can meet.

    ``expected`` and ``found`` say what differed, ``where`` names the file, line, address or digest, and
    ``hint`` the next thing to do. A subclass sets ``code``; codes never change once released.
    """

    code: ClassVar[str] = "mintage.error"

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.found = found
        self.where = where
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """The error as the JSON object that ``--json`` and the gateway print; absent parts are left out."""
        parts = {
            "code": self.code,
            "message": self.message,
            "expected": self.expected,
            "found": self.found,
            "where": self.where,
            "hint": self.hint,
        }
        return {key: value for key, value in parts.items() if value is not None}


class UsageError(MintageError):
    code = "usage.invalid"


class ProjectError(MintageError):
    code = "project.invalid"


class DataError(MintageError):
    code = "data.invalid"


class IntegrityError(MintageError):
    code = "integrity.broken"


class RefusedError(MintageError):
    code = "refused.by-rule"


class RunError(MintageError):
    code = "run.failed"


class BusyError(MintageError):
    code = "busy.locked"


class MissingToolError(MintageError):
    code = "missing.tool"
