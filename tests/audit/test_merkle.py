"""The Merkle tree against a naive one straight from RFC 6962, and against published roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.audit.merkle import (
    EMPTY_ROOT,
    completed,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# Entries and roots that Certificate Transparency implementations test with, for 1 to 8 leaves.
ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes(range(0x60, 0x70))
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(entries: list[bytes]) -> bytes:
    """MTH as the RFC writes it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


def naive_path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH as the RFC writes it."""
    if len(entries) == 1:
        return []
    split = 1
    while split * 2 < len(entries):
        split *= 2
    if index < split:
        return [*naive_path(index, entries[:split]), naive_root(entries[split:])]
    return [*naive_path(index - split, entries[split:]), naive_root(entries[:split])]


def naive_consistency(old: int, entries: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF as the RFC writes it."""
    if old == len(entries):
        return [] if whole else [naive_root(entries)]
    split = 1
    while split * 2 < len(entries):
        split *= 2
    if old <= split:
        return [*naive_consistency(old, entries[:split], whole), naive_root(entries[split:])]
    return [*naive_consistency(old - split, entries[split:], False), naive_root(entries[:split])]


class Tree:
    """Stored complete subtrees, counting how often one is read."""

    def __init__(self, entries: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        for index, entry in enumerate(entries):
            leaf = leaf_hash(entry)
            self.nodes[0, index] = leaf
            for level, number, value in completed(index, leaf, self.node):
                assert (level, number) not in self.nodes
                self.nodes[level, number] = value

    def node(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]


entry_lists = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root(size, Tree(ENTRIES).node).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert root(0, Tree([]).node) == EMPTY_ROOT == naive_root([])


@given(entries=entry_lists)
def test_every_prefix_has_the_naive_root(entries: list[bytes]) -> None:
    tree = Tree(entries)
    for size in range(len(entries) + 1):
        assert root(size, tree.node) == naive_root(entries[:size])


@given(entries=entry_lists, data=st.data())
def test_inclusion_proofs_are_the_naive_ones_and_verify(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, Tree(entries).node)
    assert proof == naive_path(index, entries[:size])
    assert verify_inclusion(leaf_hash(entries[index]), index, size, proof, naive_root(entries[:size]))


@given(entries=entry_lists, data=st.data())
def test_consistency_proofs_are_the_naive_ones_and_verify(entries: list[bytes], data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(entries)))
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, Tree(entries).node)
    assert proof == naive_consistency(old, entries[:new])
    assert verify_consistency(old, new, naive_root(entries[:old]), naive_root(entries[:new]), proof)


@given(size=st.integers(2, 70), data=st.data())
@settings(max_examples=200)
def test_a_proof_of_one_thing_proves_no_other(size: int, data: st.DataObject) -> None:
    entries = [bytes([number]) for number in range(size)]
    tree, top = Tree(entries), naive_root(entries)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, tree.node)
    leaf = leaf_hash(entries[index])
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    assert not verify_inclusion(leaf_hash(entries[other]), index, size, proof, top)
    assert not verify_inclusion(leaf, index, size, proof, hashlib.sha256(top).digest())
    assert not verify_inclusion(leaf, index, size, [*proof, top], top)
    assert not verify_inclusion(leaf, index, size, proof[:-1], top)
    place = data.draw(st.integers(0, len(proof) - 1))
    flipped = [bytes([item[0] ^ 1]) + item[1:] if number == place else item for number, item in enumerate(proof)]
    assert not verify_inclusion(leaf, index, size, flipped, top)


@given(size=st.integers(2, 70), data=st.data())
@settings(max_examples=200)
def test_a_rewritten_log_is_consistent_with_no_older_root(size: int, data: st.DataObject) -> None:
    entries = [bytes([number]) for number in range(size)]
    old = data.draw(st.integers(1, size - 1))
    before = naive_root(entries[:old])
    changed = list(entries)
    changed[data.draw(st.integers(0, old - 1))] = b"changed"
    proof = consistency_proof(old, size, Tree(changed).node)
    assert not verify_consistency(old, size, before, naive_root(changed), proof)
    honest = consistency_proof(old, size, Tree(entries).node)
    after = naive_root(entries)
    assert not verify_consistency(old, size, before, after, honest[:-1])
    assert not verify_consistency(old, size, before, after, [*honest, after])


def test_sizes_and_places_that_cannot_be_are_refused() -> None:
    tree = Tree(ENTRIES)
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(ValueError, match="not in a tree"):
            inclusion_proof(index, size, tree.node)
        assert not verify_inclusion(b"", index, size, [], EMPTY_ROOT)
    for old, new in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="no tree"):
            consistency_proof(old, new, tree.node)
        assert not verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, [])


def test_every_log_begins_with_the_empty_one_and_with_itself() -> None:
    top = naive_root(ENTRIES)
    assert consistency_proof(0, 8, Tree(ENTRIES).node) == consistency_proof(8, 8, Tree(ENTRIES).node) == []
    assert verify_consistency(0, 8, EMPTY_ROOT, top, [])
    assert verify_consistency(8, 8, top, top, [])
    assert not verify_consistency(8, 8, EMPTY_ROOT, top, [])
    assert not verify_consistency(0, 8, top, top, [])
    assert not verify_consistency(0, 8, EMPTY_ROOT, top, [top])


def test_appends_store_one_node_each_and_proofs_read_logarithmically_many() -> None:
    size = 5000
    tree = Tree([number.to_bytes(4) for number in range(size)])
    assert len(tree.nodes) < 2 * size
    assert tree.reads < size
    for index in (0, 1, 2500, 4095, 4096, 4999):
        tree.reads = 0
        inclusion_proof(index, size, tree.node)
        assert tree.reads <= 2 * size.bit_length()
        tree.reads = 0
        consistency_proof(index + 1, size, tree.node)
        assert tree.reads <= 2 * size.bit_length()
