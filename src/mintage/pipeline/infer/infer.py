"""Infer a model: look at the locks, the training rows and the estimator's own face; decide; write down from what.

The estimator is opened by the process that opens it for building, in the environment that fitted it. The hold-out is
not opened: its role rests on its name and on who read it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

from mintage.errors import EstimatorRefusedError
from mintage.lower.extraction import Glance
from mintage.pipeline.estimator_file import estimator_kind, what_it_is
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import maker_of
from mintage.pipeline.infer.beside import keep_beside, lies_within_input
from mintage.pipeline.infer.captured import captured_tables, choose_roles
from mintage.pipeline.infer.finding import Finding, question
from mintage.pipeline.infer.glance_at import glance_at, head_of
from mintage.pipeline.infer.in_front import check_in_front
from mintage.pipeline.infer.render import Inferred, render_model_file
from mintage.pipeline.infer.roles import Roles, Table, assign_roles
from mintage.pipeline.infer.schema import column_of, infer_input
from mintage.pipeline.infer.suggest_columns import suggest_columns
from mintage.pipeline.infer.target import Column, find_inputs, find_targets
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.stage_data import find_item
from mintage.pipeline.table import SUFFIXES, read_table
from mintage.repo.locks import Item, Lock
from mintage.repo.modelfile import InputSpec, parse_model_file

__all__ = ["infer_model", "tables_of"]


def infer_model(inspector: Inspector, model: str, *, owner: str) -> str:
    """The text of models/<model>.yaml; raises ModelNotInferredError with the line that answers what cannot be known."""
    estimator, roles, train, labels = _look(inspector, model)
    table = _read(inspector, train)
    _check_kind(inspector, estimator)
    glance = glance_at(inspector.workspace, estimator, table)
    _check_predicts(estimator, glance)
    check_in_front(inspector, model, estimator, glance)
    columns = {name: column_of(name, table.column(name)) for name in table.column_names}
    target = inspector.project.models[model].target
    named = (target,) if isinstance(target, str) else target or ()
    given = labels if labels is not None and named in ((), labels.value) else None
    targets = given or find_targets(model, named, columns, glance, train=train)
    inputs = find_inputs(model, targets.value, columns, glance, train=train)
    roles, validation = _checked(inspector, roles, (*inputs.value, *targets.value))
    found = Inferred(
        model=model,
        owner=owner,
        task=_task(glance),
        targets=targets,
        inputs=inputs,
        columns={name: _declare(model, columns[name], table, validation, train=train) for name in inputs.value},
        roles=roles,
        threshold=glance.threshold if _task(glance).value == "binary" else None,
        suggestions=suggest_columns(table, taken=frozenset((*inputs.value, *targets.value))),
    )
    text = render_model_file(found)
    parse_model_file(text.encode(), where=f"models/{model}.yaml")  # nothing is written that a reader would refuse
    return text


def _look(inspector: Inspector, model: str) -> tuple[Item, Roles, str, Finding[tuple[str, ...]] | None]:
    """The estimator's file, the roles of the tables, the path of the training rows, and the target if that is told."""
    source = inspector.project.models[model].source
    estimator, maker = find_item(inspector.locks, source, inspector.store), maker_of(inspector.project.stages, source)
    if estimator is None or maker is None:
        raise question(
            model, "the estimator", expected=source, found="no stage has written it", answer="run `mintage run`"
        )
    keep_beside(inspector, maker)
    captured = captured_tables(inspector, stage=maker, estimator=source)
    tables = [table for table in tables_of(inspector.locks) if not table.path.startswith("captured/")]
    roles, labels = choose_roles(assign_roles(tables, fitted_by=maker), captured)
    if roles.train is None:
        raise question(
            model,
            "the training rows",
            expected=f"one Parquet or CSV table that stage {maker} reads",
            found=", ".join(table.path for table in tables if maker in table.readers) or "none",
            answer=f"name one of them train, or write models/{model}.yaml with `data: {{train: ...}}`",
        )
    return estimator, roles, roles.train.value, labels


def tables_of(locks: Mapping[str, Lock]) -> list[Table]:
    """The tables that stages read or wrote, or that were added, by path, as the locks have them."""
    items: dict[str, Item] = {}
    readers: dict[str, list[str]] = {}
    makers: dict[str, list[str]] = {}
    for name, lock in locks.items():
        if lock.what == "data":
            added = [item for item in lock.outputs if not lies_within_input(item.path, locks)]
            items |= {item.path: item for item in added if _is_table(item) and item.path not in items}
        if lock.what != "stage":
            continue
        for item, who in itertools.chain(((i, readers) for i in lock.inputs), ((i, makers) for i in lock.outputs)):
            if _is_table(item):
                items[item.path] = item
                who.setdefault(item.path, []).append(name)
    return [
        Table(path=path, digest=item.digest, readers=tuple(readers.get(path, ())), makers=tuple(makers.get(path, ())))
        for path, item in sorted(items.items())
    ]


def _is_table(item: Item) -> bool:
    return not item.folder and item.path.lower().endswith(SUFFIXES)


def _read(inspector: Inspector, path: str) -> Any:
    item = find_item(inspector.locks, path, inspector.store)
    assert item is not None  # the roles come from the same locks
    with Scratch(inspector.workspace.tmp_dir) as scratch:
        source = scratch.private / "rows"
        inspector.store.checkout(item.digest, source)
        return read_table(source, spec=None, where=path)


def _check_kind(inspector: Inspector, estimator: Item) -> None:
    """The file's first bytes must be what its name says."""
    head = head_of(inspector, estimator)
    kind = estimator_kind(estimator.path, head)
    if kind is None:
        raise EstimatorRefusedError(
            f"{estimator.path} is not the estimator's file that its name says",
            expected="joblib or pickle (.joblib, .pkl), skops (.skops), ONNX (.onnx), a PyTorch program (.pt2), "
            "or what XGBoost, LightGBM or CatBoost saved",
            found=what_it_is(estimator.path, head),
            where=estimator.path,
            hint="correct `from:` of the model in mintage.yaml, or what the stage writes",
        )
    if kind.advice is not None:
        raise EstimatorRefusedError(
            f"{estimator.path} holds {kind.name}, not the program that they belong to",
            expected="the fitted estimator, or a program",
            found=kind.name,
            where=estimator.path,
            hint=kind.advice,
        )


def _check_predicts(estimator: Item, glance: Glance) -> None:
    if glance.task == "transformer":
        raise EstimatorRefusedError(
            f"{estimator.path} holds a {glance.estimator.rpartition('.')[2]}, which predicts nothing",
            expected="a fitted classifier or regressor",
            where=estimator.path,
            hint="correct `from:` of the model in mintage.yaml; a Pipeline holds what changes columns and the model",
        )


def _checked(inspector: Inspector, roles: Roles, needed: tuple[str, ...]) -> tuple[Roles, Any]:
    """The roles without a validation table that lacks a column, and that table if there is one."""
    if roles.validation is None:
        return roles, None
    table = _read(inspector, roles.validation.value)
    if set(needed) <= set(table.column_names) and table.num_rows:
        return roles, table
    return Roles(train=roles.train, validation=None, holdout=roles.holdout, why=roles.why), None


def _declare(model: str, column: Column, table: Any, validation: Any, *, train: str) -> InputSpec:
    if column.kind not in ("float", "int", "string"):
        raise question(
            model,
            f"the type of {column.name}",
            expected="numbers or texts",
            found=f"{table.column(column.name).type} in {train}",
            answer="let a stage turn it into numbers before the estimator is fitted",
        )
    spec = infer_input(table.column(column.name), kind=column.kind)
    missing = validation is not None and bool(validation.column(column.name).null_count)
    return msgspec.structs.replace(spec, nullable=spec.nullable or missing)


def _task(glance: Glance) -> Finding[str]:
    kind = glance.estimator.rpartition(".")[2]
    if glance.task == "regressor":
        return Finding(value="regression", source=f"the estimator, a {kind} without classes")
    sizes = {len(part) for part in glance.classes}
    shown = ", ".join(str(value) for value in glance.classes[0][:5])
    source = f"the estimator, a {kind} of the classes {shown}"
    if sizes == {2} and len(glance.classes) == 1:
        source += f"; its score is the probability of {glance.classes[0][1]}"
    return Finding(value="binary" if sizes == {2} else "multiclass", source=source)
