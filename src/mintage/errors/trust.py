"""Errors of signatures, trust and the audit log."""

from __future__ import annotations

from mintage.errors.tree import DataError, IntegrityError, ProjectError, RefusedError

__all__ = [
    "AuditEventError",
    "AuditLogBrokenError",
    "AuditProofError",
    "AuditPublishError",
    "BundleInvalidError",
    "CheckpointInvalidError",
    "CheckpointMissingError",
    "DecryptionFailedError",
    "KeyFileError",
    "ModelFolderError",
    "ModelTamperedError",
    "PageTamperedError",
    "SignatureInvalidError",
    "SignatureMissingError",
    "SignatureUnsupportedError",
    "StatementInvalidError",
]


class KeyFileError(ProjectError):
    code = "attest.key-file"


class BundleInvalidError(IntegrityError):
    code = "attest.bundle-invalid"


class StatementInvalidError(IntegrityError):
    code = "attest.statement-invalid"


class SignatureInvalidError(IntegrityError):
    code = "attest.signature-invalid"


class SignatureMissingError(IntegrityError):
    code = "attest.signature-missing"


class SignatureUnsupportedError(IntegrityError):
    code = "attest.signature-unsupported"


class ModelFolderError(DataError):
    code = "attest.model-folder"


class ModelTamperedError(IntegrityError):
    code = "attest.model-tampered"


class PageTamperedError(IntegrityError):
    """The page of a certificate is not as it was sealed."""

    code = "attest.page-tampered"


class AuditEventError(DataError):
    code = "audit.event-invalid"


class AuditLogBrokenError(IntegrityError):
    code = "audit.log-broken"


class AuditProofError(IntegrityError):
    code = "audit.proof-invalid"


class AuditPublishError(ProjectError):
    code = "audit.publish-failed"


class CheckpointInvalidError(IntegrityError):
    code = "audit.checkpoint-invalid"


class CheckpointMissingError(RefusedError):
    code = "audit.checkpoint-missing"


class DecryptionFailedError(IntegrityError):
    code = "attest.decryption-failed"
