"""Errors of serving, releases, monitoring, the chain of proof and missing extras."""

from __future__ import annotations

from mintage.errors.tree import (
    BusyError,
    DataError,
    IntegrityError,
    MissingToolError,
    ProjectError,
    RefusedError,
    RunError,
)

__all__ = [
    "BatchFileError",
    "BodyTooLargeError",
    "CandidateInvalidError",
    "ContentTypeError",
    "DesiredInvalidError",
    "EmptyBatchError",
    "EnvironmentUnknownError",
    "EventTimeError",
    "ExtraMissingError",
    "GatewayFailedError",
    "GatewayRunningError",
    "GenerationRefusedError",
    "HostNotLoopbackError",
    "LabelsInvalidError",
    "LinkBrokenError",
    "LogInvalidError",
    "LogUnavailableError",
    "MethodNotAllowedError",
    "ModelUnknownError",
    "NotFiniteError",
    "NotJsonError",
    "NotReadyError",
    "OutputUnknownError",
    "PackageExpiredError",
    "PathUnknownError",
    "PortInUseError",
    "ReleaseRefusedError",
    "ReleaseUncommittedError",
    "RequestIdError",
    "RequestMalformedError",
    "RootMismatchError",
    "TokenFileError",
    "TooManyRowsError",
    "TrafficInvalidError",
    "UnauthorizedError",
    "VersionUnknownError",
]


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


class UnauthorizedError(RefusedError):
    code = "serve.unauthorized"


class TokenFileError(DataError):
    code = "serve.token-file"


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


class ReleaseRefusedError(RefusedError):
    code = "release.refused"


class ReleaseUncommittedError(ProjectError):
    code = "release.uncommitted"


class EnvironmentUnknownError(ProjectError):
    code = "release.environment-unknown"


class LabelsInvalidError(DataError):
    code = "monitor.labels-invalid"


class TrafficInvalidError(DataError):
    code = "monitor.traffic-invalid"


class CandidateInvalidError(RunError):
    code = "monitor.candidate-invalid"


class LinkBrokenError(IntegrityError):
    code = "lineage.link-broken"


class ExtraMissingError(MissingToolError):
    """An optional library is not installed; the hint names the extra that brings it."""

    code = "missing.extra"
