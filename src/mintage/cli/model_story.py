"""Fill one model's part of the story: certificates, releases, traffic and loss by month, drift, decisions, proof."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mintage.cli.context import Context, now
from mintage.cli.decisions import decisions_of
from mintage.errors import MintageError
from mintage.lineage.chain import Link
from mintage.lineage.verify import verify_target
from mintage.monitor.labels import parse_time, read_labels
from mintage.monitor.loss import LOSSES
from mintage.monitor.series import loss_course
from mintage.monitor.traffic import join_traffic
from mintage.record.digest import hex_of
from mintage.release.admit import open_certificate
from mintage.release.history import Release, history
from mintage.release.manifest import Released
from mintage.release.write import current_manifest
from mintage.repo.locks import lock_path, parse_lock
from mintage.report import story as view
from mintage.report.estimate import Estimate
from mintage.serve.control import gateway_state
from mintage.serve.predictionlog import read_predictions
from mintage.store.local import Store

__all__ = ["tell_model"]


def tell_model(context: Context, model: str, *, environment: str | None, beside: Path) -> view.ModelStory:
    """The story of one model in one environment."""
    workspace = context.workspace
    spec = workspace.model_spec(model)
    releases = history(workspace.git, environment, model) if environment else []
    manifest = current_manifest(workspace, environment, model) if environment else None
    bodies = decisions_of(workspace, environment, model) if environment else []
    state = gateway_state(workspace.environments_dir / environment) if environment else None
    return view.ModelStory(
        model=model,
        purpose=spec.purpose,
        environment=environment,
        live=manifest.champion.root if manifest else None,
        endpoint=state.url if state else None,
        certificates=tuple(_certificates(context, model, beside)),
        releases=tuple(_release(release, environment or "") for release in releases),
        periods=_periods(context, model, environment, releases) if environment else (),
        loss=spec.monitor.loss.replace("_", "-"),
        reference=_reference(bodies),
        drift=_drift(bodies),
        decisions=tuple(_decision(digest, body, _outcome(digest, releases)) for digest, body in bodies),
        currency=spec.costs.currency if spec.costs else "USD",
        proof=_proof(context, f"{environment}/{model}" if environment else model),
    )


def _certificates(context: Context, model: str, beside: Path) -> list[view.CertificateSummary]:
    """Every certificate that a commit of this branch has named, oldest first, its signature proven."""
    git, path = context.workspace.git, lock_path(f"certificate:{model}")
    found, seen = [], set()
    for commit in reversed(git.log(path)):
        data = git.show(commit.id, path)
        lock = parse_lock(data, where=path) if data is not None else None
        if lock is None or lock.record is None or lock.record in seen:
            continue
        seen.add(lock.record)
        try:
            certificate, _ = open_certificate(Store(context.workspace.store_dir), lock.record, context.trust)
        except MintageError:
            continue
        results = certificate.results + certificate.measured
        page = context.workspace.reports_dir / f"certificate-{model}-{hex_of(certificate.root)[:12]}.html"
        found.append(
            view.CertificateSummary(
                root=certificate.root,
                verdict="PASS"
                if certificate.verdict == "PASS"
                else "FAIL"
                if certificate.verdict == "FAIL"
                else "INCONCLUSIVE",
                sentence=certificate.sentence,
                at=certificate.issued,
                passed=sum(result.verdict == "PASS" for result in results),
                total=sum(result.verdict != "NOT_APPLICABLE" for result in results),
                digest=lock.record,
                page=os.path.relpath(page, beside) if page.is_file() else None,
            )
        )
    return found


def _release(release: Release, environment: str) -> view.Release:
    actions = {"canary": "canary", "promoted": "promote", "rollback": "rollback"}
    after = release.after
    shown: Released | None = (
        after.challenger if after and release.kind == "canary" else after.champion if after else None
    )
    before = release.before.champion.root if release.before else None
    root = shown.root if shown else before or ""
    return view.Release(
        at=release.commit.when,
        environment=environment,
        action=actions.get(release.kind, "release"),  # type: ignore[arg-type]  # the five of the view
        root=root,
        reason=release.commit.subject if release.kind == "rollback" or after is None else after.why,
        replaced=before if before not in (None, root) and release.kind != "canary" else None,
        share=after.challenger.share if after and after.challenger and release.kind == "canary" else None,
        commit=release.commit.id,
        author=release.commit.author,
    )


def _periods(context: Context, model: str, environment: str, releases: list[Release]) -> tuple[view.Period, ...]:
    """Rows and realised loss by month and model."""
    envdir = context.workspace.environments_dir / environment
    predictions, labels = read_predictions(envdir, model), read_labels(envdir, model)
    if not predictions.num_rows:
        return ()
    spec = context.workspace.model_spec(model)
    roots = [root for root in dict.fromkeys(predictions["model_root"].to_pylist()) if root is not None]
    served: dict[str, list[view.Served]] = {}
    losses: dict[str, list[view.LossPoint]] = {}
    for root in roots:
        traffic = join_traffic(predictions, labels, root=root, as_of=parse_time(now()))
        role: view.Role = "champion" if root == _first_champion(releases) else "challenger"
        for month, rows in sorted(Counter(str(day)[:7] for day in traffic.days).items()):
            served.setdefault(month, []).append(view.Served(root=root, role=role, rows=rows))
        known = ~np.isnan(traffic.labels)
        if known.any():
            values = LOSSES[spec.monitor.loss](traffic.labels[known], traffic.scores[known])
            for point in loss_course(traffic.days[known], values, seed=0, draws=1000, period=lambda day: day[:7]):
                estimate = Estimate(value=point.mean, low=point.low, high=point.high)
                losses.setdefault(point.period, []).append(
                    view.LossPoint(root=root, role=role, loss=estimate, rows=point.rows)
                )
    return tuple(
        view.Period(label=month, served=tuple(served[month]), losses=tuple(losses.get(month, ())))
        for month in sorted(served)
    )


def _first_champion(releases: list[Release]) -> str | None:
    first = releases[-1].after if releases else None
    return first.champion.root if first else None


def _reference(bodies: list[tuple[str, dict[str, Any]]]) -> Estimate | None:
    for _, body in reversed(bodies):
        loss = body["loss"]
        if loss is not None:
            interval = loss["reference_interval"] or {}
            return Estimate(value=loss["reference"], low=interval.get("low"), high=interval.get("high"))
    return None


def _drift(bodies: list[tuple[str, dict[str, Any]]]) -> view.Drift | None:
    cells = [
        view.DriftCell(
            feature=stream["name"], period=_period(body), effect=stream["effect"], alarm=stream["status"] == "moved"
        )
        for _, body in bodies
        for stream in body["drift"]["streams"]
    ]
    return view.Drift(cells=tuple(cells), effect="Jensen-Shannon distance", material=0.1) if cells else None


def _outcome(decision: str, releases: list[Release]) -> str | None:
    """What came of a decision: the last release that names it."""
    for release in releases:
        after = release.after
        if after is not None and after.decision == decision:
            words = {"canary": "its challenger runs as a canary", "promoted": "its challenger was promoted"}
            return f"{words.get(release.kind, 'its challenger serves')} ({release.commit.when[:10]})"
    return None


def _decision(digest: str, body: dict[str, Any], outcome: str | None) -> view.Decision:
    decision, gain = body["decision"], body["gain"]
    estimate = None
    if gain is not None:
        estimate = Estimate(value=gain["estimate"], low=gain["interval"]["low"], high=gain["interval"]["high"])
    return view.Decision(
        period=_period(body),
        action=decision["action"],
        sentence=decision["sentence"],
        at=body["as_of"],
        gain=estimate,
        cost=decision["cost_per_prediction"],
        net=decision["net"],
        moved=tuple(stream["name"] for stream in body["drift"]["streams"] if stream["status"] == "moved"),
        outcome=outcome,
        digest=digest,
    )


def _period(body: dict[str, Any]) -> str:
    """The month before the day of a decision: the traffic that it looked at."""
    day = np.datetime64(body["as_of"][:10], "D") - np.timedelta64(1, "D")
    return str(day)[:7]


def _proof(context: Context, target: str) -> view.ProofNode | None:
    try:
        return _node(verify_target(target, workspace=context.workspace))
    except MintageError:
        return None


def _node(link: Link) -> view.ProofNode:
    return view.ProofNode(
        word=link.kind,
        title=link.title,
        state="verified" if link.ok else "failed",
        detail=link.detail or None,
        digest=link.digest,
        upstream=tuple(_node(child) for child in link.children),
    )
