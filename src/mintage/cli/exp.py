"""``mintage exp``: try variants beside the work tree, and keep each as a commit off the branches."""

from __future__ import annotations

import argparse
import importlib

from mintage.cli.console import count_of
from mintage.errors import UsageError

__all__ = ["configure", "run"]

_ACTIONS = {
    "run": ("exp_run", "run variants, each in a work tree of its own"),
    "list": ("exp_list", "show them, newest first"),
    "compare": ("exp_compare", "show how experiments, or a revision, differ in values, metrics and all else"),
    "promote": ("exp_promote", "make one a commit on the branch"),
    "push": ("exp_share", "send experiments and their data to the remotes"),
    "pull": ("exp_share", "bring them"),
    "gc": ("exp_gc", "delete old ones"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=tuple(_ACTIONS), help="; ".join(f"{name}: {what}" for name, (_, what) in _ACTIONS.items())
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="with run: stages to run, with what they need; else experiments"
    )
    _configure_run(parser.add_argument_group("with run"))
    other = parser.add_argument_group("with the others")
    other.add_argument("-n", "--limit", type=count_of, default=50, help="list: how many (default 50)")
    other.add_argument("--sort", metavar="METRIC", help="list: largest first by a metric")
    other.add_argument("--reverse", action="store_true", help="list: the other way round")
    other.add_argument("--html", metavar="FILE", help="compare: write a page with pictures (without names: of all)")
    other.add_argument("--to", default="origin", metavar="REMOTE", help="push and pull: the Git remote (origin)")
    other.add_argument("--keep", metavar="AGE", help="gc: keep what is younger, as in 30d")
    other.add_argument("--dry", action="store_true", help="gc: say what would go")


def _configure_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-S",
        "--set",
        action="append",
        default=[],
        metavar="PARAM=VALUES",
        help="what to try of a parameter, or of STAGE.OPTION under `args:`: values, as 2,4,8 or 2..8:2 (with a step), "
        "or a range to draw from, as 0.01..1 or 0.001..0.1:log",
    )
    group.add_argument("--random", type=count_of, metavar="N", help="draw N combinations instead of trying all")
    group.add_argument("--optuna", type=count_of, metavar="N", help="let Optuna choose N combinations")
    group.add_argument("--minimize", metavar="METRIC", help="what Optuna makes small")
    group.add_argument("--maximize", metavar="METRIC", help="what Optuna makes large")
    group.add_argument("--seed", type=int, default=0, metavar="S", help="of what is drawn (0)")
    group.add_argument(
        "-j", "--jobs", type=count_of, default=1, metavar="N", help="run up to N experiments at once (1)"
    )
    group.add_argument("--name", help="the experiment's name, or what the names of a sweep begin with")
    group.add_argument(
        "--continue", dest="go_on", action="store_true", help="run what an interrupted sweep did not come to"
    )


def run(arguments: argparse.Namespace) -> int:
    given = [
        option
        for option, value in (
            ("-S", arguments.set),
            ("--random", arguments.random),
            ("--optuna", arguments.optuna),
            ("--continue", arguments.go_on),
        )
        if value
    ]
    if arguments.what != "run" and given:
        raise UsageError(f"{given[0]} goes with `mintage exp run`", hint="see `mintage exp --help`")
    module = importlib.import_module(f"mintage.cli.{_ACTIONS[arguments.what][0]}")
    result: int = module.run(arguments)
    return result
