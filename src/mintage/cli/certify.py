"""``mintage certify [MODEL]``: judge a model against its policy, sign the certificate, write the report."""

from __future__ import annotations

import argparse
import contextlib
import itertools
from dataclasses import replace
from pathlib import Path

import msgspec

from mintage.attest.seal import seal
from mintage.certify.attested import Attested, read_attested
from mintage.certify.certificate import certificate_statement
from mintage.certify.certify import Outcome, certify
from mintage.certify.check import CheckResult
from mintage.certify.clause_table import BY_PEOPLE, clause_states
from mintage.certify.finding import read_findings
from mintage.certify.gather import gather_evidence, output_item
from mintage.certify.judge import Gate
from mintage.certify.latency import latency_record
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy, check_domain, check_task
from mintage.certify.registry import find_checks
from mintage.certify.regression import with_findings
from mintage.certify.waiver import Waiver
from mintage.certify.waiver_facts import present_waivers
from mintage.cli.certificate_report import write_certificate_report
from mintage.cli.console import emit, emit_json, progress, say, table
from mintage.cli.context import Context, now
from mintage.cli.latency import gateway_probe
from mintage.cli.policy_choice import check_judgeable, choose_policy, show_default
from mintage.database.connection import transaction
from mintage.errors import HoldoutUnknownError, RefusedError
from mintage.model.loaded import open_built
from mintage.model.package import Package, open_package
from mintage.pipeline.extract import open_extractor
from mintage.pipeline.infer.render import HOLDOUT_LINE
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.sandbox import Scratch
from mintage.record.digest import sha256_file, short
from mintage.release.history import manifests_at
from mintage.release.reconcile import environment_dir
from mintage.repo.locks import Item, Lock, read_lock, write_lock
from mintage.repo.modelfile import ModelSpec, domain_digest
from mintage.store.local import Store

__all__ = ["configure", "run", "run_certify"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", help="a model of mintage.yaml (default: the only one)")
    parser.add_argument(
        "--against", metavar="ENVIRONMENT", help="compare with its champion (default: any environment's)"
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    try:
        model = arguments.model or context.workspace.only_model()
        outcome, certificate, report = run_certify(context, model, against=arguments.against)
    except HoldoutUnknownError as error:
        return _undecided(error, as_json=arguments.json)
    if arguments.json:
        emit_json(
            {
                "verdict": outcome.verdict,
                "sentence": outcome.sentence,
                "root": outcome.root,
                "certificate": certificate,
                "report": str(report),
                "results": msgspec.to_builtins(list(outcome.results)),
                "findings": msgspec.to_builtins(list(outcome.findings)),
                "waivers": msgspec.to_builtins(list(outcome.waivers)),
                "waivers_that_do_not_hold": msgspec.to_builtins(list(outcome.unheld)),
                "clauses": msgspec.to_builtins(clause_states(outcome.results)),
                "policy": {"digest": outcome.policy.digest, "builtin": outcome.policy.builtin},
            }
        )
        return 0 if outcome.verdict == "PASS" else 1
    emit(f"{outcome.verdict}: {outcome.sentence}")
    waived = {waiver.requirement: waiver for waiver in outcome.waivers}
    rows = [_row(result, waived.get(result.requirement)) for result in outcome.results]
    emit(table(rows, head=("verdict", "requirement", "measured", "gate")))
    for result in outcome.results:
        if result.verdict != "PASS":
            emit(f"  {result.requirement}: {result.reason}")
    _show_waivers(outcome)
    _show_findings(outcome)
    _show_clauses(outcome)
    _offer_waiver(outcome)
    shown = report.relative_to(Path.cwd()) if report.is_relative_to(Path.cwd()) else report
    say(f"Certificate {short(certificate)}, page {shown}")
    if outcome.policy.builtin is None:
        say("Commit it to release: git add mintage.lock && git commit")
    else:
        say(f"A release needs a policy that people have agreed on, in Git: mintage policy init {model}")
    return 0 if outcome.verdict == "PASS" else 1


def _attested(context: Context, policy: Policy) -> dict[str, Attested]:
    asked = [requirement.id for requirement in policy.requirements if requirement.check in BY_PEOPLE]
    return read_attested(context.workspace.root, policy.model, asked, trust=context.trust, now=now())


def _show_clauses(outcome: Outcome) -> None:
    states = clause_states(outcome.results)
    if states:
        rows = [(item.control, item.state, ", ".join(item.requirements)) for item in states]
        emit(table(rows, head=("clause", "state", "by")))


def _show_waivers(outcome: Outcome) -> None:
    for waiver in outcome.waivers:
        emit(f"  {waiver.requirement}: waived by {waiver.approver} until {waiver.expires}: {waiver.reason}")
    for other in outcome.unheld:
        emit(f"  the waiver of {other.waiver.requirement} does not hold: {other.reason}")


def _offer_waiver(outcome: Outcome) -> None:
    settled = {waiver.requirement for waiver in outcome.waivers} | outcome.measured
    failed = [item for item in outcome.results if item.verdict == "FAIL" and item.severity == "must"]
    name = next((item.requirement for item in failed if item.requirement not in settled), None)
    if name is not None:
        say(f"Who is not the model's author may let it stand for a time: mintage waiver propose {outcome.model} {name}")


def _show_findings(outcome: Outcome) -> None:
    for item in outcome.findings:
        if item.is_open:
            state = "met now" if item.met else "not met"
            emit(f"  open finding {item.finding} by {item.author}, {state}: expects {item.expect}; {item.answer}")


def _undecided(error: HoldoutUnknownError, *, as_json: bool) -> int:
    """Without a hold-out there is a verdict, but nothing to sign."""
    if as_json:
        value = {"verdict": "INCONCLUSIVE", "sentence": error.message, "hint": error.hint, "where": error.where}
        emit_json({**value, "certificate": None})
    else:
        emit(f"INCONCLUSIVE: {error.message}")
        say(f"  at {error.where}")
        say(f"hint: {error.hint}")
    return 1


def run_certify(context: Context, model: str, *, against: str | None) -> tuple[Outcome, str, Path]:
    """Judge, sign and keep; returns the outcome, the certificate's digest and the report's path."""
    workspace = context.workspace
    spec = workspace.model_spec(model)
    check_judgeable(spec)
    holdout = _known_holdout(spec)
    chosen = choose_policy(context, spec)
    findings, found = read_findings(workspace.git, model)
    policy = with_findings(chosen.policy, found=bool(findings))
    check_domain(policy, domain_digest(spec))
    check_task(policy, spec.task)  # before the hold-out is opened for nothing
    if against is not None:
        environment_dir(workspace, against)
    context.signer_for("certificate")  # before the hold-out is opened for nothing
    context.open_audit_log()
    with workspace.lock("certify"):
        lock = read_lock(workspace.root, f"model:{model}")
        if lock is None or lock.root is None or lock.record is None:
            raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
        package = open_built(workspace, model)
        if chosen.text is not None:
            show_default(chosen)
        record = Store(workspace.store_dir).get_record(lock.record, kind="model")
        order = _order(context, policy, model, str(record.body["commit"]))
        commit = str(record.body["commit"])
        waivers = present_waivers(workspace, model, evidence_commit=commit, now=now())
        first_look = _enter(context, spec, policy, lock.root, holdout=holdout)
        estimator = record.body["estimator"]
        with contextlib.ExitStack() as stack:
            scratch = stack.enter_context(Scratch(workspace.tmp_dir))
            original = Item(path=estimator["path"], digest=estimator["digest"], size=0)
            extract = stack.enter_context(open_extractor(workspace, original))  # it starts while the gateway does
            probe = None
            if any(find_checks()[requirement.check].measured for requirement in policy.requirements):
                probe = stack.enter_context(gateway_probe(package, model, scratch.private / "gateway"))
            evidence = gather_evidence(
                workspace,
                spec=spec,
                holdout_path=holdout,
                package=package,
                extract=extract,
                latency=probe,
                champion=_champion(context, model, lock.root, against),
                order=msgspec.structs.replace(order, first_look_at=first_look),
                seed=policy.statistics.seed,
                findings=findings,
            )
            advance = stack.enter_context(progress("checks", len(policy.requirements)))
            done = itertools.count(1)
            evidence = replace(evidence, attested=_attested(context, policy))
            outcome = certify(evidence, policy, waivers=waivers, on_result=lambda _: advance(next(done)))
        digest = _keep(context, model, outcome, lock, policy_text=chosen.text, findings=found)
        report = write_certificate_report(
            context, spec, outcome, evidence, certificate=digest, commit=str(record.body["commit"]), run=str(lock.run)
        )
    return outcome, digest, report


def _order(context: Context, policy: Policy, model: str, evidence_commit: str) -> OrderFacts:
    """What Git says of policy and training, of a built-in default nothing; who else witnessed the policy is nobody."""
    git, path = context.workspace.git, f"policies/{model}.yaml"
    commits = git.log(path, limit=1) if policy.builtin is None else []
    if not commits:
        return OrderFacts(evidence_commit=evidence_commit)
    data = (context.workspace.root / path).read_bytes()
    return OrderFacts(
        policy_commit=commits[0].id,
        evidence_commit=evidence_commit,
        policy_is_ancestor=git.is_ancestor(commits[0].id, evidence_commit),
        policy_unchanged=git.show(evidence_commit, path) == data,
    )


def _known_holdout(spec: ModelSpec) -> str:
    """The path of the hold-out; raises HoldoutUnknownError."""
    if spec.data.holdout is None:
        raise HoldoutUnknownError(
            f"no hold-out of {spec.model} is known, rows that the model never saw, so nothing can be said of it",
            expected="`holdout` under `data:`",
            where=f"models/{spec.model}.yaml",
            hint=f"say which table it is, as in `{HOLDOUT_LINE}`; if there is none, let a stage keep rows back "
            "before the model is fitted, and write them to holdout.parquet or holdout.csv",
        )
    return spec.data.holdout


def _enter(context: Context, spec: ModelSpec, policy: Policy, root: str, *, holdout: str) -> str:
    """Enter the policy, under a checkpoint, and then the opening of the hold-out; returns when it was first opened."""
    opened = output_item(context.workspace, holdout).digest
    with transaction(context.connection):
        context.record_access("policy.declare", spec.model, {"policy": policy.digest, "root": root})
    context.checkpoint()
    with transaction(context.connection):
        details = {"holdout": opened, "policy": policy.digest, "root": root}
        context.record_access("holdout.open", spec.model, details)
    looks = (
        event.at
        for _, event in context.audit_log.events()
        if event.action == "holdout.open" and event.details.get("holdout") == opened
    )
    return next(looks)


def _champion(context: Context, model: str, root: str, against: str | None) -> Package | None:
    """The champion of an environment, if that is another model."""
    git = context.workspace.git
    head = git.head()
    manifests = [m for m in manifests_at(git, head, environment=against) if m.model == model] if head else []
    rivals = [manifest.champion for manifest in manifests if manifest.champion.root != root]
    if not rivals:
        return None
    store = Store(context.workspace.store_dir)
    record = store.get_record(rivals[0].record, kind="model")
    folder = model_folder(context.workspace, model, rivals[0].root)
    if not folder.is_dir():
        store.checkout_tree(str(record.body["tree"]), folder)
    return open_package(folder, keys=context.trust.keys_for("model"))


def _keep(
    context: Context, model: str, outcome: Outcome, lock: Lock, *, policy_text: bytes | None, findings: bytes
) -> str:
    """Sign and store certificate, wall times, findings and the text of a policy that Git does not have; name the
    certificate in its lock and in the audit log."""
    store = Store(context.workspace.store_dir)
    assert lock.root is not None
    folder = model_folder(context.workspace, model, lock.root)
    files = {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "model.sig"
    }
    if outcome.latency is not None:
        store.put_record(latency_record(outcome.latency))
    facts = {"record": str(lock.record), "run": str(lock.run)}
    if policy_text is not None:
        facts["policy"] = store.put_bytes(policy_text)
    if findings:
        facts["findings"] = store.put_bytes(findings)
    statement = certificate_statement(outcome, files=files, issued=now(), facts=facts)
    digest = store.put_bytes(seal(statement, context.signer_for("certificate")))
    write_lock(
        context.workspace.root,
        Lock(name=f"certificate:{model}", what="certificate", root=outcome.root, record=digest, run=lock.run),
    )
    with transaction(context.connection):
        details = {"root": outcome.root, "verdict": outcome.verdict, "certificate": digest}
        context.record_access("certificate.issue", model, details)
    context.checkpoint()
    return digest


def _row(result: CheckResult, waiver: Waiver | None) -> tuple[str, str, str, str]:
    interval = result.interval
    measured = "" if result.estimate is None else f"{result.estimate:.4g}{result.unit and ' ' + result.unit}"
    if interval is not None and interval.low != interval.high:
        measured += f" [{interval.low:.4g}, {interval.high:.4g}]"
    verdict = result.verdict.replace("_", " ") + (f", waived until {waiver.expires}" if waiver else "")
    return (verdict, result.requirement, measured, _gate(result.gate))


def _gate(gate: Gate | None) -> str:
    signs = {"at_least": ">=", "above": ">", "at_most": "<="}
    return "" if gate is None else f"{signs[gate.direction]} {gate.threshold:g}"
