"""The proof that an entry is in the log, which anybody can check with the log's public key and nothing else.

Written as a C2SP tlog-proof (https://c2sp.org/tlog-proof): index, inclusion proof, checkpoint.
"""

from __future__ import annotations

import base64
import re

import msgspec

from mintage.audit.checkpoint import Checkpoint, CheckpointKey, open_checkpoint
from mintage.audit.merkle import leaf_hash, verify_inclusion
from mintage.errors import AuditProofError

__all__ = ["Proof", "check_proof", "decode_proof", "encode_proof"]

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")
_MAX_BYTES = 128 << 10


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Entry ``index`` is in the tree of the checkpoint ``note``; ``hashes`` lead from its leaf to the root."""

    index: int
    hashes: tuple[bytes, ...]
    note: str


def encode_proof(proof: Proof) -> str:
    """The text of a ``.tlog-proof`` file."""
    lines = [_HEADER, f"index {proof.index}", *(base64.b64encode(item).decode() for item in proof.hashes)]
    return "\n".join(lines) + "\n\n" + proof.note


def decode_proof(text: str, *, where: str | None = None) -> Proof:
    """Parse a proof; raises AuditProofError. A line of extra data, which nobody signed, is refused."""
    try:
        if len(text) > _MAX_BYTES:
            raise ValueError(f"{len(text)} characters")
        head, blank, note = text.partition("\n\n")
        header, index_line, *hash_lines = head.split("\n") if blank else ["", ""]
        match = _INDEX.fullmatch(index_line)
        if header != _HEADER or match is None:
            raise ValueError(f"not the lines {_HEADER!r} and 'index <number>'")
        hashes = tuple(base64.b64decode(line, validate=True) for line in hash_lines)
        proof = Proof(index=int(match[1]), hashes=hashes, note=note)
        if any(len(item) != 32 for item in hashes) or encode_proof(proof) != text:
            raise ValueError("a hash that is none")
    except ValueError as error:
        raise AuditProofError(
            "the proof is malformed", expected="a C2SP tlog-proof", found=str(error), where=where
        ) from error
    return proof


def check_proof(proof: Proof, body: bytes, key: CheckpointKey, *, where: str | None = None) -> Checkpoint:
    """The checkpoint under which ``body`` is proven to be entry ``proof.index``.

    Raises CheckpointInvalidError if the log's key did not sign it, AuditProofError if the entry is not under it.
    """
    checkpoint = open_checkpoint(proof.note, key, where=where)
    if not verify_inclusion(leaf_hash(body), proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise AuditProofError(
            "the entry is not in the log at that place",
            expected=f"entry {proof.index} of {checkpoint.size} under root {checkpoint.root.hex()}",
            found=f"an entry with leaf hash {leaf_hash(body).hex()}",
            where=where,
        )
    return checkpoint
