"""``mintage diff OLD [NEW]``: compare two certificates, or those of one model at two revisions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mintage.certify.certificate import Certificate
from mintage.certify.compare import CertificateDiff, Listed, NumberChange, compare
from mintage.certify.policy import Policy, parse_policy
from mintage.certify.result_words import measured_words
from mintage.cli.certificate_show import read_certificate
from mintage.cli.certificate_target import earlier_certificate, find_certificate, is_certificate
from mintage.cli.certificate_verify import context_or_none
from mintage.cli.console import emit, emit_json, plural, table
from mintage.cli.context import Context
from mintage.errors import MintageError, UsageError
from mintage.record.digest import sha256_bytes, short
from mintage.repo.git import Git
from mintage.store.local import Store

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "old",
        help="a model, MODEL@REVISION, a revision, or a certificate's digest or file; a model alone: its "
        "certificate before the present one",
    )
    parser.add_argument("new", nargs="?", help="the same (default: the certificate that the lock names)")
    parser.add_argument("--trust", metavar="FILE", type=Path, help="as for `mintage verify`")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if a verdict got worse or the policy asks for less"
    )


def run(arguments: argparse.Namespace) -> int:
    context = context_or_none()
    names = _two(arguments.old, arguments.new, context)
    (old, _, old_digest), (new, _, new_digest) = (read_certificate(name, trust=arguments.trust) for name in names)
    if old.model != new.model:
        raise UsageError(
            "the two certificates are of different models", expected=old.model, found=new.model, hint="name one model"
        )
    found = compare(old, new, policies=(_policy_of(old, context), _policy_of(new, context)))
    if arguments.json:
        emit_json({"model": new.model, "old": old_digest, "new": new_digest, **msgspec.to_builtins(found)})
    elif old_digest == new_digest:
        emit(f"{new.model}: it is the same certificate, {new_digest}")
    else:
        _show(found, old, new, digests=(old_digest, new_digest))
    return int(arguments.exit_code and found.is_worse)


def _two(old: str, new: str | None, context: Context | None) -> tuple[str, str]:
    """The names of both: one name alone means what it names before."""
    if new is not None:
        return old, new
    if context is None and is_certificate(old):
        raise UsageError("two certificates are compared", found="one", hint="name another file")
    workspace = (context or Context.here()).workspace
    if not is_certificate(old) and "@" not in old and old in workspace.project().models:
        return earlier_certificate(workspace, old), f"certificate:{old}"
    find_certificate(old, workspace)  # says what is wrong with the name before it is compared
    model = old.removeprefix("certificate:").partition("@")[0]
    return old, f"certificate:{model if model in workspace.project().models else workspace.only_model()}"


def _policy_of(certificate: Certificate, context: Context | None) -> Policy | None:
    """The text of its policy, if Git's history or the store has it."""
    if context is None:
        return None
    digest, path = certificate.policy.digest, f"policies/{certificate.model}.yaml"
    kept = certificate.facts.get("policy")
    try:
        if kept is not None:
            return parse_policy(Store(context.workspace.store_dir).get_bytes(kept), where=kept)
        text = _text_in_history(context.workspace.git, path, digest)
        return None if text is None else parse_policy(text, where=path)
    except MintageError:  # a check that is gone, a blob that is not here: the certificates say the rest
        return None


def _text_in_history(git: Git, path: str, digest: str) -> bytes | None:
    texts = (git.show(commit.id, path) for commit in git.log(path))
    return next((text for text in texts if text is not None and sha256_bytes(text) == digest), None)


def _show(found: CertificateDiff, old: Certificate, new: Certificate, *, digests: tuple[str, str]) -> None:
    emit(f"{new.model}: {short(digests[0])} of {old.issued} to {short(digests[1])} of {new.issued}")
    emit(_summary(found, old, new))
    facts = [(change.what, _cut(change.old), "->", _cut(change.new)) for change in found.facts]
    _part("verdicts", [(item.requirement, item.old, "->", item.new, item.reason) for item in found.verdicts])
    _part("numbers", [_number(item) for item in found.numbers])
    _part("policy", [(item.kind, item.what, _arrow(item.old, item.new)) for item in found.policy])
    _part("data", [(item.what, item.old, "->", item.new) for item in found.data])
    _part("waivers", _lines(found.waivers))
    _part("findings", _lines(found.findings))
    _part("clauses", [(item.what, item.old, "->", item.new) for item in found.clauses])
    _part("of the whole", facts)


def _summary(found: CertificateDiff, old: Certificate, new: Certificate) -> str:
    turns = [item.turn for item in found.verdicts]
    looser = sum(change.kind in ("removed", "loosened") for change in found.policy)
    counted = [
        f"{plural(turns.count('worse'), 'verdict')} worse" if "worse" in turns else "",
        f"{plural(turns.count('better'), 'verdict')} better" if "better" in turns else "",
        f"the policy asks for less in {plural(looser, 'place')}" if looser else "",
        "the policy is another" if found.policy and not looser else "",
        "the same model" if old.root == new.root else "another model",
    ]
    verdicts = old.verdict if old.verdict == new.verdict else f"{old.verdict} -> {new.verdict}"
    return f"{verdicts}: {', '.join(part for part in counted if part)}"


def _part(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    if rows:
        emit(f"{title}:")
        emit(table(rows, indent="  "))


def _number(item: NumberChange) -> tuple[str, ...]:
    return (item.requirement, measured_words(item.old) or "none", "->", measured_words(item.new) or "none")


def _lines(items: tuple[Listed, ...]) -> list[tuple[str, ...]]:
    return [(item.turn, item.what, item.text) for item in items]


def _arrow(old: str, new: str) -> str:
    return f"{old} -> {new}" if old and new else old or new


def _cut(text: str) -> str:
    return short(text) if text.startswith("sha256:") else text
