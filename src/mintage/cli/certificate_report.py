"""Fill the certificate page from what certify found, and write it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from mintage.certify.certify import DataFacts, Outcome
from mintage.certify.check import CheckResult
from mintage.certify.ends import end_words
from mintage.certify.evidence import Evidence
from mintage.certify.example_words import example_table
from mintage.certify.finding import AnsweredFinding
from mintage.certify.holdout_use import use_sentence
from mintage.certify.order import order_reason, order_state
from mintage.certify.result_words import number_words
from mintage.certify.waive import AppliedWaiver
from mintage.cli.certificate_clauses import clauses_of
from mintage.cli.certificate_pictures import pictures_of
from mintage.cli.context import Context, now
from mintage.record.digest import hex_of
from mintage.release.admit import open_certificate
from mintage.repo.modelfile import ModelSpec
from mintage.report import certificate_view as view
from mintage.report.estimate import Estimate
from mintage.report.page import render_certificate
from mintage.report.seal_page import seal_page
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["requirement_row", "write_certificate_report"]

_HOW = "interval by"
_DIRECTIONS: dict[str, Literal["at least", "above", "at most"]] = {
    "at_least": "at least",
    "above": "above",
    "at_most": "at most",
}


def write_certificate_report(
    context: Context, spec: ModelSpec, outcome: Outcome, evidence: Evidence, *, certificate: str, commit: str, run: str
) -> Path:
    """Write ``.mintage/reports/certificate-<model>-<root>.html``; returns its path."""
    page = render_certificate(_view(context, spec, outcome, evidence, certificate=certificate, commit=commit, run=run))
    tier = "" if outcome.tier == "release" else f"-{outcome.tier}"
    path = context.workspace.reports_dir / f"certificate-{spec.model}-{hex_of(outcome.root)[:12]}{tier}.html"
    bundle = Store(context.workspace.store_dir).get_bytes(certificate)
    page = seal_page(page, name=path.name, certificate=bundle, signer=context.signer_for("certificate"))
    publish_bytes(path, page.encode())
    return path


def _view(
    context: Context, spec: ModelSpec, outcome: Outcome, evidence: Evidence, *, certificate: str, commit: str, run: str
) -> view.CertificateView:
    order = next((result for result in outcome.results if result.check == "V4"), None)
    return view.CertificateView(
        identity=view.Identity(
            model=spec.model,
            root=outcome.root,
            purpose=spec.purpose,
            owner=spec.owner,
            commit=commit,
            run=run,
            champion=outcome.champion,
            certified_at=now(),
            signed_by=context.trust.name_of(context.signer.key_id),
            certificate=certificate,
        ),
        verdict=_verdict(outcome.verdict),
        sentence=outcome.sentence,
        requirements=_rows(outcome),
        not_asked=tuple(
            view.NotAsked(id=item.requirement, title=item.title, check=item.check, reason=item.reason)
            for item in outcome.results
            if item.verdict == "NOT_APPLICABLE"
        ),
        validity=_validity(context, certificate),
        waivers=tuple(_waiver(waiver) for waiver in outcome.waivers),
        findings=tuple(_finding(item) for item in outcome.findings if item.is_open),
        task=evidence.task,
        **pictures_of(evidence, spec, outcome),
        latency=_latency(outcome),
        policy=_policy(context, outcome),
        order=view.Order(
            proven=order_state(outcome.order) == "proven",
            sentence=order_reason(outcome.order),
            blocks=order is not None and order.severity == "must" and order.verdict != "PASS",
        ),
        evidence=tuple(
            view.Evidence(name=item.name, digest=item.digest or "", what=_what(item, outcome), rows=item.rows)
            for item in outcome.data
        ),
        **clauses_of(outcome),
        limitations=spec.limitations,
        written_at=now(),
    )


def _what(item: DataFacts, outcome: Outcome) -> str:
    if outcome.use is None or item.name != "hold-out":
        return f"{item.groups} groups"
    return f"{item.groups} groups; {use_sentence(outcome.use)}"


def _verdict(text: str) -> view.Verdict:
    return "PASS" if text == "PASS" else "FAIL" if text == "FAIL" else "INCONCLUSIVE"


def _waiver(waiver: AppliedWaiver) -> view.Waiver:
    return view.Waiver(
        requirement=waiver.requirement,
        until=str(waiver.expires),
        reason=waiver.reason,
        compensating=waiver.compensating,
        approver=waiver.approver,
        approved_at=waiver.approved_at,
        approval=waiver.approval,
    )


def _finding(item: AnsweredFinding) -> view.Finding:
    said = {name: getattr(item, name) for name in view.Finding.__struct_fields__}
    return view.Finding(**said)


def _rows(outcome: Outcome) -> tuple[view.Requirement, ...]:
    """Those that block first, then those that are not met, then the others; else as in the policy."""
    rows = [_row(result, outcome) for result in outcome.results if result.verdict != "NOT_APPLICABLE"]

    def place(row: view.Requirement) -> tuple[bool, bool, bool]:
        excused = row.severity != "must" or row.waived_until is not None
        return row.verdict == "PASS", excused, row.verdict != "FAIL"

    return tuple(sorted(rows, key=place))


def _validity(context: Context, certificate: str) -> view.Validity:
    """As the signed certificate has it."""
    signed, _ = open_certificate(Store(context.workspace.store_dir), certificate, context.trust)
    return view.Validity(until=signed.expires, ends=tuple(end_words(end) for end in signed.ends if end.event != "time"))


def _details(result: CheckResult) -> tuple[tuple[str, str], ...]:
    """What the check tells beside its number, figures cut to four places."""
    return tuple(
        (name, f"{value:,}" if type(value) is int else number_words(value) if isinstance(value, float) else str(value))
        for name, value in result.details.items()
        if value is not None and name != _HOW
    )


def _examples(result: CheckResult) -> view.ExampleTable | None:
    if not result.examples:
        return None
    head, lines = example_table(result.examples)
    return view.ExampleTable(head=head, lines=lines)


def _how(result: CheckResult) -> str | None:
    """How its interval was made, as the result says it."""
    how = result.details.get(_HOW)
    return None if how is None else str(how)


def _row(result: CheckResult, outcome: Outcome) -> view.Requirement:
    """The row of a check, with the last day of its waiver."""
    waived = {waiver.requirement: str(waiver.expires) for waiver in outcome.waivers}
    return msgspec.structs.replace(requirement_row(result), waived_until=waived.get(result.requirement))


def requirement_row(result: CheckResult) -> view.Requirement:
    """The row of a check on the page; what would settle it is said once."""
    measured, interval = None, result.interval
    exact = interval is None or interval.low == interval.high
    if result.estimate is not None:
        measured = Estimate(
            value=result.estimate,
            low=None if exact or interval is None else interval.low,
            high=None if exact or interval is None else interval.high,
            confidence=0.95 if interval is None else interval.confidence,
        )
    settle = f"about {result.needed:,} {result.needed_unit} would settle it" if result.needed else ""
    grouped = result.groups is not None and result.groups != result.rows
    return view.Requirement(
        id=result.requirement,
        title=result.title,
        check=result.check,
        verdict=_verdict(result.verdict),
        severity=result.severity,
        measured=measured,
        threshold=result.gate.threshold if result.gate else None,
        direction=_DIRECTIONS[result.gate.direction] if result.gate else "at least",
        unit=result.unit or None,
        n=result.groups if grouped else result.rows,
        n_of="groups" if grouped else "rows",
        settle=None if settle in result.reason else settle,
        reason=result.reason,
        controls=result.controls,
        interval_by=None if exact else _how(result),
        details=_details(result),
        examples=_examples(result),
    )


def _latency(outcome: Outcome) -> view.Latency | None:
    if outcome.latency is None:
        return None
    times = np.array(outcome.latency.seconds) * 1e3
    edges = np.linspace(times.min(), np.quantile(times, 0.995), 31)
    counts, _ = np.histogram(np.minimum(times, edges[-1]), edges)
    quantiles = []
    for result in outcome.results:
        if result.check == "T1" and result.estimate is not None and result.interval is not None:
            estimate = Estimate(value=result.estimate, low=result.interval.low, high=result.interval.high)
            limit = result.gate.threshold if result.gate else None
            quantiles.append(view.Quantile(name=result.title.rsplit(" ", 1)[-1], ms=estimate, limit_ms=limit))
    bins = [
        view.TimeBin(low_ms=float(low), high_ms=float(high), requests=int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return view.Latency(bins=tuple(bins), quantiles=tuple(quantiles), load=outcome.latency.scenario)


def _policy(context: Context, outcome: Outcome) -> view.PolicyFacts:
    builtin = outcome.policy.builtin
    path = f"policies/{outcome.model}.yaml" if builtin is None else f"the built-in default of {builtin}"
    commits = context.workspace.git.log(path, limit=1) if builtin is None else []
    statistics = outcome.policy.statistics
    return view.PolicyFacts(
        path=path,
        digest=outcome.policy.digest,
        commit=commits[0].id if commits else None,
        author=commits[0].author if commits else None,
        statistics=(
            f"Intervals have {100 * outcome.confidence_each:.4g} % confidence, {statistics.draws} draws, "
            f"seed {statistics.seed}.",
            f"{outcome.comparisons} comparisons, correction: {statistics.multiplicity}.",
            *_of_tier(outcome),
        ),
        domain_digest=outcome.domain,
    )


def _of_tier(outcome: Outcome) -> tuple[str, ...]:
    """What a tier below that of a release leaves out, in a sentence."""
    if outcome.tier == "release":
        return ()
    left_out = f" Not asked: {', '.join(outcome.not_asked)}." if outcome.not_asked else ""
    return (f"Judged as a {outcome.tier.replace('-', ' ')}, which releases nothing.{left_out}",)
