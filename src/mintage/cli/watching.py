"""Gather what a look at a released model needs, and look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mintage.cli.binary_only import check_two_outcomes
from mintage.cli.console import say
from mintage.cli.context import Context, now
from mintage.errors import RefusedError
from mintage.model.package import Package, open_package
from mintage.monitor.candidate import PipelineCandidates
from mintage.monitor.labels import read_labels
from mintage.monitor.loss import Reference
from mintage.monitor.result import MonitorResult
from mintage.monitor.watch import WatchInputs, watch
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.run import Event
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.table import input_columns, labels_of, plain_column, read_table
from mintage.profile.profile import decode_profile
from mintage.record.digest import short
from mintage.record.manifest import encode_manifest
from mintage.record.names import escape_name
from mintage.release.manifest import Manifest
from mintage.release.write import current_manifest
from mintage.repo.modelfile import ModelSpec
from mintage.repo.workspace import Workspace
from mintage.serve.predictionlog import read_predictions
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["look", "open_retrain_of", "released_package"]


def look(
    context: Context,
    model: str,
    *,
    environment: str,
    envdir: Path,
    as_of: str,
    last_look: str | None,
    candidates: bool,
) -> tuple[MonitorResult, tuple[str, ...]]:
    """The result, and the digests of what it was made from: the champion's record, prediction log, labels."""
    workspace = context.workspace
    manifest = current_manifest(workspace, environment, model)
    if manifest is None:
        raise RefusedError(f"{model} is not released in {environment}", hint="see `mintage release --help`")
    spec = workspace.model_spec(model)
    check_two_outcomes(spec, what="`mintage monitor`", hint="its predictions are logged, so nothing is lost till then")
    predictions = read_predictions(envdir, model)
    if predictions.num_rows == 0:
        raise RefusedError(
            f"{model} has made no prediction in {environment} yet",
            expected="traffic in its prediction log",
            where=str(envdir),
            hint=f"`mintage reconcile {environment}` starts the endpoint; `mintage predict` scores a file",
        )
    package = released_package(context, model, manifest.champion.root, manifest.champion.record)
    reference, seen_until = _reference(context, spec, package, manifest.champion.record)
    maker = PipelineCandidates(
        workspace,
        spec,
        as_of=as_of,
        runs=lambda: context.runs,
        clock=now,
        actor=lambda: context.actor,
        signer=lambda: context.signer,
        on_event=_tell,
    )
    result = watch(
        WatchInputs(
            spec=spec,
            root=package.root,
            profile=decode_profile(package.profile_bytes),
            reference=reference,
            predictions=predictions,
            labels=read_labels(envdir, model),
            as_of=as_of,
            seen_until=seen_until,
            make_candidate=maker if candidates and spec.retrain.params else None,
            open_retrain=open_retrain_of(context, manifest),
            last_look=last_look,
        )
    )
    return result, (manifest.champion.record, *_looked_at(workspace, envdir, model))


def _looked_at(workspace: Workspace, envdir: Path, model: str) -> list[str]:
    """Data manifests of the prediction log and the labels, which name every file by digest; kept in the store."""
    store = Store(workspace.store_dir)
    folders = (envdir / "predictions" / escape_name(model), envdir / "labels" / escape_name(model))
    with StatCache(workspace.cache_database) as cache:
        manifests = [cache.manifest(folder) for folder in folders if folder.is_dir()]
    return [store.put_bytes(encode_manifest(manifest)) for manifest in manifests if manifest.entries]


def released_package(context: Context, model: str, root: str, record: str) -> Package:
    """A released model's folder, proven by signature."""
    workspace = context.workspace
    folder = model_folder(workspace, model, root)
    if not folder.is_dir():
        store = Store(workspace.store_dir)
        store.checkout_tree(str(store.get_record(record, kind="model").body["tree"]), folder)
    return open_package(folder, keys=context.trust.keys_for("model"))


def open_retrain_of(context: Context, manifest: Manifest) -> str | None:
    """What is under way already: a challenger on traffic, or a branch that is not merged."""
    if manifest.challenger is not None:
        return f"challenger {short(manifest.challenger.root)} runs in {manifest.environment}"
    pattern = f"refs/heads/retrain/{manifest.model}-*"
    branches = context.workspace.git.run("for-each-ref", "--no-merged=HEAD", "--format=%(refname:short)", pattern)
    return f"branch {branches.splitlines()[0]} is not merged" if branches else None


def _reference(context: Context, spec: ModelSpec, package: Package, record: str) -> tuple[Reference, str | None]:
    """The champion on the validation rows of its own run, and the last day among them."""
    store = Store(context.workspace.store_dir)
    validation: dict[str, Any] = store.get_record(record, kind="model").body["validation"]
    with Scratch(context.workspace.tmp_dir) as scratch:
        path, where = scratch.private / "validation", str(validation["path"])
        store.checkout(str(validation["digest"]), path)
        table = read_table(path, spec=spec, where=where)
    labels = labels_of(table, spec, where=where, classes=package.signature.two_classes).astype(np.float64)
    scores = package.predictor().predict(input_columns(table, spec, where=where)).scores
    groups = plain_column(table, spec.group_key, where=where) if spec.group_key else np.arange(len(labels))
    seen = None
    if spec.time is not None:
        seen = str(max(plain_column(table, spec.time, where=where)))[:10]
    return Reference(scores=scores, labels=labels, groups=groups), seen


def _tell(event: Event) -> None:
    if event.what == "end":
        say(f"  candidate: {event.stage} in {event.duration_s:.1f} s")
