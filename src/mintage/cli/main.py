"""``mintage``: find the command, import only its file, map errors to exit codes.

Exit codes: 0 done; 1 the answer is no (a failed certificate, a decision to retrain with ``--exit-code``, something
stale with ``status --exit-code``); 2 wrong usage; 3 the project, its files or data are wrong; 4 something does not
verify; 5 a tool or an extra is missing; 6 user code or a started process failed; 7 busy, try again; 130
interrupted. `reproduce` says the level that it reached by 10 and 11 beside 0 and 1.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from mintage import __version__
from mintage.errors import (
    BusyError,
    DataError,
    IntegrityError,
    MintageError,
    MissingToolError,
    ProjectError,
    RefusedError,
    RunError,
    SystemRefusedError,
    UsageError,
)

__all__ = ["COMMANDS", "EXIT_CODES", "build_parser", "main"]

# name: (module, first help line, among the ten that `--help` shows)
COMMANDS: dict[str, tuple[str, str, bool]] = {
    "init": ("init", "Make this folder a project", True),
    "add": ("add", "Version a data file or folder by content", True),
    "run": ("run", "Run what is not up to date", True),
    "status": ("status", "Show what is out of date, at once", True),
    "why": ("why", "Explain why a stage would run", True),
    "certify": ("certify", "Judge a model against its policy and sign the certificate", True),
    "release": ("release", "Write and commit which model an environment runs", True),
    "predict": ("predict", "Score a file, a table or one row with a model, released or not", True),
    "monitor": ("monitor", "Compare traffic with the model's profile and decide", True),
    "verify": ("verify", "Check every digest and signature behind a model, an endpoint or a certificate", True),
    "attest": ("attest", "Sign what no command can decide, with its document", False),
    "audit": ("audit", "Show or verify the audit log", False),
    "bisect": ("bisect", "Find the commit or data version since which a metric is bad", False),
    "checkout": ("checkout", "Bring versioned data back as the locks say", False),
    "demo": ("demo", "Show the whole loop on real flights in a new folder", False),
    "diff": ("diff", "Compare two certificates: verdicts, numbers, policy, data", False),
    "exp": ("exp", "Try variants beside the work tree, compare them, and take the best", False),
    "explain-change": ("explain_change", "Attribute a metric's change to code, data, parameters, environment", False),
    "export": ("export", "Write what a developer on another platform needs of a model", False),
    "finding": ("finding", "Record a row and the answer expected of it, to be checked for ever", False),
    "graph": ("graph", "Show the pipeline as text, Mermaid, DOT or a page", False),
    "holdout": ("holdout", "Seal a hold-out's labels to a second person, and open them by a budget", False),
    "import": ("import_project", "Take a DVC project with its history into Mintage, in place", False),
    "labels": ("labels", "Add the true outcomes of predictions", False),
    "log": ("log", "List runs and releases, newest first", False),
    "logs": ("logs", "Show what a stage printed, also while it runs", False),
    "notebook": ("notebook", "Show the executed notebook of a stage's last run", False),
    "parity": ("parity", "Compare every runtime's answers with the original's, and sign the matrix", False),
    "policy": ("policy", "Check a policy file, or write a first one to edit", False),
    "pull": ("pull", "Bring data and results from the project's remote, verified", False),
    "push": ("push", "Copy data and results to the project's remote, verified", False),
    "python": ("python", "List, build or freeze the environments that stages take from locks", False),
    "reconcile": ("reconcile", "Bring the serving process to what the manifests say", False),
    "report": ("report", "Write the page of the project's story, or a certificate for other tools", False),
    "reproduce": ("reproduce", "Rebuild what a commit recorded in an empty place, and compare", False),
    "retrain": ("retrain", "Start the run that a decision asks for, on a new branch", False),
    "rollback": ("rollback", "Revert the last release of a model in an environment", False),
    "schedule": ("schedule", "Show when stages run by themselves, or render that for a scheduler", False),
    "schema": ("schema", "Print the JSON Schema of mintage.yaml", False),
    "serve": ("serve", "Serve a model over HTTP at once, with a page to try it", False),
    "shell": ("shell", "Open a shell in a stage's own folder and environment", False),
    "show": ("show", "Show a model, a certificate, the last decision, or any record by its digest", False),
    "stop": ("stop", "Stop the serving process of an environment", False),
    "waiver": ("waiver", "Propose that a failed result stands for a time, or list what is waived", False),
    "worker": ("worker", "Run one stage by its action's digest and the remote alone", False),
}

_OPTIONS = frozenset(["-h", "--help", "--version", "--all", "--json", "help"])

EXIT_CODES: dict[type[MintageError], int] = {
    RefusedError: 1,
    UsageError: 2,
    ProjectError: 3,
    DataError: 3,
    IntegrityError: 4,
    MissingToolError: 5,
    RunError: 6,
    BusyError: 7,
}


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse makes one for each argument, and each would import all of ``shutil`` to learn how wide a terminal is."""
    return argparse.HelpFormatter(prog, width=_columns())


def _columns() -> int:
    """The width of help, as argparse has it: two less than the terminal's."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns) - 2
    try:
        return (os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else -1).columns or 80) - 2
    except (ValueError, OSError):  # no terminal
        return 78


class _Parser(argparse.ArgumentParser):
    """argparse with our errors: what was wrong, and where help is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_formatter, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see `{self.prog} --help`")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Never shows a traceback for a user's mistake."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    if argv is None:  # the process ends with the command, and what is imported stays as long: it is no garbage
        gc.disable()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except MintageError as error:
        _show_error(error, as_json=as_json)
        return exit_code(error)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; nothing is lost: run the command again to go on\n")
        return 130
    except BrokenPipeError:
        # The reader went away (`mintage log | head`): not an error. Python would complain again while it exits.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        refused = _refused(error)
        _show_error(refused, as_json=as_json)
        return exit_code(refused)
    return code


def _refused(error: OSError) -> SystemRefusedError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SystemRefusedError(
            "the disk is full",
            found=error.strerror,
            where=str(error.filename) if error.filename is not None else None,
            hint="free some space and run it again: nothing that was done is lost",
        )
    return SystemRefusedError(
        "the operating system refused to read or write",
        found=error.strerror or str(error),
        where=str(error.filename) if error.filename is not None else None,
        hint="check that the path is right, that you may use it, and that the disk is not full; then run it again",
    )


def exit_code(error: MintageError) -> int:
    """The exit code of an error, by the nearest of its classes in the table."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser with all commands, or only one of them (so that the others' files are not imported)."""
    parser = _Parser(prog="mintage", description="Carry a model from a commit to production and back.", add_help=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("-h", "--help", action="store_true", help="print this help")
    # Told its name, argparse need not format a usage to know it.
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser, prog="mintage")
    for name, (module, summary, _) in COMMANDS.items():
        if only in (None, name):
            command = commands.add_parser(name, help=summary, description=summary)
            importlib.import_module(f"mintage.cli.{module}").configure(command)
            command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _dispatch(words: list[str]) -> int:
    name = next((word for word in words if not word.startswith("-")), None)
    if name is None or name == "help":
        unknown = [word for word in words if word not in _OPTIONS]
        if unknown:
            raise UsageError(f"there is no option {unknown[0]}", hint="see `mintage --help`")
        if "--version" in words:
            sys.stdout.write(f"mintage {__version__}\n")
            return 0
        sys.stdout.write(_overview(everything="--all" in words))
        return 0 if {"-h", "--help", "help"} & set(words) else 2
    if name not in COMMANDS:
        from mintage.repo.nearest import nearest_hint

        raise UsageError(
            f"there is no command {name!r}", hint=nearest_hint(name, COMMANDS, otherwise="see `mintage help --all`")
        )
    parser = build_parser(only=name)
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    arguments, rest = parser.parse_known_args(words)
    if rest:
        raise UsageError(f"`mintage {name}` does not take {' '.join(rest)}", hint=f"see `mintage {name} --help`")
    result: int = importlib.import_module(f"mintage.cli.{COMMANDS[name][0]}").run(arguments)
    return result


def _overview(*, everything: bool) -> str:
    lines = ["usage: mintage COMMAND [options]", "", "Carry a model from a commit to production and back.", ""]
    shown = {name: summary for name, (_, summary, matters) in COMMANDS.items() if matters or everything}
    width = max(map(len, shown)) if everything else 10
    lines += [f"  {name:<{width}} {summary}" for name, summary in shown.items()]
    lines += [
        "",
        "`mintage COMMAND --help` tells more" + ("" if everything else "; `mintage help --all` lists all") + ".",
    ]
    return "\n".join(lines) + "\n"


def _show_error(error: MintageError, *, as_json: bool) -> None:
    if as_json:
        import json

        sys.stdout.write(json.dumps({"error": error.as_dict()}, indent=2) + "\n")
        return
    lines = [f"error[{error.code}]: {error.message}"]
    detail = ", ".join(
        f"{name} {value}" for name, value in (("expected", error.expected), ("found", error.found)) if value
    )
    if detail:
        lines.append(f"  {detail}")
    if error.where:
        lines.append(f"  at {error.where}")
    if error.hint:
        lines.append(f"hint: {error.hint}")
    sys.stdout.flush()
    sys.stderr.write("\n".join(lines) + "\n")
