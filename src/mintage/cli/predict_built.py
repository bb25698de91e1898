"""Predict with a model as the lock has it, past any release: a file, a stream or one row.

The answers go to stdout or to a file that appears whole; talk goes to stderr. The access is entered in the audit log,
the predictions are in no prediction log: they are not traffic.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mintage.cli.console import emit, emit_json, plural, progress, say, table
from mintage.cli.model_target import ModelTarget, find_model
from mintage.cli.predict_words import Asked
from mintage.cli.standing import environments_of, proof_of, standing_of
from mintage.database.connection import transaction
from mintage.errors import DataError, FileMissingError, InputMissingError, InputTypeError, UsageError
from mintage.model.signature import Input, Signature
from mintage.record.digest import short
from mintage.serve.plainrow import columns_of_rows, plain_answers, unusual_of_rows
from mintage.serve.routes import Served, prove
from mintage.serve.rowfile import kind_of, open_rows
from mintage.serve.rowwriter import kind_to_write, published, row_writer
from mintage.serve.score import Scored, added_fields, check_columns, scored_schema, scored_tables
from mintage.serve.unusual import usual

__all__ = ["input_value", "predict_built"]


def predict_built(asked: Asked, *, trust: Path | None, as_json: bool) -> int:
    """Answer what was asked; returns the exit code."""
    target = find_model(asked.model, trust=trust)
    if asked.source is not None and not asked.source.is_file():
        raise FileMissingError(
            f"{asked.source} is not there", expected="a file of rows", where=str(asked.source.absolute())
        )
    served = prove(target.package)
    _say_who_answers(target)
    if asked.row is not None:
        _predict_row(served, asked.row, as_json=as_json)
        _enter(target, rows=1, source="the command line")
        return 0
    done = _predict_rows(served, asked, as_json=as_json)
    _enter(target, rows=done.rows, source=asked.source.name if asked.source else "stdin")
    for name, (count, first) in done.unusual.items():
        item = next(item for item in served.signature.inputs if item.name == name)
        say(f"{name}: {plural(count, 'unusual value')}, the first in row {first}; usually {usual(item)}")
    where = str(asked.output or "stdout")
    if as_json:
        unusual = {name: {"values": count, "first_row": first} for name, (count, first) in done.unusual.items()}
        emit_json({"rows": done.rows, "root": served.root, "output": where, "unusual": unusual})
    else:
        say(f"{plural(done.rows, 'row')} scored into {where}")
    return 0


def _say_who_answers(target: ModelTarget) -> None:
    package = target.package
    name = f"{package.signature.model} {short(package.root)}"
    if package.key_id is None:
        say(f"warning: {name}: only digests were checked, which shows accidents but not attacks; give --trust")
        return
    standing = standing_of(target)
    verdict = f"certified {standing.verdict}" if standing.verdict else "not certified"
    released = environments_of(target.context, package.signature.model) if target.context is not None else []
    beside = f"; the release in {', '.join(released)} is not asked" if released else ""
    say(f"{name}: {proof_of(package)}, {verdict}{beside}")


def _predict_rows(served: Served, asked: Asked, *, as_json: bool) -> Scored:
    signature, done = served.signature, Scored()
    if asked.output is None and as_json:
        raise UsageError("with --json the answers need a file", expected="[MODEL] ROWS OUT", hint="name one as OUT")
    if asked.output is not None and asked.source is not None and asked.output.resolve() == asked.source.resolve():
        raise UsageError("the output is the input", where=str(asked.source), hint="write to another file")
    kind = "csv" if asked.output is None else kind_to_write(asked.output)
    with _source(asked.source) as (path, source_kind), contextlib.ExitStack() as opened:
        where = str(asked.source or "stdin")
        is_text = kind in ("csv", "tsv")
        schema, chunks = open_rows(path, signature, kind=source_kind, where=where, is_verbatim=is_text)
        added = [name for name, _ in added_fields(served)]
        check_columns(schema.names, signature, added=added, needs_id=False, where=where)
        written = scored_schema(schema, served)
        sink = opened.enter_context(_whole_stdout() if asked.output is None else published(asked.output))
        moved = opened.enter_context(progress("scoring", None))
        with row_writer(sink, kind, written) as write:
            for part in scored_tables(chunks, served, written, where=where, done=done):
                write(part)
                moved(done.rows)
    return done


@contextlib.contextmanager
def _whole_stdout() -> Iterator[Path]:
    """A file to write to, which goes to stdout when the block ends well: who reads there gets all rows or none."""
    with tempfile.NamedTemporaryFile(prefix="mintage-rows-") as file:
        yield Path(file.name)
        sys.stdout.flush()
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextlib.contextmanager
def _source(path: Path | None) -> Iterator[tuple[Path, str | None]]:
    """The file to read; stdin is put into a file first, because its columns are looked at before its rows."""
    if path is not None:
        yield path, kind_of(path.name)
        return
    with tempfile.NamedTemporaryFile(prefix="mintage-rows-", suffix=".csv") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name), "csv"


def _predict_row(served: Served, row: Mapping[str, str], *, as_json: bool) -> None:
    signature = served.signature
    values = {item.name: input_value(item, row[item.name]) for item in signature.inputs if item.name in row}
    try:
        columns = columns_of_rows([{**row, **values}], signature)
        prediction = served.predict(columns)
    except DataError as error:
        error.where = None  # there is one row only
        if isinstance(error, InputMissingError):
            error.hint = "give each input as NAME=VALUE; an empty VALUE is missing"
        raise
    tensors, _, _ = served.outputs.give(prediction, 1)
    (answer,) = plain_answers(tensors, served.outputs.declared, signature, 1)
    (unusual,) = unusual_of_rows(prediction.flags, columns, signature, 1)
    for name, expected in unusual.items():
        say(f"{name}={row[name]} is unusual: usually {expected}")
    if as_json:
        emit_json({"model": signature.model, "version": served.root, **answer, "unusual": unusual})
    else:
        emit(table(_lines(answer, signature)))


def input_value(item: Input, text: str) -> Any:
    """A word as the model takes it; what is no number is refused by its name."""
    if not text:
        return None
    if item.datatype == "BYTES":
        return text
    try:
        return float(text)
    except ValueError:
        raise InputTypeError(
            f"input {item.name!r} is not a number", expected=f"{item.name}=NUMBER, or {item.name}=", found=repr(text)
        ) from None


def _lines(answer: Mapping[str, Any], signature: Signature) -> list[tuple[str, str]]:
    """An answer for people: the class first, probabilities with three digits, other numbers with six."""
    lines: list[tuple[str, str]] = []
    if signature.is_scored:
        lines.append((str(signature.target), str(answer["class"])))
        lines.append((f"probability of {signature.two_classes[1]}", f"{answer['score']:.3g}"))
        lines.append(("threshold", f"{signature.threshold:g}"))
        return lines
    for name, value in answer.items():
        digits = 3 if name.startswith("probabilities") else 6
        if isinstance(value, Mapping):
            lines += [(f"{name}.{tail}", _shown(part, digits)) for tail, part in value.items()]
        else:
            lines.append((str(signature.target) if name == "value" else name, _shown(value, digits)))
    return lines


def _shown(value: Any, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _enter(target: ModelTarget, *, rows: int, source: str) -> None:
    """Enter the access in the project's audit log."""
    if target.context is None:
        return
    target.context.open_audit_log()
    with transaction(target.context.connection):
        details = {"rows": rows, "input": source, "models": [target.package.root]}
        target.context.record_access("model.predict", target.package.signature.model, details)
    target.context.close()
