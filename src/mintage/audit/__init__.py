"""The audit log: who did or was refused what, in an append-only Merkle tree that a third party can check."""
