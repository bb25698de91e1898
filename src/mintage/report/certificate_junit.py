"""A certificate as JUnit XML: one test case a requirement, so that any CI shows it.

A failure is what blocks: a ``must`` that is FAIL, or INCONCLUSIVE where that blocks. What does not block (waived, of
severity should or note, not applicable) is skipped, with what it is in the message.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from mintage.certify.certificate import Certificate
from mintage.certify.check import CheckResult
from mintage.certify.result_words import gate_words, measured_words, verdict_words
from mintage.report.numbers import clean

__all__ = ["certificate_junit"]


def certificate_junit(certificate: Certificate, *, digest: str) -> bytes:
    """The file, UTF-8."""
    results = certificate.results + certificate.measured
    cases = [_case(certificate, item) for item in results]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": "0",
    }
    name = clean(certificate.model)
    root = ET.Element("testsuites", {"name": f"mintage certify {name}", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, "timestamp": certificate.issued.rstrip("Z")})
    properties = ET.SubElement(suite, "properties")
    facts = {
        "certificate": digest,
        "model": certificate.root,
        "policy": certificate.policy.digest,
        "verdict": certificate.verdict,
        "sentence": certificate.sentence,
        "expires": certificate.expires,
    }
    for key, value in facts.items():
        ET.SubElement(properties, "property", {"name": key, "value": clean(value)})
    suite.extend(cases)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _case(certificate: Certificate, item: CheckResult) -> ET.Element:
    classname = f"{clean(certificate.model)}.{clean(item.check)}"
    case = ET.Element("testcase", {"classname": classname, "name": clean(item.requirement), "time": "0"})
    waived = certificate.waived_until(item.requirement)
    verdict = verdict_words(item, waived_until=waived)
    if item.verdict != "PASS":
        blocks = item.severity == "must" and waived is None and _blocks(certificate, item)
        message = verdict if item.severity == "must" else f"{verdict} ({item.severity})"
        found = ET.SubElement(case, "failure" if blocks else "skipped", {"message": clean(f"{message}: {item.reason}")})
        if blocks:
            found.set("type", item.verdict)
            found.text = clean("\n".join([item.reason, *(f"{key}: {value}" for key, value in item.details.items())]))
    output = ET.SubElement(case, "system-out")
    parts = (f"{item.title}:", measured_words(item), gate_words(item.gate))
    output.text = clean(" ".join(part for part in parts if part).rstrip(":"))
    return case


def _blocks(certificate: Certificate, item: CheckResult) -> bool:
    undecided = item.verdict == "INCONCLUSIVE" and certificate.statistics.inconclusive == "block"
    return item.verdict == "FAIL" or undecided
