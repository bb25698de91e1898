"""``mintage parity MODEL``: does every runtime give the original's answers? A matrix, signed as evidence."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.cli.console import count_of, emit, emit_json, say, table
from mintage.cli.context import now
from mintage.cli.model_target import ModelTarget, find_model
from mintage.errors import RuntimeMissingError, UsageError
from mintage.model.matrix import Line, Rows, matrix_statement, measure
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.registry import known_runtimes
from mintage.record.digest import short
from mintage.repo.nearest import nearest_hint

if TYPE_CHECKING:
    from mintage.pipeline.extract import Extractor

__all__ = ["configure", "run"]

_ORIGINAL, _ORACLE = "original", "treelite"
_TIMED = 200


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model of mintage.yaml, or a model's folder")
    parser.add_argument(
        "--runtimes",
        metavar="NAME,...",
        help="only these, all of which must be installed: original, treelite, "
        + ", ".join(known_runtimes())
        + " (default: all that are here)",
    )
    parser.add_argument(
        "--rows",
        choices=("golden", "all"),
        default="golden",
        help="the golden vectors of the model, or all validation rows and as many edge rows (needs the project)",
    )
    parser.add_argument("--timed", metavar="N", type=count_of, default=_TIMED, help="predictions of one row to time")


def run(arguments: argparse.Namespace) -> int:
    target = find_model(arguments.model)
    names = _chosen(arguments.runtimes)
    measured = _Matrix(target, names, rows=arguments.rows, timed=arguments.timed, named=arguments.runtimes is not None)
    lines = measured.measure()
    evidence = _keep(target, measured, lines) if target.context is not None else None
    passed = all(line.status in ("equal", "missing") for line in lines) and any(
        line.status == "equal" for line in lines
    )
    if arguments.json:
        emit_json(
            {
                "model": target.package.signature.model,
                "root": target.package.root,
                "rows": len(measured.rows.values),
                "tolerance": measured.rows.tolerance,
                "equal": passed,
                "evidence": evidence,
                "runtimes": [msgspec.to_builtins(line) for line in lines],
            }
        )
        return 0 if passed else 1
    count = len(measured.rows.values)
    emit(f"{target.package.signature.model} {short(target.package.root)}, {count} {measured.what}")
    emit(
        table(
            [_shown(line) for line in lines],
            head=("runtime", "status", "error", "flips", "decisions", "p50", "p99", "version"),
        )
    )
    for line in lines:
        if line.note is not None:
            emit(f"  {line.runtime}: {line.note}")
    say(f"Signed as evidence {short(evidence)}" if evidence else "Not signed: a bare folder has no project that signs")
    return 0 if passed else 1


def _chosen(text: str | None) -> list[str]:
    every = [_ORIGINAL, *known_runtimes(), _ORACLE]
    if text is None:
        return every
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in every:
            raise UsageError(f"there is no runtime {name!r}", expected=", ".join(every), hint=nearest_hint(name, every))
    return names


@dataclass
class _Matrix:
    """What is measured of one model, and how."""

    target: ModelTarget
    names: list[str]
    rows: Any
    timed: int
    named: bool
    what: str = ""

    def measure(self) -> tuple[Line, ...]:
        """A line for each runtime; the original and the second opinion by the process that opens the estimator."""
        lines: dict[str, Line] = {}
        package, every = self.target.package, self.rows == "all"
        self._find_runtimes()
        with contextlib.ExitStack() as stack:
            workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mintage-parity-")))
            wanted = every or bool({_ORIGINAL, _ORACLE} & set(self.names))
            extract = stack.enter_context(_extractor(self.target)) if wanted else None
            self._choose_rows(extract, workdir, every=every)
            for line in self._ask_original(extract, workdir):
                lines[line.runtime] = line
                say(f"  {line.runtime:<10} {line.status}")
            runtimes = [runtime for name, runtime in known_runtimes().items() if name in self.names]
            for line in measure(
                package,
                self.rows,
                runtimes,
                workdir=workdir,
                timed=self.timed,
                on_line=lambda line: say(f"  {line.runtime:<10} {line.status}"),
            ):
                lines[line.runtime] = line
        return tuple(lines[name] for name in self.names if name in lines)

    def _choose_rows(self, extract: Extractor | None, workdir: Path, *, every: bool) -> None:
        golden = self.target.package.golden
        self.rows, self.what = Rows(golden.columns, golden.values, golden.labels, golden.tolerance), "golden vectors"
        if not every:
            return
        if self.target.context is None or extract is None:
            raise UsageError(
                "a bare folder has its golden vectors alone", expected="--rows golden", hint="run it in its project"
            )
        from mintage.pipeline.original import all_rows

        self.rows = all_rows(self.target.context.workspace, self.target.package, extract, workdir)
        self.what = "validation and edge rows"

    def _ask_original(self, extract: Extractor | None, workdir: Path) -> tuple[Line, ...]:
        wanted = [name for name in (_ORIGINAL, _ORACLE) if name in self.names]
        if extract is None:
            note = "it is asked in the model's project; a folder has its recorded answers"
            return tuple(Line(runtime=name, status="missing", note=note) for name in wanted)
        from mintage.pipeline.original import original_lines

        lines = original_lines(self.target.package, self.rows, extract, workdir, timed=min(self.timed, 50))
        return tuple(line for line in lines if line.runtime in wanted)

    def _find_runtimes(self) -> None:
        """A runtime that was asked for by name must be here."""
        for name, runtime in known_runtimes().items() if self.named else ():
            found = runtime.find() if name in self.names else None
            if isinstance(found, Missing):
                raise RuntimeMissingError(f"the runtime {name} is not here", found=found.what, hint=found.hint)


@contextlib.contextmanager
def _extractor(target: ModelTarget) -> Iterator[Extractor | None]:
    """The process that opens the original, if the project has it."""
    if target.context is None:
        yield None
        return
    from mintage.pipeline.original import open_original

    with open_original(target.context.workspace, target.package.signature.model) as extract:
        yield extract


def _keep(target: ModelTarget, matrix: _Matrix, lines: tuple[Line, ...]) -> str:
    """Sign the matrix, keep it in the store, and enter it in the audit log; returns its digest."""
    from mintage.attest.seal import seal
    from mintage.database.connection import transaction
    from mintage.pipeline.original import model_record
    from mintage.store.local import Store

    context, package = target.context, target.package
    assert context is not None
    context.open_audit_log()
    body = model_record(context.workspace, package.signature.model)
    parity = msgspec.json.decode(package.files["parity.json"], type=dict[str, Any])
    statement = matrix_statement(
        package,
        lines,
        rows=f"{len(matrix.rows.values)} {matrix.what}",
        tolerance=matrix.rows.tolerance,
        original=parity.get("original", {}),
        at=now(),
        facts={"run": str(body["run"]), "commit": str(body["commit"])},
    )
    digest = Store(context.workspace.store_dir).put_bytes(seal(statement, context.signer_for("certificate")))
    with transaction(context.connection):
        equal = [line.runtime for line in lines if line.status == "equal"]
        details = {"root": package.root, "evidence": digest, "equal": equal}
        context.record_access("parity.measure", package.signature.model, details)
    context.checkpoint()
    return digest


def _shown(line: Line) -> tuple[str, ...]:
    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    times = ("" if value is None else f"{value:,.1f} us" for value in (line.p50_us, line.p99_us))
    return (
        line.runtime,
        "not here" if line.status == "missing" else line.status,
        number(line.max_error, ".1e") if line.max_error else "0" if line.max_error == 0 else "",
        number(line.label_flips, "d"),
        number(line.decision_flips, "d"),
        *times,
        line.version or "",
    )
