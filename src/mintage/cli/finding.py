"""``mintage finding add|list|close MODEL``: rows that people recorded, with the answer expected of every model."""

from __future__ import annotations

import argparse
import json

import msgspec

from mintage.certify.ask_findings import ask_findings, ask_row
from mintage.certify.expectation import Expectation, parse_expectation
from mintage.certify.finding import closing_line, finding_line, findings_path, parse_findings, read_findings
from mintage.cli.console import emit, emit_json, say, table
from mintage.cli.context import Context, now
from mintage.cli.predict_built import input_value
from mintage.errors import FileMalformedError, UnknownNameError, UsageError
from mintage.model.loaded import open_built
from mintage.model.runtime import Predictor
from mintage.model.signature import Signature
from mintage.repo.nearest import nearest_hint
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("add", "list", "close"),
        help="add: record a row; list: what the model says to each; close: say that one is mended",
    )
    parser.add_argument("model", help="a model of mintage.yaml")
    parser.add_argument("finding", nargs="?", help="with close: the id that `list` shows")
    parser.add_argument(
        "--row", nargs="+", metavar="NAME=VALUE", help="with add: each input; an empty VALUE is missing"
    )
    parser.add_argument(
        "--expect", help="with add: label=NAME, label!=NAME, 'probability(NAME)<=0.3', 'value>=10' or refused"
    )
    parser.add_argument("--about", default="", help="with add: what is wrong, in a sentence")
    parser.add_argument("--author", metavar="EMAIL", help="who found it, or closes it (default: as Git knows you)")
    parser.add_argument("--why", help="with close: what was done")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    context.workspace.model_entry(arguments.model)
    if arguments.what == "list":
        return _list(context, arguments.model, as_json=arguments.json)
    author = arguments.author or context.workspace.git.author()
    if author is None:
        raise UsageError("nobody is named as the author", expected="--author EMAIL", hint="or tell Git who you are")
    if arguments.what == "add":
        return _add(context, arguments, author)
    return _close(context, arguments, author)


def _add(context: Context, arguments: argparse.Namespace, author: str) -> int:
    if not arguments.row or not arguments.expect:
        raise UsageError("a finding is a row and what is expected of it", expected="--row NAME=VALUE ... and --expect")
    predictor = open_built(context.workspace, arguments.model).predictor()
    row = _row(arguments.row, predictor.signature)
    expected = _expectation(arguments.expect, predictor.signature)
    answer = ask_row(row, predictor)
    line = finding_line(row=row, expect=arguments.expect.strip(), author=author, at=now(), about=arguments.about)
    _append(context, arguments.model, line)
    name, met = json.loads(line)["finding"], expected.met_by(answer)
    if arguments.json:
        emit_json({"finding": name, "path": findings_path(arguments.model), "met": met, "answer": str(answer)})
        return 0
    emit(f"{name}: expects {arguments.expect.strip()}; the model says {answer}: {_state(met=met)}")
    say(f"Commit {findings_path(arguments.model)}: from then on `mintage certify` checks it in every model, for ever.")
    if not met:
        say("Until a model answers as expected, or a waiver lets it stand, no certificate passes.")
    return 0


def _row(words: list[str], signature: Signature) -> dict[str, float | int | str | None]:
    """The row that the words say; raises UsageError unless it has each input once."""
    inputs = {item.name: item for item in signature.inputs}
    row: dict[str, float | int | str | None] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or name not in inputs or name in row:
            raise UsageError(
                f"not an input of the model, or given twice: {word!r}",
                expected=", ".join(f"{each}=VALUE" for each in inputs),
                hint=nearest_hint(name, inputs),
            )
        row[name] = input_value(inputs[name], text)
    absent = [name for name in inputs if name not in row]
    if absent:
        raise UsageError(f"the row has no {', '.join(absent)}", hint="an input that is missing is NAME= with nothing")
    return row


def _expectation(text: str, signature: Signature) -> Expectation:
    """What is expected; raises UsageError for what no model of this kind can answer."""
    classes = [str(each) for each in signature.classes]
    try:
        expected = parse_expectation(text)
    except ValueError as error:
        raise UsageError("not an expectation", expected=str(error).removeprefix("write "), found=text) from None
    if expected.kind != "refused" and (expected.kind == "value") != (signature.task == "regression"):
        raise UsageError(f"a {signature.task} model answers no {expected.kind}", found=text)
    if expected.name is not None and expected.name not in classes:
        raise UsageError(
            f"the model has no class {expected.name!r}",
            expected=", ".join(classes),
            hint=nearest_hint(expected.name, classes),
        )
    if expected.kind == "probability" and expected.name is None and len(classes) != 2:
        raise UsageError("of which class", expected="probability(NAME)", found=text)
    return expected


def _append(context: Context, model: str, line: str) -> None:
    """Add one line, once all of the file with it is well formed; the file appears whole."""
    _, data = read_findings(context.workspace.git, model)
    text = data.decode()
    new = (text if not text or text.endswith("\n") else f"{text}\n") + line
    path = findings_path(model)
    try:
        parse_findings(new.encode(), where=path)
    except FileMalformedError as error:
        raise UsageError(
            "the finding cannot be added",
            found=error.found,
            where=error.where,
            hint=f"see `mintage finding list {model}`",
        ) from error
    publish_bytes(context.workspace.root / path, new.encode())


def _close(context: Context, arguments: argparse.Namespace, author: str) -> int:
    if not arguments.finding or not (arguments.why or "").strip():
        raise UsageError("closing says which finding, and why", expected="mintage finding close MODEL ID --why TEXT")
    findings, _ = read_findings(context.workspace.git, arguments.model)
    still_open = [item.finding for item in findings if item.is_open]
    if arguments.finding not in still_open:
        raise UnknownNameError(
            f"there is no open finding {arguments.finding!r}",
            expected=", ".join(still_open) or "none",
            hint=nearest_hint(arguments.finding, still_open, otherwise=f"see `mintage finding list {arguments.model}`"),
        )
    _append(context, arguments.model, closing_line(finding=arguments.finding, by=author, at=now(), why=arguments.why))
    if arguments.json:
        emit_json({"finding": arguments.finding, "closed": True})
        return 0
    emit(f"{arguments.finding} is closed; its row is still checked in every model")
    return 0


def _list(context: Context, model: str, *, as_json: bool) -> int:
    findings, _ = read_findings(context.workspace.git, model)
    predictor: Predictor = open_built(context.workspace, model).predictor()
    answered = ask_findings(findings, predictor)
    if as_json:
        pairs = zip(findings, answered, strict=True)
        emit_json([msgspec.to_builtins(found) | {"answer": said.answer, "met": said.met} for found, said in pairs])
        return 0
    if not findings:
        emit(f"nobody has recorded a finding of {model}")
        return 0
    rows = [
        (item.finding, "open" if item.is_open else "closed", _state(met=item.met), item.expect, item.answer, item.about)
        for item in answered
    ]
    emit(table(rows, head=("finding", "", "", "expected", "the model says", "about")))
    return 0


def _state(*, met: bool) -> str:
    return "as expected" if met else "NOT as expected"
