"""A certificate as Markdown, for a pull request or a file beside a model: one verdict and one sentence first.

What it says is what the certificate says; that its signature holds is said by whoever renders it, in ``signed_by``.
"""

from __future__ import annotations

from mintage.certify.certificate import Certificate
from mintage.certify.check import CheckResult
from mintage.certify.example_words import example_table
from mintage.certify.order import order_reason
from mintage.certify.result_words import gate_words, measured_words, verdict_words
from mintage.report.markdown import table, text

__all__ = ["certificate_lines", "certificate_markdown"]


def certificate_markdown(certificate: Certificate, *, digest: str, signed_by: str, ended: tuple[str, ...]) -> str:
    """The whole text. ``ended`` holds a sentence for each event that has ended it."""
    lines = [f"## {certificate.verdict}: {text(certificate.model)}", "", text(certificate.sentence), ""]
    if ended:
        lines += ["**No longer current:** " + "; ".join(text(sentence) for sentence in ended), ""]
    lines += certificate_lines(certificate)
    lines += ["### How sure, by whom, until when", "", *table(("", ""), _facts(certificate, digest, signed_by)), ""]
    return "\n".join(lines)


def certificate_lines(certificate: Certificate) -> list[str]:
    """What was asked and found, what is not met and why, what people said, and the clauses."""
    results = certificate.results + certificate.measured
    lines = ["### What was asked, and what was found", ""]
    lines += [*table(("verdict", "requirement", "", "measured", "asked"), [_row(certificate, i) for i in results]), ""]
    open_ones = [item for item in results if item.verdict in ("FAIL", "INCONCLUSIVE")]
    open_ones.sort(key=lambda item: item.severity != "must" or certificate.waived_until(item.requirement) is not None)
    if open_ones:
        lines += ["### What is not met, and why", ""]
        for item in open_ones:
            lines.append(f"- **{text(item.requirement)}** ({item.severity}): {text(item.reason)}")
            lines += [f"  - {text(name)}: {text(value)}" for name, value in _texts(item)]
        lines.append("")
        for item in open_ones:
            lines += _examples(item)
    if certificate.waivers:
        lines += ["### Waived for a time", ""]
        lines += [
            f"- **{text(item.requirement)}** until {item.expires} by {text(item.approver)}: {text(item.reason)}; "
            f"instead: {text(item.compensating)}"
            for item in certificate.waivers
        ]
        lines.append("")
    if certificate.findings:
        rows = [(i.finding, i.about, i.expect, i.answer, "yes" if i.met else "no") for i in certificate.findings]
        lines += ["### Open findings", "", *table(("finding", "about", "expected", "the model says", "met"), rows), ""]
    if certificate.clauses:
        clauses = [(item.control, item.state, ", ".join(item.requirements)) for item in certificate.clauses]
        lines += ["### Clauses", "", *table(("clause", "state", "by"), clauses), ""]
        lines += ["No state says that a law is complied with: people who read it judge that.", ""]
    return lines


def _row(certificate: Certificate, item: CheckResult) -> tuple[str, ...]:
    verdict = verdict_words(item, waived_until=certificate.waived_until(item.requirement))
    return (verdict, item.requirement, item.title, measured_words(item), _asked(item))


def _asked(item: CheckResult) -> str:
    return gate_words(item.gate) + ("" if item.severity == "must" else f" ({item.severity})")


def _examples(item: CheckResult) -> list[str]:
    """The rows that show it, as a table."""
    if not item.examples:
        return []
    head, rows = example_table(item.examples)
    return [f"For example, **{text(item.requirement)}**:", "", *table(head, rows), ""]


def _texts(item: CheckResult) -> list[tuple[str, str]]:
    """The texts among a check's details that its reason does not say: slices, rows, answers."""
    hidden = ("interval by", "champion")
    texts = [(name, value) for name, value in item.details.items() if isinstance(value, str) and name not in hidden]
    return [(name, value) for name, value in texts if value not in item.reason][:10]


def _facts(certificate: Certificate, digest: str, signed_by: str) -> list[tuple[str, str]]:
    policy, statistics = certificate.policy, certificate.statistics
    of = f"built-in default of {policy.builtin}" if policy.builtin else f"policies/{certificate.model}.yaml"
    splits = [(item.name, f"{item.rows:,} rows, {item.groups:,} groups, {item.digest}") for item in certificate.data]
    return [
        ("model", certificate.root),
        ("certificate", digest),
        ("signed by", signed_by),
        ("policy", f"{of}, {policy.digest}, of {policy.owner}"),
        ("intervals", f"{statistics.confidence_each:.4g} each, {statistics.multiplicity}, seed {statistics.seed}"),
        ("order", order_reason(certificate.order.facts)),
        *splits,
        ("issued", certificate.issued),
        ("holds until", certificate.expires),
    ]
