"""Gather the evidence for one model: rows from the store, scores of the served graph, the original's own answers.

This is the only place that opens the hold-out. Every byte is read by digest; the original estimator answers in a
process of its own. The caller enters the opening in the audit log first, and passes the latency probe and champion.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.evidence import Champion, Evidence, NativeScores, Split
from mintage.certify.latency import LatencyProbe
from mintage.certify.order import OrderFacts
from mintage.errors import FileMissingError, ParityFailedError
from mintage.lower.estimator import lower
from mintage.model.package import Package
from mintage.model.prove import Extract, answer, answer_edges
from mintage.model.runtime import Predictor
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.stage_data import find_item
from mintage.pipeline.table import input_columns, labels_of, plain_column, read_table
from mintage.repo.locks import Item, read_locks
from mintage.repo.modelfile import ModelSpec, domain_digest
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["gather_evidence", "output_item", "read_split", "stored_table"]

Columns = Mapping[str, NDArray[Any]]


def output_item(workspace: Workspace, path: str) -> Item:
    """The file at ``path`` that a stage wrote or read, as the locks have it; raises FileMissingError."""
    item = find_item(read_locks(workspace.root), path, Store(workspace.store_dir))
    if item is None:
        raise FileMissingError(
            f"no stage has written or read {path} yet, and it was not added",
            where="mintage.lock",
            hint="run `mintage run`, or correct the model file",
        )
    return item


def gather_evidence(
    workspace: Workspace,
    *,
    spec: ModelSpec,
    holdout_path: str,
    package: Package,
    extract: Extract,
    latency: LatencyProbe | None,
    champion: Package | None,
    order: OrderFacts,
    seed: int,
) -> Evidence:
    """Everything that the checks need to know of the model in ``package``; ``extract`` asks the original."""
    predictor = package.predictor()
    train = read_split(workspace, spec, predictor, "train", spec.data.train)
    holdout = read_split(workspace, spec, predictor, "hold-out", holdout_path)
    with Scratch(workspace.tmp_dir) as scratch:
        native = _native(spec, predictor, holdout.columns, extract, scratch.private, seed=seed)
    rival = None
    if champion is not None:
        scores = champion.predictor().predict(holdout.columns).scores
        rival = Champion(root=champion.root, scores=scores)
    return Evidence(
        model=spec.model,
        root=package.root,
        domain=domain_digest(spec),
        train=train,
        holdout=holdout,
        group_key=spec.group_key,
        native=native,
        latency=latency,
        champion=rival,
        order=order,
    )


def stored_table(workspace: Workspace, spec: ModelSpec, item: Item) -> Any:
    """The table in the store, as ``pipeline.table`` reads it."""
    with Scratch(workspace.tmp_dir) as scratch:
        target = scratch.private / "rows"
        Store(workspace.store_dir).checkout(item.digest, target)
        return read_table(target, spec=spec, where=item.path)


def read_split(workspace: Workspace, spec: ModelSpec, predictor: Predictor, name: str, path: str) -> Split:
    """The rows of one split with their labels and the model's scores."""
    item = output_item(workspace, path)
    table = stored_table(workspace, spec, item)
    columns = input_columns(table, spec, where=path)
    return Split(
        name=name,
        columns=columns,
        labels=labels_of(table, spec, where=path, classes=predictor.signature.two_classes),
        scores=predictor.predict(columns).scores,
        groups=plain_column(table, spec.group_key, where=path) if spec.group_key else None,
        digest=item.digest,
    )


def _native(
    spec: ModelSpec, predictor: Predictor, columns: Columns, extract: Extract, folder: Path, *, seed: int
) -> NativeScores:
    """The original's answers to the hold-out and to as many edge rows made from it."""
    holdout, description = answer("holdout", columns, extract, folder / "holdout")
    edges = answer_edges(
        holdout,
        lowered=lower(description, threshold=spec.threshold, targets=spec.targets),
        predictor=predictor,
        extract=extract,
        folder=folder,
        rng=np.random.default_rng(seed),
    )
    accepted = predictor.accepts(edges.columns)
    refused = int((edges.native.failed & accepted).sum() + holdout.native.failed.sum())
    if refused:
        raise ParityFailedError(
            "the original refuses rows that the model's signature accepts",
            expected="answers to all of them",
            found=f"{refused} refused: {[text for _, text in (*holdout.native.messages, *edges.native.messages)][:1]}",
            hint="declare `nullable: false` for inputs that may not be missing, or impute in the pipeline",
        )
    # A row that the signature refuses is never served, so there is nothing to compare.
    usable = accepted & ~edges.native.failed
    probabilities = predictor.run(predictor.tensors(edges.columns))["probabilities"]
    return NativeScores(
        holdout=holdout.native.values[:, 1],
        edge=edges.native.values[usable, 1],
        edge_served=np.asarray(probabilities[usable, 1], dtype=np.float64),
        threshold=spec.threshold,
    )
