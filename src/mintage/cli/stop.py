"""``mintage stop ENVIRONMENT``: end the serving process; predictions that were answered stay in the log."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.database.connection import transaction
from mintage.release.reconcile import environment_dir
from mintage.serve.control import stop_gateway

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", help="an environment, such as production")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    envdir = environment_dir(context.workspace, arguments.environment)
    context.open_audit_log()
    with context.workspace.lock(f"environment-{arguments.environment}"):
        stopped = stop_gateway(envdir)
    if stopped:
        with transaction(context.connection):
            context.record_access("release.stop", arguments.environment, {})
    if arguments.json:
        emit_json({"environment": arguments.environment, "stopped": stopped})
    else:
        emit(f"{arguments.environment}: {'stopped' if stopped else 'was not running'}")
    return 0
