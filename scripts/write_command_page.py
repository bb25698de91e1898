"""Print docs/commands.md from the parsers: `python scripts/write_command_page.py > docs/commands.md`."""

from __future__ import annotations

import argparse
import sys

from mintage.cli.main import COMMANDS, build_parser

HEAD = """# Commands

Each command works from any folder of a project. Data goes to stdout, talk to stderr. Every command takes `--help`, and
`--json`: the result, or the error, as JSON on stdout. Exit codes are in [errors.md](errors.md). After a kill or Ctrl-C,
running the command again goes on. This page is written by `scripts/write_command_page.py`.

`mintage --help` lists the ten commands that matter most, `mintage help --all` the rest; `mintage --version` prints the
version.
"""


def shown(action: argparse.Action) -> str:
    """An argument as a user types it, without the brackets of an optional one."""
    name = action.metavar if isinstance(action.metavar, str) else action.dest
    if action.choices is not None:
        name = "{" + ",".join(str(choice) for choice in action.choices) + "}"
    elif action.option_strings and action.metavar is None:
        name = action.dest.upper()
    if not action.option_strings:
        return f"{name}..." if action.nargs in ("+", "*") else name
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {name}"


def is_optional(action: argparse.Action) -> bool:
    return action.nargs in ("?", "*") if not action.option_strings else not action.required


def usage(command: str, actions: list[argparse.Action]) -> str:
    """One line: what must be there, what may be, and how often. Options come last."""
    ordered = sorted(actions, key=lambda action: bool(action.option_strings))
    words = [f"[{shown(action)}]" if is_optional(action) else shown(action) for action in ordered]
    return " ".join(["mintage", command, *words])


def meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    return text.replace("|", "\\|")


def section(command: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if not {"--help", "--json"} & set(action.option_strings)]
    lines = [f"## mintage {command}", "", f"{COMMANDS[command][1]}.", "", "```", usage(command, actions), "```", ""]
    if actions:
        lines += ["| argument | meaning |", "|---|---|"]
    for action in sorted(actions, key=lambda action: bool(action.option_strings)):
        short = [f"`{name}`" for name in action.option_strings[:-1]]
        name = ", ".join([*short, f"`{shown(action)}`"]).replace("|", "\\|")
        lines.append(f"| {name} | {meaning(parser, action)} |")
    return "\n".join(lines).rstrip() + "\n"


def page() -> str:
    """The whole page, in the order of `mintage help --all`."""
    choices = next(action for action in build_parser()._actions if action.dest == "command").choices
    assert isinstance(choices, dict)
    return "\n".join([HEAD, *(section(command, choices[command]) for command in COMMANDS)])


if __name__ == "__main__":
    sys.stdout.write(page())
