"""``mintage waiver propose MODEL REQUIREMENT``: lines that let a failed result stand; ``list MODEL``: what holds."""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta

import msgspec

from mintage.certify.certificate import Certificate
from mintage.certify.check import CheckResult
from mintage.certify.waive import Presented, why_not_approved
from mintage.certify.waiver import MAX_DAYS, parse_waivers, result_digest, waivers_path
from mintage.certify.waiver_facts import present_waivers
from mintage.cli.console import emit, emit_json, say, table
from mintage.cli.context import Context, now
from mintage.cli.new_file import show_change
from mintage.errors import FileMalformedError, RefusedError, UnknownNameError, UsageError
from mintage.release.current_certificate import current_certificate
from mintage.repo.locks import read_lock
from mintage.repo.nearest import nearest_hint
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("propose", "list"),
        help="propose: the lines to commit; list: which waivers hold now, and why not",
    )
    parser.add_argument("model", help="a model of mintage.yaml")
    parser.add_argument("requirement", nargs="?", help="with propose: a requirement whose last result is FAIL")
    parser.add_argument("--reason", default="", help="why the result may stand")
    parser.add_argument("--compensating", default="", help="what is done instead, meanwhile")
    parser.add_argument("--approver", default="", metavar="EMAIL", help="who will commit it: not the model's author")
    parser.add_argument(
        "--days", type=int, default=30, help=f"for how many days from today (default 30, at most {MAX_DAYS})"
    )
    parser.add_argument("--write", action="store_true", help="add the lines to policies/MODEL.waivers.yaml")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    context.workspace.model_entry(arguments.model)
    if arguments.what == "list":
        return _list(context, arguments.model, as_json=arguments.json)
    if arguments.requirement is None:
        raise UsageError("a waiver is of one requirement", hint="mintage waiver propose MODEL REQUIREMENT")
    if not 1 <= arguments.days <= MAX_DAYS:
        raise UsageError("not a length of a waiver", expected=f"1 to {MAX_DAYS} days", found=str(arguments.days))
    return _propose(context, arguments)


def _propose(context: Context, arguments: argparse.Namespace) -> int:
    model = arguments.model
    certificate, _, current = current_certificate(context.workspace, model)
    if not current:
        raise RefusedError(
            f"the certificate of {model} is of an earlier model", hint=f"certify this one: mintage certify {model}"
        )
    result = _failed(certificate, arguments.requirement)
    said = {
        "requirement": result.requirement,
        "result": result_digest(result),
        "reason": arguments.reason,
        "compensating": arguments.compensating,
        "approver": arguments.approver,
        "approved_commit": _commit_of(context, model),
        "expires": str(date.fromisoformat(now()[:10]) + timedelta(days=arguments.days)),
    }
    lines = _lines(said)
    path = waivers_path(model)
    if arguments.write:
        _write(context, model, lines, as_json=arguments.json)
    if arguments.json:
        emit_json({"path": path, "waiver": said, "written": arguments.write})
        return 0
    if not arguments.write:
        emit(lines.rstrip("\n"))
    say(f"{result.requirement} stays FAIL: {result.reason}")
    missing = [name for name in ("reason", "compensating", "approver") if not said[name]]
    if missing:
        say(f"Fill in {', '.join(missing)}.")
    say(f"It holds once the approver, not the model's author, has committed these lines in {path}; then certify again.")
    return 0


def _failed(certificate: Certificate, requirement: str) -> CheckResult:
    """The result to be waived; raises RefusedError where there is nothing to waive or no waiver can hold."""
    results = {item.requirement: item for item in (*certificate.results, *certificate.measured)}
    if requirement not in results:
        raise UnknownNameError(
            f"the certificate has no requirement {requirement!r}",
            expected=", ".join(results),
            hint=nearest_hint(requirement, results, otherwise=f"see `mintage policy check {certificate.model}`"),
        )
    result = results[requirement]
    if result.verdict != "FAIL" or result.severity != "must":
        raise RefusedError(
            f"there is nothing to waive in {requirement}",
            expected="must, FAIL",
            found=f"{result.severity}, {result.verdict}",
            hint="only what fails and blocks is waived",
        )
    if any(item.requirement == requirement for item in certificate.measured):
        raise RefusedError(
            f"{requirement} rests on wall times, which differ each time, so no waiver can be bound to them",
            hint="have the policy's owner change the limit or the severity",
        )
    return result


def _commit_of(context: Context, model: str) -> str:
    """The commit that the model was trained from."""
    workspace = context.workspace
    lock = read_lock(workspace.root, f"model:{model}")
    if lock is None or lock.record is None:
        raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
    return str(Store(workspace.store_dir).get_record(lock.record, kind="model").body["commit"])


def _lines(said: dict[str, str]) -> str:
    quoted = {"reason", "compensating", "approver"}
    parts = [f"{key}: {json.dumps(text, ensure_ascii=False) if key in quoted else text}" for key, text in said.items()]
    return "  - " + "\n    ".join(parts) + "\n"


def _write(context: Context, model: str, lines: str, *, as_json: bool) -> None:
    """Add the lines to the file; raises UsageError for what is not said, FileMalformedError where they do not fit."""
    path = waivers_path(model)
    file = context.workspace.root / path
    old = file.read_text(encoding="utf-8") if file.is_file() else ""
    new = (old.rstrip("\n") or f"model: {model}\nwaivers:") + "\n" + lines
    try:
        parse_waivers(new.encode(), model=model, where=path)
    except FileMalformedError as error:
        raise UsageError(
            f"the lines do not fit into {path}: {error.message}",
            expected=error.expected,
            found=error.found,
            where=error.where,
            hint="--write needs --reason, --compensating and --approver; `waivers:` is the last key of the file",
        ) from error
    publish_bytes(file, new.encode())
    if not as_json:
        show_change(path, old, new)


def _list(context: Context, model: str, *, as_json: bool) -> int:
    presented = present_waivers(context.workspace, model, evidence_commit=_commit_of(context, model), now=now())
    states = [_state(context, model, item) for item in presented]
    if as_json:
        pairs = zip(presented, states, strict=True)
        emit_json([{"waiver": msgspec.to_builtins(item.waiver), "state": state} for item, state in pairs])
        return 0
    if not presented:
        emit(f"there are no waivers of {model}")
        return 0
    rows = [
        (item.waiver.requirement, str(item.waiver.expires), item.waiver.approver, state)
        for item, state in zip(presented, states, strict=True)
    ]
    emit(table(rows, head=("requirement", "until", "approver", "state")))
    return 0


def _state(context: Context, model: str, item: Presented) -> str:
    """Whether a waiver holds, as far as can be told without judging the model again."""
    reason = why_not_approved(item)
    if reason is not None:
        return f"does not hold: {reason}"
    try:
        certificate, _, current = current_certificate(context.workspace, model)
    except RefusedError:
        return "approved; not certified yet"
    if current and any(waiver.result == item.waiver.result for waiver in certificate.waivers):
        return "holds; the certificate rests on it"
    return f"approved; `mintage certify {model}` tells whether the result is still that one"
