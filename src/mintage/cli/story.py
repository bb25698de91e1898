"""Fill the story page of a project from Git, the store, the database and the prediction logs."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

from mintage.cli.context import Context, now
from mintage.cli.model_story import tell_model
from mintage.errors import MintageError
from mintage.record.digest import short
from mintage.release.history import manifests_at
from mintage.repo.locks import read_locks
from mintage.report import story as view
from mintage.tracking.runs import RunRow

__all__ = ["tell_story"]


def tell_story(context: Context, *, beside: Path) -> view.Story:
    """The whole story; ``beside`` is the folder of the page, for links to certificate pages."""
    workspace = context.workspace
    git = workspace.git
    head = git.head()
    manifests = manifests_at(git, head) if head else []
    released = {manifest.model: manifest.environment for manifest in manifests}
    models = tuple(
        tell_model(context, model, environment=released.get(model), beside=beside)
        for model in workspace.project().models
    )
    runs = tuple(_run(context, row) for row in context.runs.list_runs(limit=100))
    return view.Story(
        project=workspace.project().project,
        commit=head,
        branch=git.branch(),
        events=_events(context, runs, models),
        runs=runs,
        models=models,
        audit=_audit(context),
        written_at=now(),
    )


def _run(context: Context, row: RunRow) -> view.Run:
    statuses = {"finished": "finished", "failed": "failed", "running": "running"}
    seconds = None
    if row.finished is not None:
        begun, ended = (datetime.datetime.fromisoformat(text) for text in (row.started, row.finished))
        seconds = (ended - begun).total_seconds()
    metrics = {key: value for key, value in context.runs.metrics_of(row.id).items() if math.isfinite(value)}
    shown = {key: value for key, value in metrics.items() if key.rsplit(".", 1)[-1] in _SHOWN} or metrics
    return view.Run(
        id=row.id,
        name=row.name,
        status=statuses.get(row.status, "stopped"),  # type: ignore[arg-type]  # the four of the view
        started=row.started,
        seconds=seconds,
        commit=row.commit_id,
        record=row.record,
        metrics=dict(list(shown.items())[:6]),
    )


_SHOWN = ("auc", "log_loss", "accuracy", "rmse", "loss", "rows")


def _events(
    context: Context, runs: tuple[view.Run, ...], models: tuple[view.ModelStory, ...]
) -> tuple[view.Event, ...]:
    """What happened, in the order of the loop."""
    git = context.workspace.git
    events = []
    commits = git.log()
    if commits:
        first = commits[-1]
        events.append(view.Event(word="commit", title=first.subject, at=first.when, digest=first.id))
    locks = read_locks(context.workspace.root)
    for lock in locks.values():
        if lock.what == "data":
            item = lock.outputs[0]
            events.append(view.Event(word="data", title=item.path, detail=f"{item.size:,} bytes", digest=item.digest))
    for run in reversed(runs):
        tone = "good" if run.status == "finished" else "bad"
        events.append(
            view.Event(word="run", title=run.id, at=run.started, detail=run.status, digest=run.record, tone=tone)  # type: ignore[arg-type]  # two of the view's tones
        )
    for lock in locks.values():
        if lock.what == "model" and lock.root is not None:
            title = f"{lock.name.removeprefix('model:')} {short(lock.root)}"
            events.append(view.Event(word="model", title=title, detail="signed folder", digest=lock.root))
    for model in models:
        events += _model_events(model)
    return tuple(events)


def _model_events(model: view.ModelStory) -> list[view.Event]:
    found = []
    for certificate in model.certificates:
        title = f"{model.model} {short(certificate.root)}: {certificate.verdict}"
        tone = "good" if certificate.verdict == "PASS" else "bad"
        found.append(
            view.Event(word="certificate", title=title, at=certificate.at, digest=certificate.digest, tone=tone)  # type: ignore[arg-type]  # two of the view's tones
        )
    for release in reversed(model.releases):
        title = f"{release.action} in {release.environment}"
        found.append(
            view.Event(word="release", title=title, at=release.at, detail=release.reason, digest=release.commit)
        )
    for period in model.periods:
        rows = sum(served.rows for served in period.served)
        found.append(view.Event(word="predictions", title=f"{period.label}: {rows:,} predictions"))
    for decision in model.decisions:
        moved = ", ".join(decision.moved) or "no feature is shown to have moved"
        found.append(view.Event(word="drift", title=f"{decision.period}: {moved}", at=decision.at))
        tone = {"none": "neutral", "warn": "attention", "retrain": "attention"}[decision.action]
        found.append(
            view.Event(
                word="decision",
                title=f"{decision.period}: {decision.action}",
                at=decision.at,
                detail=decision.sentence,
                digest=decision.digest,
                tone=tone,  # type: ignore[arg-type]  # two of the view's tones
            )
        )
    return found


def _audit(context: Context) -> str:
    try:
        report = context.audit_log.verify(published=context.checkpoint_file)
        report.require_ok()
    except MintageError as error:
        return f"The audit log does not verify: {error.message}."
    return f"The audit log has {report.entries} entries, all verified, {report.checkpoints} signed checkpoints."
