"""``mintage rollback ENVIRONMENT/MODEL``: revert the last release by a revert commit; reconcile makes it so."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.database.connection import transaction
from mintage.errors import ReleaseRefusedError, UsageError
from mintage.record.digest import short
from mintage.release.history import history
from mintage.release.reconcile import environment_dir

__all__ = ["configure", "run", "split_target"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="ENVIRONMENT/MODEL", help="such as production/late")


def split_target(text: str) -> tuple[str, str]:
    """``environment/model`` in two; raises UsageError."""
    environment, slash, model = text.partition("/")
    if not (environment and slash and model) or "/" in model:
        raise UsageError("not a release", expected="ENVIRONMENT/MODEL, such as production/late", found=repr(text))
    return environment, model


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    environment, model = split_target(arguments.target)
    environment_dir(context.workspace, environment)
    context.open_audit_log()
    with context.workspace.lock("release"):
        releases = history(context.workspace.git, environment, model)
        if not releases:
            context.workspace.model_entry(model)
        if not releases or releases[0].before is None:
            raise ReleaseRefusedError(
                f"there is nothing before the current release of {arguments.target}",
                expected="at least two releases",
                found=str(len(releases)),
                hint="delete the manifest and commit to take the model out of service"
                if releases
                else "see `mintage log`",
            )
        last = releases[0]
        commit = context.workspace.git.revert(last.commit.id)
        with transaction(context.connection):
            context.record_access("release.rollback", arguments.target, {"reverts": last.commit.id, "commit": commit})
    assert last.before is not None
    root = last.before.champion.root
    if arguments.json:
        emit_json({"reverts": last.commit.id, "commit": commit, "champion": root})
    else:
        emit(f"{arguments.target}: {commit[:10]} reverts {last.commit.id[:10]}; the champion is {short(root)} again")
        say(f"Make it so with `mintage reconcile {environment}`.")
    return 0
