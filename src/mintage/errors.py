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


# -- record, store ---------------------------------------------------------------------------------


class DigestMismatchError(IntegrityError):
    code = "store.digest-mismatch"


class BlobMissingError(IntegrityError):
    code = "store.blob-missing"


class RecordInvalidError(IntegrityError):
    code = "record.invalid"


# -- repo ------------------------------------------------------------------------------------------


class ProjectNotFoundError(ProjectError):
    code = "project.not-found"


class FileMissingError(ProjectError):
    code = "project.file-missing"


class FileMalformedError(ProjectError):
    code = "project.file-malformed"


class UnknownNameError(ProjectError):
    code = "project.unknown-name"


class GitMissingError(MissingToolError):
    code = "git.missing"


class GitError(ProjectError):
    code = "git.failed"


class LockedError(BusyError):
    code = "workspace.locked"


# -- data ------------------------------------------------------------------------------------------


class DataModifiedError(ProjectError):
    code = "data.modified"


# -- database --------------------------------------------------------------------------------------


class DatabaseCorruptError(IntegrityError):
    code = "database.corrupt"


class DatabaseLockedError(BusyError):
    code = "database.locked"


class DatabaseUnusableError(ProjectError):
    code = "database.unusable"


# -- attest ----------------------------------------------------------------------------------------


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


# -- audit -----------------------------------------------------------------------------------------


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


# -- tracking --------------------------------------------------------------------------------------


# -- lower, profile, model -------------------------------------------------------------------------


class EstimatorRefusedError(RefusedError):
    """An estimator, or a part of it, has no exact lowering; the hint names the ways out."""

    code = "lower.refused"


class DescriptionInvalidError(IntegrityError):
    code = "lower.description-invalid"


class ProfileInvalidError(IntegrityError):
    code = "profile.invalid"


class GraphRefusedError(IntegrityError):
    """An ONNX graph holds something that a model of ours never holds."""

    code = "model.graph-refused"


class PackageInvalidError(IntegrityError):
    code = "model.package-invalid"


class GoldenFailedError(IntegrityError):
    """This runtime does not give the golden outputs of the model."""

    code = "model.golden-failed"


class ParityFailedError(RefusedError):
    """The lowered model differs from the original."""

    code = "model.parity-failed"


class InputMissingError(DataError):
    code = "input.missing"


class InputUnknownError(DataError):
    code = "input.unknown"


class InputTypeError(DataError):
    code = "input.type"


class InputShapeError(DataError):
    code = "input.shape"


class InputNullError(DataError):
    code = "input.null"


class InputRangeError(DataError):
    code = "input.range"


# -- pipeline --------------------------------------------------------------------------------------


class StageFailedError(RunError):
    code = "pipeline.stage-failed"


class StageOutputMissingError(RunError):
    code = "pipeline.output-missing"


# -- certify ---------------------------------------------------------------------------------------


class UnknownCheckError(ProjectError):
    code = "certify.unknown-check"


class CheckClashError(ProjectError):
    """Two installed packages bring a check of the same id."""

    code = "certify.check-clash"


class EvidenceInvalidError(DataError):
    code = "certify.evidence-invalid"


class DomainMismatchError(RefusedError):
    code = "certify.domain-mismatch"


class PolicyForAnotherModelError(RefusedError):
    code = "certify.policy-for-another-model"


class CertificateInvalidError(IntegrityError):
    code = "certificate.invalid"


class CertificateForAnotherModelError(RefusedError):
    code = "certificate.another-model"


class CertificateNotPassedError(RefusedError):
    code = "certificate.not-passed"


class CertificateExpiredError(RefusedError):
    code = "certificate.expired"


class CertificateNotYetValidError(RefusedError):
    code = "certificate.not-yet-valid"


class CertificateOfAnotherPolicyError(RefusedError):
    code = "certificate.another-policy"


# -- serve -----------------------------------------------------------------------------------------


class NotJsonError(DataError):
    code = "serve.not-json"


class RequestMalformedError(DataError):
    code = "serve.request-malformed"


class NotFiniteError(DataError):
    code = "serve.not-finite"


class EmptyBatchError(DataError):
    code = "serve.empty-batch"


class TooManyRowsError(DataError):
    code = "serve.too-many-rows"


class BodyTooLargeError(DataError):
    code = "serve.body-too-large"


class ContentTypeError(DataError):
    code = "serve.content-type"


class RequestIdError(DataError):
    code = "serve.request-id"


class EventTimeError(DataError):
    code = "serve.event-time"


class OutputUnknownError(DataError):
    code = "serve.output-unknown"


class ModelUnknownError(DataError):
    code = "serve.model-unknown"


class VersionUnknownError(DataError):
    code = "serve.version-unknown"


class PathUnknownError(DataError):
    code = "serve.path-unknown"


class MethodNotAllowedError(DataError):
    code = "serve.method-not-allowed"


class NotReadyError(BusyError):
    code = "serve.not-ready"


class LogUnavailableError(RunError):
    code = "serve.log-unavailable"


class LogInvalidError(IntegrityError):
    code = "serve.log-invalid"


class DesiredInvalidError(DataError):
    code = "serve.desired-invalid"


class RootMismatchError(IntegrityError):
    code = "serve.root-mismatch"


class PackageExpiredError(RefusedError):
    code = "serve.package-expired"


class GenerationRefusedError(RefusedError):
    code = "serve.generation-refused"


class HostNotLoopbackError(RefusedError):
    code = "serve.host-not-loopback"


class PortInUseError(BusyError):
    code = "serve.port-in-use"


class GatewayRunningError(BusyError):
    code = "serve.already-running"


class GatewayFailedError(RunError):
    code = "serve.gateway-failed"


class BatchFileError(DataError):
    code = "serve.batch-file"


# -- release ---------------------------------------------------------------------------------------


class ReleaseRefusedError(RefusedError):
    code = "release.refused"


class ReleaseUncommittedError(ProjectError):
    code = "release.uncommitted"


class EnvironmentUnknownError(ProjectError):
    code = "release.environment-unknown"



# -- monitor ---------------------------------------------------------------------------------------


class LabelsInvalidError(DataError):
    code = "monitor.labels-invalid"


class TrafficInvalidError(DataError):
    code = "monitor.traffic-invalid"


class CandidateInvalidError(RunError):
    code = "monitor.candidate-invalid"


# -- lineage ---------------------------------------------------------------------------------------


class LinkBrokenError(IntegrityError):
    code = "lineage.link-broken"


# -- report, extras --------------------------------------------------------------------------------


class ExtraMissingError(MissingToolError):
    """An optional library is not installed; the hint names the extra that brings it."""

    code = "missing.extra"
