"""``mintage attest MODEL REQUIREMENT``: sign what no command can decide, with its document (check H1)."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path

from mintage.attest.seal import seal
from mintage.certify.attested import attested_path, attested_statement
from mintage.certify.policy import read_policy
from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context, now
from mintage.database.connection import transaction
from mintage.errors import FileMissingError, UnknownNameError, UsageError
from mintage.record.digest import sha256_file
from mintage.repo.nearest import nearest_hint
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]

_MOST_DAYS = 366


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model of mintage.yaml")
    parser.add_argument("requirement", help="a requirement of its policy whose check is H1")
    parser.add_argument("--says", required=True, metavar="TEXT", help="what you attest, in a sentence or two")
    parser.add_argument("--document", required=True, metavar="PATH", help="what it rests on, a file of the project")
    parser.add_argument("--days", type=int, default=365, help="for how many days it holds (default 365, the most 366)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace, model = context.workspace, arguments.model
    workspace.model_entry(model)
    policy = read_policy(workspace.root / "policies" / f"{model}.yaml")
    asked = {item.id: str(getattr(item, "asks", "")) for item in policy.requirements if item.check == "H1"}
    if arguments.requirement not in asked:
        raise UnknownNameError(
            f"the policy of {model} asks nobody to attest {arguments.requirement!r}",
            expected=", ".join(asked) or "a requirement with check H1, and there is none",
            where=policy.where,
            hint=nearest_hint(arguments.requirement, asked),
        )
    if not 1 <= arguments.days <= _MOST_DAYS or not arguments.says.strip():
        raise UsageError("not a statement", expected=f"--says TEXT, and --days from 1 to {_MOST_DAYS}")
    document = _document(workspace.root, arguments.document)
    signer = context.signer_for("certificate")
    context.open_audit_log()
    statement = attested_statement(
        model=model,
        requirement=arguments.requirement,
        says=arguments.says.strip(),
        document=document,
        digest=sha256_file(workspace.root / document),
        at=now(),
        expires=date.fromisoformat(now()[:10]) + timedelta(days=arguments.days),
    )
    path = attested_path(model, arguments.requirement)
    publish_bytes(workspace.root / path, seal(statement, signer))
    with transaction(context.connection):
        context.record_access("requirement.attest", model, {"requirement": arguments.requirement, "document": document})
    context.checkpoint()
    name = context.trust.name_of(signer.key_id) or signer.key_id
    if arguments.json:
        emit_json({"path": path, "signed_by": name, "document": document})
        return 0
    emit(f"{name} attests {arguments.requirement} ({asked[arguments.requirement]}): {arguments.says.strip()}")
    say(f"Commit {path} and {document}, then: mintage certify {model}")
    return 0


def _document(root: Path, text: str) -> str:
    """The document's path below the project's root; raises FileMissingError or UsageError."""
    path = Path(text).resolve()
    if not path.is_file():
        raise FileMissingError(f"{text} is not there", expected="the document that the statement rests on")
    if not path.is_relative_to(root.resolve()):
        raise UsageError("the document is not in the project", found=text, hint="put it there, so that Git keeps it")
    return path.relative_to(root.resolve()).as_posix()
