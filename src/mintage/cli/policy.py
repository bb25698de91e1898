"""``mintage policy check [MODEL]``: read a policy as certify would, and say what it demands; ``init`` writes one,
``clauses`` lists the laws and standards that it may name, ``schema`` prints the JSON Schema of policies."""

from __future__ import annotations

import argparse

import msgspec

from mintage.certify.policy import Policy, check_domain, check_task, read_policy
from mintage.certify.policy_schema import encode_schema, policy_schema
from mintage.cli.console import emit, emit_json, table
from mintage.cli.context import Context
from mintage.cli.own_files import find_own_files
from mintage.cli.policy_clauses import show_clauses
from mintage.cli.policy_init import init_policy
from mintage.errors import UsageError
from mintage.repo.modelfile import domain_digest
from mintage.repo.workspace import Workspace

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("check", "init", "clauses", "schema"),
        help="check: parse it, and compare the domain that it pins; init: write one to edit; "
        "clauses: list the laws and standards that `controls` may name; schema: print the JSON Schema, for editors",
    )
    parser.add_argument(
        "model", nargs="?", help="one model (default for check: all of the project); with clauses: one catalogue"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "clauses":
        return show_clauses(arguments.model, as_json=arguments.json)
    if arguments.what == "schema":
        emit(encode_schema(policy_schema()).rstrip())
        return 0
    context = Context.here()
    workspace = context.workspace
    if arguments.what == "init":
        return init_policy(context, _one_model(workspace, arguments.model), as_json=arguments.json)
    names = [arguments.model] if arguments.model else list(workspace.project().models)
    found, domains, files = {}, {}, {}
    for name in names:
        spec = workspace.model_spec(name)
        policy = read_policy(workspace.root / "policies" / f"{name}.yaml")
        domains[name] = domain_digest(spec)
        check_domain(policy, domains[name])
        check_task(policy, spec.task)
        files[name] = find_own_files(workspace.root, policy)
        found[name] = policy
    if arguments.json:
        emit_json({name: msgspec.to_builtins(policy) for name, policy in found.items()})
        return 0
    for name, policy in found.items():
        domain = _domain(policy, domains[name])
        emit(f"policies/{name}.yaml of {policy.owner}: {len(policy.requirements)} requirements, {domain}")
        rows = [(item.severity, item.check, item.id, item.about or "") for item in policy.requirements]
        emit(table(rows, head=("severity", "check", "requirement", "about"), indent="  "))
        for file in files[name].values():
            emit(f"  {file.path} is {file.digest}")
    return 0


def _one_model(workspace: Workspace, named: str | None) -> str:
    """The model that is named, or the only one of the project."""
    models = list(workspace.project().models)
    if named is None and len(models) != 1:
        raise UsageError(
            "`mintage policy init` writes the policy of one model",
            expected="a name" + (f": {', '.join(models)}" if models else ""),
            hint="name it: mintage policy init MODEL" if models else "declare one under `models:` in mintage.yaml",
        )
    return named if named is not None else models[0]


def _domain(policy: Policy, declared: str) -> str:
    return "domain as declared" if policy.domain is not None else f"domain not pinned (it is {declared})"
