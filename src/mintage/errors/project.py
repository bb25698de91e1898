"""Errors of records, the store, the project's files, data and the database."""

from __future__ import annotations

from mintage.errors.tree import BusyError, IntegrityError, MissingToolError, ProjectError

__all__ = [
    "BlobMissingError",
    "DataModifiedError",
    "DatabaseCorruptError",
    "DatabaseLockedError",
    "DatabaseUnusableError",
    "DigestMismatchError",
    "EngineMissingError",
    "FileMalformedError",
    "FileMissingError",
    "GitError",
    "GitMissingError",
    "InterpreterError",
    "LockInvalidError",
    "LockedError",
    "NotebookMalformedError",
    "ProjectNotFoundError",
    "RecordInvalidError",
    "RemoteError",
    "ScheduleInvalidError",
    "ScriptUndecidedError",
    "SystemRefusedError",
    "UnknownNameError",
    "UseError",
]


class DigestMismatchError(IntegrityError):
    code = "store.digest-mismatch"


class BlobMissingError(IntegrityError):
    code = "store.blob-missing"


class RecordInvalidError(IntegrityError):
    code = "record.invalid"


class ProjectNotFoundError(ProjectError):
    code = "project.not-found"


class RemoteError(ProjectError):
    """The project names no remote, or one that is not there or cannot be used."""

    code = "project.remote"


class ScheduleInvalidError(ProjectError):
    """A schedule cannot be read, or a scheduler cannot do what it says."""

    code = "project.schedule"


class ScriptUndecidedError(ProjectError):
    code = "project.script-undecided"


class FileMissingError(ProjectError):
    code = "project.file-missing"


class FileMalformedError(ProjectError):
    code = "project.file-malformed"


class NotebookMalformedError(ProjectError):
    code = "project.notebook-malformed"


class UnknownNameError(ProjectError):
    code = "project.unknown-name"


class GitMissingError(MissingToolError):
    code = "git.missing"


class InterpreterError(MissingToolError):
    """The interpreter that a project names is not there, cannot be run, or lacks what is needed."""

    code = "project.interpreter"


class LockInvalidError(ProjectError):
    """The lock that an environment is to be built from is not there, or does not pin everything by hash."""

    code = "environment.lock-invalid"


class EngineMissingError(MissingToolError):
    """No container engine answers, and a stage names an image."""

    code = "environment.no-engine"


class GitError(ProjectError):
    code = "git.failed"


class LockedError(BusyError):
    code = "workspace.locked"


class DataModifiedError(ProjectError):
    code = "data.modified"


class SystemRefusedError(ProjectError):
    """The operating system refused to read or write: permissions, a full disk, a folder where a file should be."""

    code = "system.refused"


class DatabaseCorruptError(IntegrityError):
    code = "database.corrupt"


class DatabaseLockedError(BusyError):
    code = "database.locked"


class DatabaseUnusableError(ProjectError):
    code = "database.unusable"


class UseError(ProjectError):
    """What a stage uses of another repository cannot be had, or is not there."""

    code = "project.use"
