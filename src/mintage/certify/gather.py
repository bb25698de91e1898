"""Gather the evidence for one model: rows from the store, answers of the served graph, and the original's own.

This is the only place that opens the hold-out. Every byte is read by digest; the original estimator answers in a
process of its own. The caller enters the opening in the audit log first, and passes the latency probe and champion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers, Task
from mintage.certify.ask_findings import ask_findings
from mintage.certify.evidence import Champion, Evidence, Native, Role, Split
from mintage.certify.finding import Finding
from mintage.certify.formats import format_of
from mintage.certify.kept_answers import KeptAnswers
from mintage.certify.latency import LatencyProbe
from mintage.certify.order import OrderFacts
from mintage.certify.served import Served
from mintage.errors import EvidenceInvalidError, FileMissingError, ParityFailedError
from mintage.lower.estimator import lower
from mintage.model.package import Package
from mintage.model.prove import Extract, answer, answer_edges
from mintage.model.runtime import Prediction, Predictor
from mintage.model.signature import Signature
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.stage_data import find_item
from mintage.pipeline.table import input_columns, labels_of, numbers_of, plain_column, read_table
from mintage.repo.locks import Item, read_locks
from mintage.repo.modelfile import ModelSpec, domain_digest
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["gather_evidence", "of_task", "output_item", "read_labels", "read_split", "sealed_answers", "stored_table"]

Columns = Mapping[str, NDArray[Any]]
_Ask = Callable[[Columns], Answers]


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
    extract: Extract | None,
    latency: LatencyProbe | None,
    champion: Package | None,
    order: OrderFacts,
    seed: int,
    findings: Sequence[Finding] = (),
    native: Native | None = None,
    answers: KeptAnswers | None = None,
    unsealed: Callable[[Any], Any] | None = None,
) -> Evidence:
    """Everything that the checks need to know of the model in ``package``.

    ``extract`` asks the original, unless ``native`` is what it said before; ``answers`` are those kept of before;
    ``unsealed`` gives the table of a sealed hold-out its labels.
    """
    predictor = package.predictor()
    ask = _asking(package, predictor, answers)
    train = read_split(workspace, spec, predictor, "train", spec.data.train, ask=ask)
    holdout = read_split(workspace, spec, predictor, "hold-out", holdout_path, ask=ask, unsealed=unsealed)
    if native is None and extract is not None:
        with Scratch(workspace.tmp_dir) as scratch:
            native = _native(spec, predictor, holdout.columns, extract, scratch.private, seed=seed)
    rival = None
    if champion is not None:
        other = champion.predictor()
        _check_same_classes(predictor.signature, other.signature)
        rival = Champion(root=champion.root, answers=_asking(champion, other, answers)(holdout.columns))
    return Evidence(
        model=spec.model,
        root=package.root,
        domain=domain_digest(spec),
        train=train,
        holdout=holdout,
        classes=tuple(map(str, predictor.signature.classes)),
        group_key=spec.group_key,
        native=native,
        latency=latency,
        champion=rival,
        order=order,
        spec=spec,
        served=_served(package, predictor, holdout, ask=ask),
        validation=_validation(workspace, spec, predictor, ask=ask),
        formats={path: format_of(path, data) for path, data in package.files.items()},
        findings=ask_findings(findings, predictor),
    )


def _validation(workspace: Workspace, spec: ModelSpec, predictor: Predictor, *, ask: _Ask) -> Split | None:
    """The validation rows; None if there are none, or the model file names training or hold-out rows as such."""
    path = spec.data.validation
    if path in (spec.data.train, spec.data.holdout):
        return None
    try:
        return read_split(workspace, spec, predictor, "validation", path, ask=ask)
    except FileMissingError:
        return None


def _served(package: Package, predictor: Predictor, holdout: Split, *, ask: _Ask) -> Served:
    """The model, to be asked about other rows."""
    served = Served(
        _asking(package, predictor, None),
        accepts=predictor.accepts,
        reload=lambda: _asking(package, package.predictor(), None),
        known=ask,
        identity=package.root,
    )
    served.remember(holdout.columns, holdout.answers)
    return served


def _asking(package: Package, predictor: Predictor, kept: KeptAnswers | None) -> _Ask:
    """How the model is asked about rows, of which ``kept`` knows some."""

    def now(columns: Columns) -> Answers:
        return _answers(predictor.predict(columns), predictor.signature)

    def known(columns: Columns) -> Answers:
        assert kept is not None
        values = kept.values(package.root, columns, lambda: now(columns).values)
        signature = predictor.signature
        return Answers(task=signature.task, values=values, threshold=signature.threshold)

    return now if kept is None else known


def stored_table(workspace: Workspace, spec: ModelSpec, item: Item) -> Any:
    """The table in the store, as ``pipeline.table`` reads it."""
    with Scratch(workspace.tmp_dir) as scratch:
        target = scratch.private / "rows"
        Store(workspace.store_dir).checkout(item.digest, target)
        return read_table(target, spec=spec, where=item.path)


def read_split(
    workspace: Workspace,
    spec: ModelSpec,
    predictor: Predictor,
    name: str,
    path: str,
    *,
    ask: _Ask | None = None,
    unsealed: Callable[[Any], Any] | None = None,
) -> Split:
    """The rows of one split with their labels and the model's answers, those that ``ask`` gives."""
    item = output_item(workspace, path)
    table = stored_table(workspace, spec, item)
    table = table if unsealed is None else unsealed(table)
    columns = input_columns(table, spec, where=path)
    return Split(
        name=name,
        columns=columns,
        labels=read_labels(table, spec, predictor.signature, where=path),
        answers=_answers(predictor.predict(columns), predictor.signature) if ask is None else ask(columns),
        groups=plain_column(table, spec.group_key, where=path) if spec.group_key else None,
        extra=_extra(table, spec),
        digest=item.digest,
    )


def read_labels(table: Any, spec: ModelSpec, signature: Signature, *, where: str) -> NDArray[Any]:
    """The labels of rows: places of the signature's classes, or a regression's numbers."""
    if signature.task == "regression":
        return numbers_of(table, spec, where=where)
    return labels_of(table, spec, where=where, classes=signature.classes)


def sealed_answers(workspace: Workspace, spec: ModelSpec, package: Package, path: str) -> NDArray[np.float64]:
    """What the model answers to rows whose labels are sealed."""
    predictor = package.predictor()
    table = stored_table(workspace, spec, output_item(workspace, path))
    return _answers(predictor.predict(input_columns(table, spec, where=path)), predictor.signature).values


def _answers(prediction: Prediction, signature: Signature) -> Answers:
    """What the graph answers, as metrics take it."""
    table = prediction.values if signature.task == "regression" else prediction.probabilities
    return Answers(task=signature.task, values=of_task(table, signature.task), threshold=signature.threshold)


def of_task(table: NDArray[Any], task: Task) -> NDArray[np.float64]:
    """Of the numbers [N, W] of a model with one target those that metrics look at."""
    values = table if task == "multiclass" else table[:, 1] if task == "binary" else table[:, 0]
    return np.asarray(values, dtype=np.float64)


def _extra(table: Any, spec: ModelSpec) -> dict[Role, NDArray[Any]]:
    """The columns that the model file names beside the inputs, as far as the table has them."""
    named: dict[Role, str | None] = {"time": spec.time, "id": spec.id, "group": spec.group_key}
    found: dict[Role, NDArray[Any]] = {}
    for role, column in named.items():
        if column is not None and column in table.column_names:
            values = np.empty(table.num_rows, dtype=object)
            values[:] = table.column(column).to_pylist()
            found[role] = values
    return found


def _check_same_classes(own: Signature, other: Signature) -> None:
    if (own.task, own.classes) != (other.task, other.classes):
        raise EvidenceInvalidError(
            "the champion does not answer the same question",
            expected=f"{own.task}: {', '.join(map(str, own.classes))}",
            found=f"{other.task}: {', '.join(map(str, other.classes))}",
            hint="compare with another environment (`--against`), or release this one as a model of another name",
        )


def _native(
    spec: ModelSpec, predictor: Predictor, columns: Columns, extract: Extract, folder: Path, *, seed: int
) -> Native:
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
    task = predictor.signature.task
    served = predictor.run(predictor.tensors(edges.columns))["value" if task == "regression" else "probabilities"]
    return Native(
        holdout=of_task(holdout.native.values, task),
        edge=of_task(edges.native.values[usable], task),
        edge_served=of_task(served[usable], task),
    )
