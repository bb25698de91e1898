"""The policy that a model is judged by: its file, or the built-in default, which is said, never assumed in silence."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from mintage import __version__
from mintage.certify.default_policy import default_policy, policy_facts
from mintage.certify.gather import output_item, stored_table
from mintage.certify.policy import Policy, read_policy
from mintage.certify.suggest import PolicyFacts, assumptions_of, suggest_requirements
from mintage.cli.console import say, table
from mintage.cli.context import Context
from mintage.errors import PolicyDeletedError, PolicyNotCommittedError, RefusedError
from mintage.model.loaded import open_built
from mintage.model.parity import TOLERANCE
from mintage.pipeline.table import labels_of
from mintage.record.digest import short
from mintage.repo.locks import read_lock
from mintage.repo.modelfile import ModelSpec

__all__ = ["Chosen", "check_committed", "check_judgeable", "choose_policy", "known_facts", "show_default"]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A policy; of the built-in default also its text and what it rests on."""

    policy: Policy
    text: bytes | None = None
    facts: PolicyFacts | None = None


def choose_policy(context: Context, spec: ModelSpec) -> Chosen:
    """The file's policy, or the default of a model that never had a file.

    Raises PolicyDeletedError where Git knows one: deleting a policy must not be a way to be judged by a milder one.
    """
    path = f"policies/{spec.model}.yaml"
    file = context.workspace.root / path
    if file.exists():
        return Chosen(policy=read_policy(file))
    commits = context.workspace.git.log(path, limit=1)
    if commits:
        raise PolicyDeletedError(
            f"the policy of {spec.model} was deleted",
            expected=f"{path}, which commit {commits[0].id[:10]} changed last",
            where=path,
            hint=f"bring it back (`git log -- {path}`, then `git checkout COMMIT -- {path}`); the built-in default is "
            "for models that never had one",
        )
    facts = known_facts(context, spec)
    policy, text = default_policy(spec, facts, version=__version__)
    return Chosen(policy=policy, text=text, facts=facts)


def check_committed(context: Context, chosen: Chosen) -> None:
    """Raise PolicyNotCommittedError where Git knows the policy's file, and it is not what HEAD has."""
    path = f"policies/{chosen.policy.model}.yaml"
    workspace = context.workspace
    commits = workspace.git.log(path, limit=1) if chosen.text is None else []
    if commits and workspace.git.show("HEAD", path) != (workspace.root / path).read_bytes():
        raise PolicyNotCommittedError(
            f"the policy of {chosen.policy.model} was edited, and that is not committed",
            expected=f"{path} as HEAD has it, which commit {commits[0].id[:10]} changed last",
            found="other bytes",
            where=path,
            hint="commit it, so that others see by what the model is judged, and run and certify again; "
            f"`git diff {path}` shows the edit",
        )


def check_judgeable(spec: ModelSpec) -> None:
    """Raise RefusedError for a model of several targets, which no check judges."""
    if len(spec.targets) != 1:
        raise RefusedError(
            f"the model {spec.model} has {len(spec.targets)} targets: {', '.join(spec.targets[:5])}",
            expected="one target: the checks do not judge several at once yet",
            where=f"models/{spec.model}.yaml",
            hint="`mintage parity` proves and `mintage export` packs it meanwhile; mintage.load predicts with it",
        )


def known_facts(context: Context, spec: ModelSpec) -> PolicyFacts:
    """What a suggestion rests on: the model file, the validation labels, the arithmetic of what was fitted, the extras
    that are installed."""
    workspace, shares, in_float32 = context.workspace, None, False
    lock = read_lock(workspace.root, f"model:{spec.model}")
    if lock is not None and lock.root is not None:
        package = open_built(workspace, spec.model)
        in_float32 = package.golden.tolerance > TOLERANCE
        if spec.task != "regression":
            item, classes = output_item(workspace, spec.data.validation), package.signature.classes
            labels = labels_of(stored_table(workspace, spec, item), spec, where=item.path, classes=classes)
            counted = [int((labels == place).sum()) for place in range(len(classes))]
            shares = [count / len(labels) for count in counted] if len(labels) else None
    return policy_facts(
        spec,
        shares=shares,
        in_float32=in_float32,
        can_serve=find_spec("uvicorn") is not None and find_spec("httptools") is not None,
        has_baselines=find_spec("sklearn") is not None and find_spec("threadpoolctl") is not None,
    )


def show_default(chosen: Chosen) -> None:
    """Say what the default requires and why, what was assumed, and how to change it."""
    policy, facts = chosen.policy, chosen.facts
    assert facts is not None
    digest = short(policy.digest)
    say(f"There is no policies/{policy.model}.yaml: judged by the built-in default of {policy.builtin} ({digest})")
    rows = [(item.severity, item.id, _limit(item.keys), item.why) for item in suggest_requirements(facts)]
    say(table(rows, indent="  "))
    for line in assumptions_of(facts):
        say(f"  assumed: {line}")
    say(f"  to change it: `mintage policy init {policy.model}` writes it as a file, thresholds from validation data")


def _limit(keys: dict[str, float | int | str | list[str]]) -> str:
    """The keys that limit something, in few words."""
    shown = {name: value for name, value in keys.items() if name in ("min", "max", "margin", "max_share", "max_ms")}
    return ", ".join(f"{name} {value}" for name, value in shown.items())
