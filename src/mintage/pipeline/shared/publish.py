"""Publish a result that was made here: its bytes and its proof first, then the signed statement.

Killed at any moment, a push leaves bytes that nobody names, never a statement without what it names. Publishing the
same again writes nothing. Only what this clone's own runs made is published: nobody signs another's work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mintage.attest.keys import FileSigner
from mintage.attest.seal import open_sealed, seal
from mintage.data.transfer import Need, transfer
from mintage.errors import BlobMissingError, IntegrityError
from mintage.pipeline.facts import StageResult
from mintage.pipeline.shared.resting import checked_entry, checked_model
from mintage.pipeline.shared.shelf import put_statement, statement_path
from mintage.pipeline.shared.statement import SharedResult, read_shared, shared_statement
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import sha256_file
from mintage.store.local import Store

__all__ = ["model_result", "publish_result", "stage_result"]


def publish_result(
    shared: SharedResult, *, store: Store, remote: Store, signer: FileSigner, sent: Collection[str] = ()
) -> bool:
    """Have a result in the remote, with all that its record rests on; returns whether it was new.

    What the records ``sent`` rest on is there already. Raises BlobMissingError, DigestMismatchError, RemoteError or
    OSError, and then nothing half is there.
    """
    outputs = canonical_bytes({item.path: item.digest for item in shared.outputs}).decode()
    path = statement_path(remote, shared.key, maker=signer.key_id, outputs=outputs)
    before = _published(path.read_bytes() if path.is_file() else b"", signer)
    if before is not None and before[0] == shared and all(remote.has(item.digest) for item in shared.outputs):
        return False
    needs = [Need(item.digest, "folder" if item.folder else "bytes") for item in shared.outputs]
    proof = shared.record or shared.run
    if proof not in sent:
        needs.append(Need(proof, "evidence"))
    done = transfer(needs, source=store, target=remote)
    if done.lost:
        raise BlobMissingError(
            f"the result of {shared.stage} cannot be shared: what it rests on is not all here",
            found=", ".join(digest[:15] for digest in done.lost[:5]),
            where=str(store.root),
        )
    sha256 = before[1] if before is not None else {}
    sha256 |= {i.path: sha256_file(store.path_of(i.digest)) for i in shared.outputs if i.path not in sha256}
    put_statement(path, seal(shared_statement(shared, sha256=sha256), signer))
    return before is None


def stage_result(stage: str, key: str, result: StageResult, store: Store) -> SharedResult:
    """What to say of a stage, by the record of its run; raises LinkBrokenError if that does not say that it ran so."""
    record = store.get_record(str(result.run), kind="run")
    shared = SharedResult(
        stage=stage,
        key=key,
        parts=record.body["stages"].get(stage, {}).get("parts", {}),
        outputs=result.outputs,
        run=str(result.run),
        commit=str(record.body["commit"]),
        by=str(record.body["actor"]),
        made=str(record.body["finished"]),
        metrics=result.metrics,
        mlflow=result.mlflow,
    )
    checked_entry(record, shared)
    return shared


def model_result(stage: str, key: str, parts: Mapping[str, Any], result: StageResult, store: Store) -> SharedResult:
    """What to say of a model, by its record; raises LinkBrokenError if that is of another one."""
    record = store.get_record(str(result.record), kind="model")
    run = store.get_record(str(result.run), kind="run")
    shared = SharedResult(
        stage=stage,
        key=key,
        parts=dict(parts),
        outputs=result.outputs,
        run=str(result.run),
        commit=str(record.body["commit"]),
        by=str(run.body["actor"]),
        made=str(run.body["finished"]),
        root=result.root,
        record=result.record,
    )
    checked_model(record, shared)
    return shared


def _published(data: bytes, signer: FileSigner) -> tuple[SharedResult, dict[str, str]] | None:
    """What this key says there already of the same outputs, and their SHA-256; None if it says nothing whole."""
    try:
        statement = open_sealed(data, [signer.public]).statement
        shared = read_shared(statement)
    except IntegrityError:
        return None
    return shared, {subject.name: f"sha256:{subject.digest['sha256']}" for subject in statement.subjects}
