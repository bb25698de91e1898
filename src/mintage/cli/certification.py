"""Judge a model: gather the evidence, run the checks, sign and keep the certificate, write its page.

The hold-out is opened once, after its opening stands in the audit log.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from mintage.certify.attested import Attested, read_attested
from mintage.certify.certify import Outcome, certify
from mintage.certify.check import Tier
from mintage.certify.clause_table import BY_PEOPLE
from mintage.certify.evidence import Evidence
from mintage.certify.finding import Finding, read_findings
from mintage.certify.gather import gather_evidence, output_item
from mintage.certify.holdout_use import HoldoutUse
from mintage.certify.made_by import check_made_by_ci
from mintage.certify.own_code import OwnFile
from mintage.certify.own_process import ConfinedCode, limits_of
from mintage.certify.policy import Policy, check_domain, check_model, check_task
from mintage.certify.regression import with_findings
from mintage.certify.run_facts import provenance_of, scan_run
from mintage.certify.stage_retraining import StageRetraining
from mintage.certify.tier import asked_in, check_tier
from mintage.certify.waiver_facts import present_waivers
from mintage.cli.certificate_keep import keep_certificate
from mintage.cli.certificate_report import write_certificate_report
from mintage.cli.certify_memory import Memory, native_key, open_memory
from mintage.cli.certify_progress import show_checks
from mintage.cli.console import say
from mintage.cli.context import Context, now
from mintage.cli.footprint import ProcessProbe
from mintage.cli.holdout_opening import Look, enter_opening, find_order
from mintage.cli.latency import gateway_probe
from mintage.cli.own_files import check_own_committed, find_own_files, with_own_files
from mintage.cli.policy_choice import Chosen, check_committed, check_judgeable, choose_policy, show_default
from mintage.errors import HoldoutUnknownError, RefusedError
from mintage.model.loaded import open_built
from mintage.model.package import Package, open_package
from mintage.pipeline.extract import open_extractor
from mintage.pipeline.infer.render import HOLDOUT_LINE
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.sandbox import Scratch
from mintage.record.envelope import Record
from mintage.release.history import manifests_at
from mintage.release.reconcile import environment_dir
from mintage.repo.locks import Item, Lock, read_lock
from mintage.repo.modelfile import ModelSpec, domain_digest
from mintage.repo.remote import open_remote
from mintage.store.local import Store

__all__ = ["known_holdout", "run_certify"]

_Enter = Callable[..., Look]
_Keep = Callable[..., str]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is asked of the model, and by whom: known before the hold-out is opened."""

    spec: ModelSpec
    policy: Policy
    tier: Tier
    chosen: Chosen
    holdout: str
    findings: tuple[Finding, ...]
    found: bytes
    own: dict[str, OwnFile]


@dataclass(frozen=True, kw_only=True)
class _Built:
    """The model as it was built: its lock, its record, and the package of its root."""

    lock: Lock
    root: str
    record: Record
    package: Package

    @property
    def commit(self) -> str:
        """The commit that the model was trained from."""
        return str(self.record.body["commit"])


def run_certify(
    context: Context,
    model: str,
    *,
    against: str | None,
    enter: _Enter = enter_opening,
    keep: _Keep = keep_certificate,
    tier: Tier = "release",
    fresh: bool = False,
) -> tuple[Outcome, str, Path]:
    """Judge by what ``tier`` asks for, sign and keep; what has not changed is known from before, unless ``fresh``.

    Returns the outcome, the certificate's digest and the report's path.

    ``enter`` enters the look at the hold-out, ``keep`` keeps the certificate: both otherwise where it is sealed.
    """
    asked = _ask(context, model, against, tier=tier)
    with context.workspace.lock("certify"):
        built = _built(context, model)
        if tier == "release":
            _check_made_by_ci(context, built)
        if asked.chosen.text is not None:
            show_default(asked.chosen)
        waivers = present_waivers(context.workspace, model, evidence_commit=built.commit, now=now())
        with contextlib.ExitStack() as stack:
            memory = stack.enter_context(open_memory(context.workspace, fresh=fresh))
            evidence, use = _gather(context, asked, built, memory, against=against, enter=enter, stack=stack)
            shown = stack.enter_context(show_checks(asked_in(asked.policy, tier)))
            outcome = certify(
                evidence, asked.policy, waivers=waivers, use=use, tier=tier, keep=memory.results, progress=shown
            )
        digest = keep(context, model, outcome, built.lock, policy_text=asked.chosen.text, findings=asked.found)
        report = write_certificate_report(
            context,
            asked.spec,
            outcome,
            evidence,
            certificate=digest,
            commit=built.commit,
            run=str(built.lock.run),
        )
    return outcome, digest, report


def _ask(context: Context, model: str, against: str | None, *, tier: Tier) -> _Asked:
    """Whatever may be refused is refused here, before the hold-out is opened for nothing."""
    workspace = context.workspace
    spec = workspace.model_spec(model)
    check_judgeable(spec)
    holdout = known_holdout(spec)
    chosen = choose_policy(context, spec)
    findings, found = read_findings(workspace.git, model)
    policy = with_findings(chosen.policy, found=bool(findings))
    check_model(policy, model)
    check_domain(policy, domain_digest(spec))
    check_task(policy, spec.task)
    check_committed(context, chosen)
    check_tier(policy, tier)
    own = find_own_files(workspace.root, policy)
    check_own_committed(workspace.git, own)
    if against is not None:
        environment_dir(workspace, against)
    context.signer_for("certificate")
    context.open_audit_log()
    return _Asked(
        spec=spec,
        policy=policy,
        tier=tier,
        chosen=chosen,
        holdout=holdout,
        findings=tuple(findings),
        found=found,
        own=own,
    )


def _built(context: Context, model: str) -> _Built:
    workspace = context.workspace
    lock = read_lock(workspace.root, f"model:{model}")
    if lock is None or lock.root is None or lock.record is None:
        raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
    record = Store(workspace.store_dir).get_record(lock.record, kind="model")
    return _Built(lock=lock, root=lock.root, record=record, package=open_built(workspace, model))


def _check_made_by_ci(context: Context, built: _Built) -> None:
    check_made_by_ci(
        context.workspace,
        str(built.record.body["estimator"]["path"]),
        trust=context.trust,
        own=context.signer.public,
        remote=lambda: open_remote(context.workspace, home=Path.home(), make=False),
        now=now(),
    )


def _gather(
    context: Context,
    asked: _Asked,
    built: _Built,
    memory: Memory,
    *,
    against: str | None,
    enter: _Enter,
    stack: contextlib.ExitStack,
) -> tuple[Evidence, HoldoutUse]:
    """Enter the opening of the hold-out, and gather all that the checks look at."""
    workspace, model, policy = context.workspace, asked.spec.model, asked.policy
    order = find_order(context, policy, model, built.commit)
    look = enter(context, asked.spec, policy, built.root, holdout=asked.holdout)
    order = msgspec.structs.replace(order, first_look_at=look.first_at)
    if look.witness is not None:
        order = msgspec.structs.replace(order, witness=look.witness, witnessed_at=look.witnessed_at)
    order = with_own_files(order, workspace.git, asked.own)
    scratch = stack.enter_context(Scratch(workspace.tmp_dir))
    estimator = built.record.body["estimator"]
    original = Item(path=estimator["path"], digest=estimator["digest"], size=0)
    key = native_key(
        memory,
        workspace,
        asked.spec,
        root=built.root,
        estimator=original,
        holdout=output_item(workspace, asked.holdout).digest,
        seed=policy.statistics.seed,
    )
    native, extract, probe = memory.answers.native(key), None, None
    if native is None:
        extract = stack.enter_context(open_extractor(workspace, original))  # it starts while the gateway does
    if any(hasattr(requirement, "calls") for requirement in asked_in(policy, asked.tier)):
        probe = stack.enter_context(gateway_probe(built.package, model, scratch.private / "gateway"))
    evidence = gather_evidence(
        workspace,
        spec=asked.spec,
        holdout_path=asked.holdout,
        package=built.package,
        extract=extract,
        latency=probe,
        champion=_champion(context, model, built.root, against),
        order=order,
        seed=policy.statistics.seed,
        findings=asked.findings,
        native=native,
        answers=memory.answers,
        unsealed=look.unsealed,
    )
    if native is None and evidence.native is not None:
        memory.answers.put_native(key, evidence.native)
    return _with_effects(evidence, context, asked, built, original=original, stack=stack), look.use


def _with_effects(
    evidence: Evidence,
    context: Context,
    asked: _Asked,
    built: _Built,
    *,
    original: Item,
    stack: contextlib.ExitStack,
) -> Evidence:
    """The evidence with what checks may start, and with what people signed."""
    workspace, policy = context.workspace, asked.policy
    own = ConfinedCode(workspace, asked.own, estimator=original.path, limits=limits_of(policy.check_limit_s))
    retraining = StageRetraining(
        workspace,
        spec=asked.spec,
        commit=built.commit,
        estimator=original,
        signature=built.package.signature,
        holdout=evidence.holdout,
        holdout_path=asked.holdout,
        stack=stack,
        tell=say,
    )
    checks = {requirement.check for requirement in asked_in(policy, asked.tier)}
    return replace(
        evidence,
        attested=_attested(context, policy),
        pickles=scan_run(workspace, original) if "Z2" in checks else None,
        provenance=provenance_of(workspace, built.record) if "V3" in checks else None,
        footprint=ProcessProbe(built.package),
        own=own,
        retraining=retraining,
    )


def _attested(context: Context, policy: Policy) -> dict[str, Attested]:
    asked = [requirement.id for requirement in policy.requirements if requirement.check in BY_PEOPLE]
    return read_attested(context.workspace.root, policy.model, asked, trust=context.trust, now=now())


def known_holdout(spec: ModelSpec) -> str:
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
