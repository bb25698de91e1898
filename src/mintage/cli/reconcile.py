"""``mintage reconcile ENVIRONMENT``: bring the serving process to what the committed manifests say."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context, now
from mintage.database.connection import transaction
from mintage.record.digest import short
from mintage.release.manifest import Manifest
from mintage.release.reconcile import environment_dir, reconcile

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", help="an environment, such as production")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    environment = arguments.environment
    environment_dir(context.workspace, environment)
    context.open_audit_log()

    def refused(manifest: Manifest, root: str, reason: str) -> None:
        with transaction(context.connection):
            context.record_access(
                "release.admit",
                f"{environment}/{manifest.model}",
                {"root": root, "reason": reason},
                decision="deny",
                rule="admission",
            )

    with context.workspace.lock(f"environment-{environment}"):
        done = reconcile(
            context.workspace,
            environment,
            trust=context.trust,
            now=now(),
            on_action=lambda text: say(f"  {text}"),
            on_refusal=refused,
        )
    models = done.state.models if done.state else {}
    if done.actions:
        with transaction(context.connection):
            context.record_access(
                "release.reconcile",
                environment,
                {"commit": done.revision, "models": {name: live.champion for name, live in models.items()}},
            )
    if arguments.json:
        emit_json(
            {
                "environment": environment,
                "url": done.state.url if done.state else None,
                "commit": done.revision,
                "changed": bool(done.actions),
                "models": {
                    name: {"champion": live.champion, "challenger": live.challenger, "share": live.share}
                    for name, live in models.items()
                },
            }
        )
        return 0
    if done.state is None:
        emit(f"{environment}: nothing is to run")
        return 0
    emit(f"{environment}: {'now' if done.actions else 'already'} as the manifests say, at {done.state.url}")
    for name, live in models.items():
        rival = f", challenger {short(live.challenger)} gets {live.share:.0%}" if live.challenger else ""
        emit(f"  {name}: {short(live.champion)}{rival}")
    return 0
