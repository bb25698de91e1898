import os
import stat

import pytest

from mintage.errors import BlobMissingError, DataError, DigestMismatchError
from mintage.record.digest import blake3_bytes
from mintage.record.envelope import Record
from mintage.store.local import Store
from mintage.store.publish import publish_all
from mintage.store.statcache import StatCache


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "folder"
    (root / "sub").mkdir(parents=True)
    (root / "a.bin").write_bytes(os.urandom(3_000_000))
    (root / "sub" / "b.sh").write_bytes(b"#!/bin/sh\n")
    (root / "sub" / "b.sh").chmod(0o755)
    return root


def test_bytes_come_back_under_their_digest(store):
    digest = store.put_bytes(b"hello")
    assert digest == blake3_bytes(b"hello")
    assert store.get_bytes(digest) == b"hello"
    assert store.put_bytes(b"hello") == digest


def test_a_folder_comes_back_with_its_modes(store, folder, tmp_path):
    digest = store.put_tree(folder)
    store.checkout_tree(digest, tmp_path / "copy")
    assert (tmp_path / "copy/a.bin").read_bytes() == (folder / "a.bin").read_bytes()
    assert os.access(tmp_path / "copy/sub/b.sh", os.X_OK)
    assert store.put_tree(tmp_path / "copy") == digest


@pytest.mark.parametrize("position", [0, 1_500_000, 2_999_999])
def test_a_flipped_bit_is_never_handed_out(store, folder, tmp_path, position):
    digest = store.put_file(folder / "a.bin")
    path = store.path_of(digest)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(DigestMismatchError):
        store.get_bytes(digest)
    target = tmp_path / "out"
    target.write_bytes(b"before")
    with pytest.raises(DigestMismatchError):
        store.checkout(digest, target)
    assert target.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".tmp")] == []


def test_adding_again_heals_a_damaged_blob(store, folder):
    digest = store.put_file(folder / "a.bin")
    path = store.path_of(digest)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert store.put_file(folder / "a.bin") == digest
    assert store.get_bytes(digest) == (folder / "a.bin").read_bytes()


def test_a_truncated_or_missing_blob_is_named(store, folder):
    digest = store.put_tree(folder)
    entry = store.get_tree(digest).entries[0]
    store.path_of(entry.digest).unlink()
    with pytest.raises(BlobMissingError, match=entry.digest[:15]):
        store.verify_tree(digest)


@pytest.mark.parametrize("link", ["file", "folder"])
def test_symbolic_links_are_refused(store, folder, link):
    (folder / "link").symlink_to(folder / "a.bin" if link == "file" else folder / "sub")
    with pytest.raises(DataError, match="symbolic"):
        store.put_tree(folder)


def test_a_record_is_read_only_as_its_kind(store):
    digest = store.put_record(Record(kind="run", version=0, upstream=(), body={"a": 1}))
    assert store.get_record(digest, kind="run").body == {"a": 1}


def test_the_stat_cache_sees_a_change_of_content_with_the_same_size_and_time(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    with StatCache(tmp_path / "cache.db") as cache:
        first = cache.file_digest(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    with StatCache(tmp_path / "cache.db") as cache:
        assert cache.file_digest(path) == blake3_bytes(b"two") != first


def test_a_fresh_file_is_not_trusted_by_its_time(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    with StatCache(tmp_path / "cache.db") as cache:
        cache.file_digest(path)
    with StatCache(tmp_path / "cache.db") as cache:
        assert cache._connection.execute("SELECT count(*) FROM stat").fetchone() == (0,)


def test_files_published_together_are_whole_and_their_folder_is_waited_for_once(tmp_path, monkeypatch):
    kinds = []
    wait = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda number: (kinds.append(stat.S_ISDIR(os.fstat(number).st_mode)), wait(number))
    )
    files = {tmp_path / "new" / name: name.encode() for name in "abc"}
    publish_all(files)
    assert kinds == [False, False, False, True]
    assert {path: path.read_bytes() for path in (tmp_path / "new").iterdir()} == files
    publish_all({})
