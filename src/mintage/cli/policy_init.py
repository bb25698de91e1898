"""``mintage policy init MODEL``: write policies/<model>.yaml, with thresholds that validation data propose.

The hold-out is never opened for it. A policy that is younger than its model is honest only as far as it says so: the
command names what to run again, so that a model comes after its policy.
"""

from __future__ import annotations

from mintage.certify.checks.f1 import CHECK as METRIC
from mintage.certify.checks.f1 import PrimaryMetricRequirement
from mintage.certify.checks.f5 import CHECK as GAP
from mintage.certify.checks.f5 import OverfittingGapRequirement
from mintage.certify.evidence import Evidence
from mintage.certify.gather import read_split
from mintage.certify.metric import usual_metric
from mintage.certify.policy import Statistics, parse_policy
from mintage.certify.policy_text import render_policy
from mintage.certify.suggest import (
    Thresholds,
    assumptions_of,
    propose_ceiling,
    propose_floor,
    suggest_requirements,
)
from mintage.cli.console import emit_json, say
from mintage.cli.context import Context
from mintage.cli.new_file import show_new_file
from mintage.cli.policy_choice import check_judgeable, known_facts
from mintage.errors import ProjectError
from mintage.model.loaded import open_built
from mintage.repo.locks import read_lock
from mintage.repo.modelfile import ModelSpec, domain_digest
from mintage.store.publish import publish_bytes

__all__ = ["init_policy"]

_INTERVENTIONS = """
  # What only a project with its pipeline can ask. Each trains the model again, F6 5 times and F7 10 times, for at most
  # `budget_s` seconds; take away the first # of what you want:
#  - {id: pipeline.scramble, check: F6, budget_s: 300}   # it knows nothing when its labels are exchanged at random
#  - {id: pipeline.spread, check: F7, budget_s: 600, severity: should}   # how much it depends on which rows there were
#  - {id: pipeline.rebuild, check: V2, budget_s: 300}   # its stages make the same model again
"""


def init_policy(context: Context, model: str, *, as_json: bool) -> int:
    """Write the file, show it, and say what to do next."""
    workspace = context.workspace
    spec = workspace.model_spec(model)
    check_judgeable(spec)
    path = f"policies/{model}.yaml"
    if (workspace.root / path).exists():
        raise ProjectError(
            f"{path} is there already",
            expected="a model without a policy",
            where=path,
            hint="edit it; `mintage policy check` reads it as certify would",
        )
    facts = known_facts(context, spec)
    thresholds = _thresholds(context, spec)
    head = _head(model, built=thresholds is not None, assumed=assumptions_of(facts))
    text = render_policy(
        model=model,
        owner=spec.owner,
        domain=domain_digest(spec),
        requirements=suggest_requirements(facts, thresholds),
        head=head,
        owner_comment="put in who answers for the risk, if that is somebody else",
    )
    text += _INTERVENTIONS
    parse_policy(text.encode(), where=path)  # nothing is written that certify would refuse
    publish_bytes(workspace.root / path, text.encode())
    if as_json:
        emit_json({"wrote": path, "text": text})
        return 0
    show_new_file(path, text)
    _next(context, model, path)
    return 0


def _thresholds(context: Context, spec: ModelSpec) -> Thresholds | None:
    """What the model's figures on validation data propose; None if there is no model, or no rows but those it learnt
    from."""
    workspace = context.workspace
    lock = read_lock(workspace.root, f"model:{spec.model}")
    if lock is None or lock.root is None or spec.data.validation == spec.data.train:
        return None
    package = open_built(workspace, spec.model)
    predictor = package.predictor()
    evidence = Evidence(
        model=spec.model,
        root=package.root,
        domain=domain_digest(spec),
        train=read_split(workspace, spec, predictor, "training", spec.data.train),
        holdout=read_split(workspace, spec, predictor, "validation", spec.data.validation),
        classes=tuple(map(str, package.signature.classes)),
    )
    return _propose(evidence, f"{evidence.holdout.rows:,} validation rows")


def _propose(evidence: Evidence, rows: str) -> Thresholds:
    resampling = Statistics().resampling(comparisons=1)
    asked = PrimaryMetricRequirement(id="floor", check="F1", metric=usual_metric(evidence.task), min=0.0)
    metric = METRIC.run(evidence, asked, resampling=resampling, latency=None)
    gap_asked = OverfittingGapRequirement(id="gap", check="F5", max=1.0)
    gap = GAP.run(evidence, gap_asked, resampling=resampling, latency=None)
    floor, ceiling = propose_floor(metric, evidence.task), propose_ceiling(gap)
    if floor is None or ceiling is None or metric.interval is None or gap.interval is None:
        return Thresholds()
    return Thresholds(
        floor=(
            floor,
            f"proposed: {metric.estimate:.3f} [{metric.interval.low:.3f}, {metric.interval.high:.3f}] on {rows}, less "
            "twice the way to its low end",
        ),
        gap=(
            ceiling,
            f"proposed: {gap.estimate:z.3f} [{gap.interval.low:.3f}, {gap.interval.high:.3f}] from training to {rows}, "
            "and twice the way to its high end",
        ),
    )


def _head(model: str, *, built: bool, assumed: tuple[str, ...]) -> list[str]:
    source = [
        "Thresholds are proposed from validation data; the hold-out was not opened for them. They say what the model",
        "can do, not what you need: put in what a wrong answer costs you. Keys: docs/spec/policy.md.",
    ]
    if not built:
        source = [
            "No figure on validation data was there: thresholds are those of the built-in default.",
            "Put in what you need, and what a wrong answer costs you. Keys: docs/spec/policy.md.",
        ]
    return [
        f"What `{model}` must prove before it may be released. It belongs to whoever owns the risk, not to who trains.",
        *source,
        *(f"Assumed: {line}." for line in assumed),
    ]


def _next(context: Context, model: str, path: str) -> None:
    say(f"Wrote {path}. `mintage policy check {model}` reads it as certify would. Edit it, then:")
    say(f"  git add {path} && git commit -m 'policy: what {model} must prove'")
    if _was_opened(context, model):
        say("The hold-out was opened before: who sets a threshold now may have seen its figures, and nobody can tell.")
    if read_lock(context.workspace.root, f"model:{model}") is not None:
        say("The model is older than this policy now, and its certificate would say so. For one that comes after it:")
        say(f"  mintage run --force && mintage certify {model}")


def _was_opened(context: Context, model: str) -> bool:
    """Whether the audit log of this machine has an opening of the model's hold-out."""
    if not context.workspace.database.exists():
        return False
    events = (event for _, event in context.audit_log.events())
    return any(event.action == "holdout.open" and event.resource == model for event in events)
