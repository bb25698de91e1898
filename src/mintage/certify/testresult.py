"""The verdict as an in-toto test result, for verifiers that know no certificate of ours.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md (v0.1)
"""

from __future__ import annotations

from mintage.attest.statement import Statement
from mintage.certify.certificate import Certificate
from mintage.record.digest import hex_of

__all__ = ["TEST_RESULT_TYPE", "as_test_result"]

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def as_test_result(certificate: Certificate, *, subjects: Statement) -> Statement:
    """A test result about the subjects of the certificate's own statement ``subjects``.

    A requirement that blocks is failed; one that is not met and does not block, or is waived, is a warning; one that
    does not apply is left out.
    """
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    waived = {waiver.requirement for waiver in certificate.waivers}
    for item in certificate.results + certificate.measured:
        if item.verdict == "NOT_APPLICABLE":
            continue
        blocks = item.verdict == "FAIL" or certificate.statistics.inconclusive == "block"
        blocks = blocks and item.requirement not in waived
        outcome = "passed" if item.verdict == "PASS" else "failed" if item.severity == "must" and blocks else "warned"
        tests[f"{outcome}Tests"].append(item.requirement)
    result = "FAILED" if tests["failedTests"] else "WARNED" if tests["warnedTests"] else "PASSED"
    name = certificate.policy.builtin
    name = f"policies/{certificate.model}.yaml" if name is None else f"the built-in default policy of {name}"
    policy = {"name": name, "digest": {"sha256": hex_of(certificate.policy.digest)}}
    return Statement(
        subjects=subjects.subjects,
        predicate_type=TEST_RESULT_TYPE,
        predicate={"result": result, "configuration": [policy], **tests},
    )
