"""Build a model inside a run: extraction, build, the store, the record and the signed provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mintage.attest.keys import Signer
from mintage.attest.seal import seal
from mintage.errors import DataError
from mintage.model.build import build_model
from mintage.pipeline.extract import open_extractor
from mintage.pipeline.facts import Inspector, StageResult
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.provenance import provenance_statement
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.session import RunSession
from mintage.pipeline.table import input_columns, plain_column, read_table
from mintage.record.digest import sha256_file
from mintage.record.envelope import Record
from mintage.repo.locks import Item
from mintage.repo.modelfile import ModelSpec

__all__ = ["build_and_record"]


def build_and_record(
    inspector: Inspector,
    session: RunSession,
    *,
    spec: ModelSpec,
    estimator: Item,
    validation: Item,
    facts: Mapping[str, Any],
    run: str,
    stages: Mapping[str, str],
    signer: Signer,
) -> StageResult:
    """Build the model of ``spec`` and keep it; returns root, record and the folder as a tree of the store."""
    store = inspector.store
    with (
        open_extractor(inspector.workspace, estimator) as extract,
        Scratch(inspector.workspace.tmp_dir) as scratch,
    ):
        source = scratch.private / "validation"
        store.checkout(validation.digest, source)
        table = read_table(source, spec=spec, where=validation.path)
        if table.num_rows == 0:
            raise DataError("the validation data have no rows", where=validation.path)
        groups = plain_column(table, spec.group_key, where=validation.path) if spec.group_key else None
        built = build_model(
            workdir=scratch.work,
            spec=spec,
            columns=input_columns(table, spec, where=validation.path),
            groups=groups,
            extract=extract,
            facts=facts,
            signer=signer,
        )
        tree = store.put_tree(built.folder)
        files = _files(built.folder)
    folder = model_folder(inspector.workspace, spec.model, built.root)
    store.checkout_tree(tree, folder)
    body = store.get_record(run, kind="run").body
    data = [Item(path=path, digest=digest, size=0) for path, digest in sorted(facts["data"].items())]
    provenance = provenance_statement(
        model=spec.model,
        root=built.root,
        files=files,
        commit=str(body["commit"]),
        run=run,
        stages=stages,
        params=facts["params"],
        data=data,
        environment=_environment(body, list(stages)[-1]),
        builder=str(body["actor"]),
        started=str(body["started"]),
    )
    sealed = store.put_bytes(seal(provenance, signer))
    record = store.put_record(
        Record(
            kind="model",
            version=0,
            upstream=(run, tree, sealed),
            body={
                "model": spec.model,
                "root": built.root,
                "tree": tree,
                "run": run,
                "commit": str(body["commit"]),
                "provenance": sealed,
                "estimator": {"path": estimator.path, "digest": estimator.digest},
                "validation": {"path": validation.path, "digest": validation.digest},
                "extraction": msgspec.to_builtins(extract.applied),
            },
        )
    )
    size = store.get_tree(tree).size
    session.note(f"model:{spec.model}", {"action": "run", "root": built.root, "record": record})
    return StageResult(
        outputs=(Item(path=f"model:{spec.model}", digest=tree, size=size, folder=True),),
        run=run,
        root=built.root,
        record=record,
    )


def _environment(body: Mapping[str, Any], stage: str) -> str:
    """The environment that fitted the estimator: its stage's, or the project's in records that say no more."""
    return str(body["stages"].get(stage, {}).get("environment", body["environment"]))


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "model.sig"
    }
