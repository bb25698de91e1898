"""Errors of estimators, models, pipelines and certification."""

from __future__ import annotations

from typing import Literal

from mintage.errors.tree import DataError, IntegrityError, MissingToolError, ProjectError, RefusedError, RunError

__all__ = [
    "CertificateExpiredError",
    "CertificateForAnotherModelError",
    "CertificateInvalidError",
    "CertificateNotPassedError",
    "CertificateNotYetValidError",
    "CertificateOfAnotherPolicyError",
    "CertificateOfPullRequestError",
    "CertificateRevokedError",
    "CheckClashError",
    "CheckMismatchError",
    "CheckUncommittedError",
    "ClusterError",
    "DescriptionInvalidError",
    "DomainMismatchError",
    "EnvironmentUnbuiltError",
    "EstimatorRefusedError",
    "EvidenceInvalidError",
    "FindingRemovedError",
    "GoldenFailedError",
    "GraphExternalDataError",
    "GraphIndexError",
    "GraphMalformedError",
    "GraphOperatorError",
    "GraphRefusedError",
    "GraphTooLargeError",
    "HoldoutUnknownError",
    "InputCategoryError",
    "InputInfiniteError",
    "InputMissingError",
    "InputNullError",
    "InputRangeError",
    "InputShapeError",
    "InputTypeError",
    "InputUnknownError",
    "MadeElsewhereError",
    "ModelNotInferredError",
    "NotRepeatableError",
    "OwnCheckError",
    "PackageInvalidError",
    "ParityFailedError",
    "PolicyDeletedError",
    "PolicyForAnotherModelError",
    "PolicyNotCommittedError",
    "PolicyUnfitError",
    "ProfileInvalidError",
    "RecordingTooLargeError",
    "RuntimeFailedError",
    "RuntimeMissingError",
    "StageChangesInputError",
    "StageFailedError",
    "StageOutputMissingError",
    "UnknownCheckError",
    "UnknownClauseError",
    "WaiverExpiredError",
    "WorkerEnvironmentError",
    "WorkerLostError",
]


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


class GraphMalformedError(GraphRefusedError):
    """The bytes are no ONNX graph: cut off, changed, or something else."""

    code = "model.graph-malformed"


class GraphTooLargeError(GraphRefusedError):
    """A graph that is, or would become, larger than any model of ours: a bomb."""

    code = "model.graph-too-large"


class GraphExternalDataError(GraphRefusedError):
    """A graph whose tensors lie in other files, which may be any file."""

    code = "model.graph-external-data"


class GraphIndexError(GraphRefusedError):
    """Trees whose indices point outside of them; a runtime would read what lies there."""

    code = "model.graph-index"


class GraphOperatorError(GraphRefusedError):
    """An operator that is not allowed: a custom one, a branch, a loop."""

    code = "model.graph-operator"


class PackageInvalidError(IntegrityError):
    code = "model.package-invalid"


class GoldenFailedError(IntegrityError):
    """This runtime does not give the golden outputs of the model."""

    code = "model.golden-failed"


class ParityFailedError(RefusedError):
    """The lowered model differs from the original."""

    code = "model.parity-failed"


class RuntimeMissingError(MissingToolError):
    """A runtime that was asked for by name is not installed; the hint says how to get it."""

    code = "model.runtime-missing"


class RuntimeFailedError(RunError):
    """Another runtime did not load a model, or did not answer; found has the end of what it printed."""

    code = "model.runtime-failed"


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
    """A number that the estimator itself refuses."""

    code = "input.range"


class InputInfiniteError(InputRangeError):
    code = "input.infinite"


class InputCategoryError(InputRangeError):
    """A value that the estimator was not fitted with, and refuses."""

    code = "input.category"


class StageFailedError(RunError):
    """A stage's command did not end with exit code 0: ``ended`` is that code, negative for a signal."""

    code = "pipeline.stage-failed"
    ended: int | Literal["timeout"] | None = None


class UndeclaredReadError(StageFailedError):
    """A stage in the sandbox failed because it asked for a file that it does not declare."""

    code = "pipeline.undeclared-read"


class NetworkOpenError(RunError):
    """A stage may not use the network, and this machine cannot keep it from it."""

    code = "pipeline.network-open"


class StageCycleError(ProjectError):
    """Stages need each other in a circle; ``cycle`` are their names, the first one again at the end."""

    code = "pipeline.cycle"
    cycle: tuple[str, ...] = ()


class EnvironmentUnbuiltError(MissingToolError):
    """An environment cannot be built from its lock on this machine."""

    code = "environment.unbuilt"


class NothingRecordedError(ProjectError):
    """A revision that is to be reproduced does not record what its stages made."""

    code = "reproduce.nothing-recorded"


class NotPortableError(RunError):
    """A stage asks for the determinism level ``portable``, which this machine's processor cannot keep."""

    code = "pipeline.not-portable"


class StageStoppedError(RunError):
    """A stage's command was ended because the run that it belongs to was."""

    code = "pipeline.stage-stopped"


class WorkerLostError(RunError):
    """Whoever ran a stage elsewhere died, fell silent, or answered what is not so; ``said`` says which in a few words.
    Nothing has changed."""

    code = "pipeline.worker-lost"
    said: str = "its worker was lost"


class WorkerEnvironmentError(MissingToolError):
    """A worker has not the interpreter and packages, or the variables, that a stage's key names."""

    code = "pipeline.worker-environment"


class ClusterError(RunError):
    """A cluster cannot be reached, or cannot run a stage."""

    code = "pipeline.cluster"


class NotRepeatableError(RunError):
    """The stages that made a model cannot be run again as they were."""

    code = "pipeline.not-repeatable"


class StageOutputMissingError(RunError):
    code = "pipeline.output-missing"


class CapturedMissingError(RunError):
    """A stage no longer yields rows that its ``captured:`` names."""

    code = "pipeline.captured-missing"


class CaptureUnreadableError(RunError):
    """What a stage left of the rows that it fitted is not what Mintage's watcher writes."""

    code = "pipeline.capture-unreadable"


class StageChangesInputError(RunError):
    """A recorded stage changes, moves or deletes a file that it read."""

    code = "pipeline.changes-input"


class RecordingTooLargeError(ProjectError):
    """The project has too many files, or too large ones, to make the private copy that a recording needs."""

    code = "pipeline.recording-too-large"


class DiskTooFullError(RunError):
    """The disk has not the room for the copies that a stage needs; nothing was copied."""

    code = "pipeline.disk-too-full"


class UnknownCheckError(ProjectError):
    code = "certify.unknown-check"


class UnknownClauseError(ProjectError):
    """A control names a clause that no catalogue has."""

    code = "certify.unknown-clause"


class CheckClashError(ProjectError):
    """Two installed packages bring a check of the same id."""

    code = "certify.check-clash"


class EvidenceInvalidError(DataError):
    """Rows, labels or answers that no verdict can rest on: none, of unequal length, no classes, no probabilities."""

    code = "certify.evidence-invalid"


class DomainMismatchError(RefusedError):
    code = "certify.domain-mismatch"


class CheckUncommittedError(RefusedError):
    """A file of the project that a policy names as a check is not what the commit HEAD has of it."""

    code = "certify.check-uncommitted"


class OwnCheckError(RunError):
    """A file of the project that is run as a check broke off, took too long, or answered with what is no answer."""

    code = "certify.own-check"


class CheckMismatchError(RefusedError):
    """A file of the project that a policy names as a check has another digest than the policy pins."""

    code = "certify.check-mismatch"


class PolicyForAnotherModelError(RefusedError):
    code = "certify.policy-for-another-model"


class PolicyUnfitError(RefusedError):
    """A policy asks for what a model of its task does not have: another task's metric, or a trivial model of one."""

    code = "certify.policy-unfit"


class ModelNotInferredError(ProjectError):
    """What a model's file must say cannot be known from what the stages read and wrote, and nobody said it."""

    code = "model.not-inferred"


class HoldoutUnknownError(RefusedError):
    """The model's file names no hold-out, so nothing can be judged: the answer is INCONCLUSIVE."""

    code = "certify.no-holdout"


class PolicyDeletedError(RefusedError):
    """Git knows a policy of the model, and the work tree has none: the built-in default must not take its place."""

    code = "certify.policy-deleted"


class PolicyNotCommittedError(RefusedError):
    """The policy's file is not what Git has at HEAD: a model must not be judged by what nobody else can see."""

    code = "certify.policy-not-committed"


class FindingRemovedError(RefusedError):
    """A line that a commit had is gone from the findings, which are only added to."""

    code = "certify.finding-removed"


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


class CertificateOfPullRequestError(RefusedError):
    code = "certificate.pull-request"


class MadeElsewhereError(RefusedError):
    """trust.yaml names a CI, and a stage behind the model was made by somebody else."""

    code = "certify.made-elsewhere"


class CertificateRevokedError(RefusedError):
    """A person took back the certificate or its model."""

    code = "certificate.revoked"


class WaiverExpiredError(RefusedError):
    """The certificate passes only with a waiver, and that has ended."""

    code = "certificate.waiver-expired"
