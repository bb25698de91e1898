"""``mintage show THING``: a model, stage or certificate, ``decision`` (the last one), or any record by its digest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.cli.certificate_target import is_certificate
from mintage.cli.console import emit, emit_json, human_size, table
from mintage.cli.context import Context
from mintage.cli.decisions import last_decision
from mintage.cli.stage_story import show_stage
from mintage.errors import BundleInvalidError, MintageError, RefusedError, StatementInvalidError, UnknownNameError
from mintage.record.digest import is_digest, short
from mintage.repo.locks import read_lock
from mintage.repo.nearest import nearest_hint
from mintage.store.local import Store

if TYPE_CHECKING:
    from mintage.attest.trust import Role

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "thing",
        help="a model, a stage, `decision` for the last one, a whole digest (b3: and 64 digits), or a certificate: "
        "certificate:MODEL, also with @REVISION, its file, or its page",
    )
    parser.add_argument(
        "--trust",
        metavar="FILE",
        type=Path,
        help="for a certificate: the trust.yaml or public key that must have signed it (default: the project's)",
    )
    parser.add_argument("--files", metavar="FOLDER", help="write the files that the stage logged with MLflow there")


def run(arguments: argparse.Namespace) -> int:
    thing = arguments.thing
    if is_certificate(thing) and not is_digest(thing):
        return _certificate(arguments)
    context = Context.here()
    if is_digest(thing):
        if _is_certificate_of(context, thing):
            return _certificate(arguments)
        return _record(context, thing, as_json=arguments.json)
    if thing == "decision":
        return _decision(context, as_json=arguments.json)
    project = context.workspace.project()
    if thing in project.models:
        return _model(context, thing, as_json=arguments.json)
    if thing in project.stages:
        return show_stage(context, thing, files=arguments.files, as_json=arguments.json)
    names = [*project.models, *project.stages, "decision"]
    raise UnknownNameError(
        f"there is nothing called {thing!r}",
        expected=", ".join([*names, "b3:<64 hex digits>"]),
        hint="digests are cut short on the terminal; with --json they are whole"
        if thing.startswith("b3:")
        else nearest_hint(thing, names),
    )


def _certified(name: str, digest: str | None) -> str:
    """What its certificate says, or that there is none."""
    if digest is None:
        return f"not certified yet: `mintage certify {name}` judges it"
    from mintage.cli.certificate_show import read_certificate

    try:
        certificate, proof, _ = read_certificate(digest, trust=None)
    except MintageError as error:
        return f"certificate {short(digest)} does not verify: {error.message}"
    ended = proof is not None and bool(proof.ended)
    state = "NO LONGER CURRENT" if ended else f"until {certificate.expires[:10]}"
    return f"certificate {short(digest)}: {certificate.verdict}, {state}; see `mintage show certificate:{name}`"


def _certificate(arguments: argparse.Namespace) -> int:
    from mintage.cli.certificate_show import show_certificate

    return show_certificate(arguments.thing, trust=arguments.trust, as_json=arguments.json)


def _is_certificate_of(context: Context, digest: str) -> bool:
    """Whether the blob is a signed certificate; what else it is, or that it is not there, others say."""
    from mintage.attest.bundle import decode_bundle
    from mintage.attest.statement import decode_statement
    from mintage.certify.certificate import PREDICATE_TYPES

    store = Store(context.workspace.store_dir)
    try:
        payload = decode_bundle(store.get_bytes(digest)).envelope.payload
        return decode_statement(payload).predicate_type in PREDICATE_TYPES
    except (BundleInvalidError, StatementInvalidError):
        return False


def _record(context: Context, digest: str, *, as_json: bool) -> int:
    data = Store(context.workspace.store_dir).get_bytes(digest)
    try:
        value = json.loads(data)
        emit_json(_statement(context, data) if isinstance(value, dict) and "dsseEnvelope" in value else value)
    except ValueError:
        if as_json:
            emit_json({"digest": digest, "size": len(data)})
            return 0
        emit(f"{digest}: {human_size(len(data))} that are not JSON")
    return 0


def _statement(context: Context, data: bytes) -> dict[str, Any]:
    """What a sealed statement says, once its signature is proven by a key of trust.yaml."""
    from mintage.attest.seal import open_sealed

    roles: tuple[Role, ...] = ("certificate", "model", "result", "ci")
    keys = dict.fromkeys(key for role in roles for key in context.trust.keys_for(role))
    sealed = open_sealed(data, keys)
    statement = sealed.statement
    return {
        "signed_by": context.trust.name_of(sealed.key_id) or sealed.key_id,
        "subject": [msgspec.to_builtins(subject) for subject in statement.subjects],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }


def _decision(context: Context, *, as_json: bool) -> int:
    found = last_decision(context.workspace)
    if found is None:
        raise RefusedError("there is no decision yet", hint="make one with `mintage monitor MODEL`")
    digest, body = found
    if as_json:
        emit_json({"record": digest, **body})
        return 0
    decision = body["decision"]
    emit(f"{body['model']} as of {body['as_of']}: {decision['sentence']}")
    for reason in decision["reasons"]:
        emit(f"  {reason}")
    emit(f"  record {digest}")
    return 0


def _model(context: Context, name: str, *, as_json: bool) -> int:
    lock = read_lock(context.workspace.root, f"model:{name}")
    if lock is None or lock.root is None or lock.record is None:
        raise RefusedError(f"the model {name} is not built yet", hint="run `mintage run`")
    store = Store(context.workspace.store_dir)
    record = store.get_record(lock.record, kind="model")
    manifest = store.get_tree(str(record.body["tree"]))
    folder = context.workspace.models_dir / name / lock.root.removeprefix("sha256:")[:16]
    certificate = read_lock(context.workspace.root, f"certificate:{name}")
    certified = certificate.record if certificate is not None and certificate.root == lock.root else None
    if as_json:
        emit_json(
            {
                "model": name,
                "root": lock.root,
                "record": lock.record,
                "run": record.body["run"],
                "commit": record.body["commit"],
                "certificate": certified,
                "folder": str(folder),
                "files": [msgspec.to_builtins(entry) for entry in manifest.entries],
            }
        )
        return 0
    emit(f"{name} {short(lock.root)} in {folder.relative_to(context.workspace.root)}")
    emit(f"  made by run {str(record.body['run'])[:15]} at commit {str(record.body['commit'])[:12]}")
    emit(f"  {_certified(name, certified)}")
    emit(table([(entry.path, human_size(entry.size)) for entry in manifest.entries], indent="  "))
    return 0
