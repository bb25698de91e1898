"""Seal a hold-out: its rows go to the project without their labels, the labels encrypted to who holds them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from mintage.attest.encrypt import decrypt_with, encrypt_to
from mintage.attest.keys import FileSigner, PublicKey
from mintage.attest.seal import seal
from mintage.certify.sealed import HoldoutSeal, Signed, bound_bytes, read_signed, seal_path, statement_of
from mintage.cli.certification import known_holdout
from mintage.cli.context import Context, now
from mintage.data.add import add_path
from mintage.database.connection import transaction
from mintage.errors import (
    DataError,
    FileMissingError,
    LabelsSharedError,
    RefusedError,
    SignatureMissingError,
    UnknownNameError,
    UsageError,
)
from mintage.pipeline.stage_data import find_item
from mintage.pipeline.table import read_table
from mintage.record.digest import sha256_bytes
from mintage.repo.locks import read_locks
from mintage.repo.modelfile import ModelSpec
from mintage.repo.nearest import nearest_hint
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["is_sealed", "labels_with", "read_seal", "seal_holdout"]

_MOST = 10_000


def seal_holdout(context: Context, model: str, table: Path, *, to: str | None, budget: int) -> tuple[HoldoutSeal, str]:
    """Write the rows and the seal; returns it and the holder's name."""
    if not 1 <= budget <= _MOST:
        raise UsageError("not a number of openings", expected=f"1 to {_MOST}", found=str(budget))
    workspace = context.workspace
    spec = workspace.model_spec(model)
    path = known_holdout(spec)
    signer = context.signer_for("witness")
    holder, key = _holder(context, to)
    context.open_audit_log()
    rows, labels = _split(context, spec, table, path)
    with workspace.lock("data"):
        publish_bytes(workspace.root / path, _encoded(rows, path))
        item = add_path(workspace, path).item
    bound = bound_bytes(model=model, rows=item.digest, target=spec.targets[0], count=rows.num_rows)
    made = HoldoutSeal(
        model=model,
        rows=item.digest,
        at=now(),
        path=path,
        target=spec.targets[0],
        count=rows.num_rows,
        budget=budget,
        to=key.key_id,
        labels=encrypt_to(key.pem, _plain(labels), bound=bound),
    )
    data = seal(statement_of(made), signer)
    publish_bytes(workspace.root / seal_path(model), data)
    with transaction(context.connection):
        details = {"holdout": item.digest, "seal": sha256_bytes(data), "budget": budget, "to": key.key_id}
        context.record_access("holdout.seal", model, details)
    context.checkpoint()
    return made, holder


def is_sealed(context: Context, model: str) -> bool:
    """Whether the hold-out of a model is sealed."""
    return (context.workspace.root / seal_path(model)).is_file()


def read_seal(context: Context, model: str) -> tuple[HoldoutSeal, Signed]:
    """The seal of a model; raises SignatureMissingError if there is none, an IntegrityError if it does not verify."""
    path = context.workspace.root / seal_path(model)
    if not path.is_file():
        raise SignatureMissingError(
            f"the hold-out of {model} is not sealed",
            expected="a seal that a witness of trust.yaml signed",
            where=seal_path(model),
            hint=f"who has the labels seals them: mintage holdout seal {model} TABLE",
        )
    return read_signed(path.read_bytes(), HoldoutSeal, context.trust.keys_for("witness"), where=seal_path(model))


def labels_with(table: Any, sealed: HoldoutSeal, signer: FileSigner) -> Any:
    """The table with its labels, which only the holder can read; raises DecryptionFailedError or DataError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    bound = bound_bytes(model=sealed.model, rows=sealed.rows, target=sealed.target, count=sealed.count)
    plain = decrypt_with(signer, sealed.labels, bound=bound)
    try:
        labels = pq.read_table(io.BytesIO(plain)).column(sealed.target)
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise DataError("what was sealed is no table of labels", found=str(error)[:160]) from error
    if len(labels) != table.num_rows or sealed.target in table.column_names:
        raise DataError(
            "the labels do not fit the rows", expected=f"{sealed.count} rows without {sealed.target}", where=sealed.path
        )
    return table.append_column(sealed.target, labels)


def _holder(context: Context, to: str | None) -> tuple[str, PublicKey]:
    witnesses = {item.name: item.key for item in context.trust.keys if "witness" in item.roles}
    name = to or context.trust.name_of(context.signer.key_id) or ""
    if name not in witnesses:
        raise UnknownNameError(
            f"trust.yaml has no witness {name!r}",
            expected=", ".join(witnesses) or "a key with the role witness",
            where="trust.yaml",
            hint=nearest_hint(
                name, witnesses, otherwise="the holder joins in a clone of his own: mintage holdout join NAME"
            ),
        )
    return name, witnesses[name]


def _split(context: Context, spec: ModelSpec, table: Path, path: str) -> tuple[Any, Any]:
    """Rows without labels, and the labels; raises LabelsSharedError where the project has them already."""
    root = context.workspace.root.resolve()
    if not table.is_file():
        raise FileMissingError(f"{table} is not there", expected="the rows of the hold-out with their labels")
    if table.resolve().is_relative_to(root):
        raise LabelsSharedError(
            "the table with the labels lies in the project, where the authors of models work",
            found=str(table),
            hint="move it to where only the holder reads it, out of Git and the store, and seal it from there",
        )
    target = spec.targets[0]
    _check_not_shared(context, spec, path)
    found = read_table(table, spec=spec, where=str(table))
    if target not in found.column_names or found.num_rows == 0 or found.column(target).null_count:
        raise DataError(
            "not the rows of a hold-out with their labels",
            expected=f"rows, each with a value of {target}",
            found=f"{found.num_rows} rows, columns {', '.join(found.column_names[:20])}",
            where=str(table),
        )
    return found.drop_columns([target]), found.select([target])


def _check_not_shared(context: Context, spec: ModelSpec, path: str) -> None:
    """What lies at ``path`` until now must not have the labels either, and nobody has opened it for nothing."""
    from mintage.certify.gather import stored_table

    item = find_item(read_locks(context.workspace.root), path, Store(context.workspace.store_dir))
    if item is None or not Store(context.workspace.store_dir).has(item.digest):
        return
    if spec.targets[0] in stored_table(context.workspace, spec, item).column_names:
        raise LabelsSharedError(
            f"the project has a hold-out with its labels at {path}",
            found=f"column {spec.targets[0]} in {item.digest[:15]}",
            hint="name another path as `holdout:` of the model file, and seal rows that the authors never had",
        )
    if is_sealed(context, spec.model):
        raise RefusedError(
            f"the hold-out at {path} is sealed already",
            where=seal_path(spec.model),
            hint="for new rows name another path as `holdout:` of the model file; its openings count on their own",
        )


def _encoded(rows: Any, path: str) -> bytes:
    stream = io.BytesIO()
    if path.endswith(".csv"):
        from pyarrow import csv

        csv.write_csv(rows, stream)
    else:
        import pyarrow.parquet as pq

        pq.write_table(rows, stream)
    return stream.getvalue()


def _plain(labels: Any) -> bytes:
    """Parquet without compression or dictionary: its length tells how many numbers there are, not which."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(labels, stream, compression="none", use_dictionary=False, write_statistics=False, store_schema=False)
    return stream.getvalue()
