"""Sign a model's folder, and verify one, as OpenSSF Model Signing (OMS) v1.0 says.

``sign_model`` writes ``model.sig`` into the folder: a Sigstore bundle around an in-toto statement that lists each file
with its digest. Its subject is the root digest, which is the model's id everywhere. Signing the same files with the
same key under the same name gives the same bytes. ``verify_model`` proves the signature first, then every byte: a file
that was changed, removed or added is named. What the official verifier accepts and this one refuses: paths that a
signer chose to leave out (a model is signed whole), resources in another order, and signing by shards.

https://github.com/ossf/model-signing-spec (v1.0, May 2026)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from mintage.attest.bundle import MAX_BYTES, Bundle, decode_bundle, encode_bundle, verify_bundle
from mintage.attest.dsse import sign
from mintage.attest.keys import PublicKey, Signer
from mintage.attest.resources import (
    GIT_PATHS,
    SIGNATURE_FILE,
    Algorithm,
    Resource,
    model_resources,
    root_digest,
)
from mintage.attest.statement import PAYLOAD_TYPE, Statement, Subject, decode_statement, encode_statement
from mintage.errors import (
    ModelFolderError,
    ModelTamperedError,
    RecordInvalidError,
    SignatureMissingError,
    SignatureUnsupportedError,
    StatementInvalidError,
)
from mintage.record.digest import hex_of
from mintage.record.manifest import safe_path
from mintage.store.publish import publish_bytes

__all__ = [
    "PREDICATE_TYPE",
    "ModelManifest",
    "ModelSignature",
    "Resource",
    "model_resources",
    "parse_model_signature",
    "root_digest",
    "sign_model",
    "verify_model",
]

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_HEX_LENGTHS = {"sha256": 64, "blake2b": 128, "blake3": 64}
_HEX_DIGITS = frozenset("0123456789abcdef")


class ModelSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A proven signature: the model's id, the id of the key that signed it, and the files that it covers."""

    root: str
    key_id: str
    resources: tuple[Resource, ...]


class Serialization(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the signer went through the folder."""

    method: Literal["files", "shards"]
    hash_type: Algorithm
    allow_symlinks: bool
    shard_size: int | None = None
    ignore_paths: tuple[str, ...] = ()


class ModelManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The predicate: the files, sorted by name, and how they were found."""

    resources: tuple[Resource, ...]
    serialization: Serialization


def sign_model(folder: Path, signer: Signer, *, name: str | None = None) -> str:
    """Sign all files of ``folder`` into ``folder/model.sig``; returns the root digest.

    ``name`` is the statement's name for the model, by default the folder's; it is for people, and not part of the id.
    """
    resources = model_resources(folder)
    root = root_digest(resources)
    statement = Statement(
        subjects=(Subject(name=name or folder.resolve().name, digest={"sha256": hex_of(root)}),),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "resources": [msgspec.to_builtins(resource) for resource in resources],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [*GIT_PATHS, SIGNATURE_FILE],
            },
        },
    )
    envelope = sign(encode_statement(statement), payload_type=PAYLOAD_TYPE, signer=signer)
    hint = PublicKey.from_pem(signer.public_pem).hint
    publish_bytes(folder / SIGNATURE_FILE, encode_bundle(envelope, hint=hint))
    return root


def verify_model(folder: Path, keys: Iterable[PublicKey]) -> ModelSignature:
    """Prove that one of ``keys`` signed exactly the files of ``folder``.

    Raises SignatureMissingError, BundleInvalidError, SignatureInvalidError, SignatureUnsupportedError,
    StatementInvalidError, ModelFolderError, or ModelTamperedError, which names the files.
    """
    path = folder / SIGNATURE_FILE
    where = str(path)
    bundle = decode_bundle(_read_signature(folder), where=where)
    key = verify_bundle(bundle, keys, where=where)
    root, manifest = _read_manifest(bundle, where=where)
    _refuse_unsupported(folder, manifest.serialization, where=where)
    found = model_resources(folder, algorithm=manifest.serialization.hash_type)
    _compare(folder, signed=manifest.resources, found=found)
    return ModelSignature(root=root, key_id=key.key_id, resources=manifest.resources)


def parse_model_signature(data: bytes, *, where: str | None = None) -> tuple[Bundle, str, ModelManifest]:
    """The bundle, root digest and manifest that an OMS signature holds, checked for form. Nothing is proven by it.

    Raises BundleInvalidError for the envelope and what is around it, StatementInvalidError for what is in it.
    """
    bundle = decode_bundle(data, where=where)
    return bundle, *_read_manifest(bundle, where=where)


def _read_signature(folder: Path) -> bytes:
    path = folder / SIGNATURE_FILE
    if path.is_symlink() or not path.is_file():
        if not folder.is_dir():
            raise ModelFolderError("not a folder", expected="the folder of a model", where=str(folder))
        raise SignatureMissingError(
            "the model is not signed",
            expected=f"a regular file {SIGNATURE_FILE}",
            where=str(folder),
            hint="`mintage run` builds and signs a model",
        )
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _read_manifest(bundle: Bundle, *, where: str | None) -> tuple[str, ModelManifest]:
    if bundle.envelope.payload_type != PAYLOAD_TYPE:
        raise _not_oms(f"payload type {bundle.envelope.payload_type[:80]!r}", where)
    statement = decode_statement(bundle.envelope.payload, where=where)
    if statement.predicate_type != PREDICATE_TYPE:
        raise _not_oms(f"predicate type {statement.predicate_type[:80]!r}, not {PREDICATE_TYPE!r}", where)
    if len(statement.subjects) != 1:
        raise _not_oms(f"{len(statement.subjects)} subjects, not one", where)
    try:
        manifest = msgspec.convert(statement.predicate, ModelManifest)
        _check_serialization(manifest.serialization)
        _check_resources(manifest)
    except (ValueError, RecordInvalidError) as error:
        raise _not_oms(_reason(error), where) from error
    root = root_digest(manifest.resources)
    if statement.subjects[0].digest.get("sha256") != hex_of(root):
        raise _not_oms("a subject whose digest is not that of its resources", where)
    return root, manifest


def _check_serialization(how: Serialization) -> None:
    fits = how.shard_size is None if how.method == "files" else (how.shard_size or 0) > 0
    if not fits:
        raise ValueError("serialization.shard_size must be positive with method 'shards', and absent with 'files'")
    for path in how.ignore_paths:
        safe_path(path)


def _check_resources(manifest: ModelManifest) -> None:
    names = [safe_path(resource.name) for resource in manifest.resources]
    if not names:
        raise ValueError("no resources")
    for before, after in itertools.pairwise(names):
        if before == after:
            raise ValueError(f"the resource {after!r} stands twice")
        if before > after:
            raise ValueError(f"resources are not sorted by name at {after!r}")
    for resource in manifest.resources:
        if resource.algorithm != manifest.serialization.hash_type:
            raise ValueError(f"{resource.name!r} is hashed with {resource.algorithm}, not as serialization says")
        if len(resource.digest) != _HEX_LENGTHS[resource.algorithm] or not set(resource.digest) <= _HEX_DIGITS:
            raise ValueError(f"{resource.name!r} has a digest that is not one")


def _refuse_unsupported(folder: Path, how: Serialization, *, where: str) -> None:
    if how.method != "files":
        raise SignatureUnsupportedError(
            "signatures over shards cannot be verified here", expected="method 'files'", found=how.method, where=where
        )
    allowed = {*GIT_PATHS, SIGNATURE_FILE}
    for ignored in how.ignore_paths:
        if ignored not in allowed and (folder / ignored).exists():
            raise ModelTamperedError(
                "the signer left a path out of the signature",
                expected="a signature over all files of the folder",
                found=ignored,
                where=str(folder),
                hint="sign the whole folder, or move that path out of it",
            )


def _compare(folder: Path, *, signed: Sequence[Resource], found: Sequence[Resource]) -> None:
    before = {resource.name: resource.digest for resource in signed}
    now = {resource.name: resource.digest for resource in found}
    problems = [f"{name} is missing" for name in before if name not in now]
    problems += [f"{name} was changed" for name in before if name in now and before[name] != now[name]]
    problems += [f"{name} is not in the signature" for name in now if name not in before]
    if problems:
        more = f"; and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise ModelTamperedError(
            "the model's files are not the ones that were signed",
            expected=f"the {len(before)} signed files, unchanged, and no others",
            found="; ".join(problems[:8]) + more,
            where=str(folder),
            hint="do not use this copy; get the model again from the store, by its digest",
        )


def _reason(error: Any) -> str:
    found = getattr(error, "found", None)
    return f"{error}: {found}" if found else str(error)


def _not_oms(found: str, where: str | None) -> StatementInvalidError:
    return StatementInvalidError(
        "what is signed is not a model", expected="an OpenSSF Model Signing v1.0 statement", found=found, where=where
    )
