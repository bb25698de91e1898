"""``mintage log``: runs with their metrics, and releases, newest first."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mintage.cli.console import count_of, emit, emit_json, say, table
from mintage.cli.context import Context
from mintage.release.history import history, manifests_at

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--limit", type=count_of, default=20, help="how many runs (default 20)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    git = context.workspace.git
    runs = context.runs.list_runs(limit=arguments.limit)
    metrics = {row.id: context.runs.metrics_of(row.id) for row in runs}
    changes = []
    if git.head() is not None:
        for manifest in manifests_at(git, "HEAD"):
            changes += history(git, manifest.environment, manifest.model)
    if arguments.json:
        emit_json(
            {
                "runs": [{**asdict(row), "metrics": metrics[row.id]} for row in runs],
                "releases": [
                    {
                        "commit": change.commit.id,
                        "when": change.commit.when,
                        "kind": change.kind,
                        "model": change.after.champion.root if change.after else None,
                        "why": change.after.why if change.after else change.commit.subject,
                    }
                    for change in changes
                ],
            }
        )
        return 0
    if not runs and not changes:
        say("No runs and no releases yet: start with `mintage run`.")
        return 0
    rows = [(row.id, row.status, row.commit_id[:10], row.started, _short(metrics[row.id])) for row in runs]
    if rows:
        emit(table(rows, head=("run", "status", "commit", "started", "metrics")))
    if changes:
        emit()
        emit(
            table(
                [
                    (c.commit.id[:10], c.commit.when[:19], c.kind, c.after.why if c.after else c.commit.subject)
                    for c in changes
                ],
                head=("release", "when", "what", "why"),
            )
        )
    return 0


def _short(metrics: dict[str, float]) -> str:
    wanted = [key for key in metrics if key.endswith(("auc", "loss", "rmse", "accuracy"))] or list(metrics)
    return "  ".join(f"{key}={metrics[key]:.4g}" for key in wanted[:4])
