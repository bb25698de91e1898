"""A model's folder is signed whole: whatever is changed, added, removed or smuggled in is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attest_folder import FILES, write_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mintage.attest.bundle import encode_bundle
from mintage.attest.dsse import sign
from mintage.attest.keys import FileSigner
from mintage.attest.oms import (
    PREDICATE_TYPE,
    model_resources,
    parse_model_signature,
    root_digest,
    sign_model,
    verify_model,
)
from mintage.attest.resources import Resource
from mintage.attest.statement import PAYLOAD_TYPE, Statement, Subject, encode_statement
from mintage.errors import (
    BundleInvalidError,
    IntegrityError,
    ModelFolderError,
    ModelTamperedError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureUnsupportedError,
    StatementInvalidError,
)
from mintage.record.digest import hex_of

FILES_HOW: dict[str, Any] = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}


def write_signature(
    folder: Path,
    signer: FileSigner,
    *,
    resources: list[dict[str, Any]],
    how: dict[str, Any] | None = None,
    root: str | None = None,
) -> None:
    """A signature of a trusted signer that says whatever the test wants."""
    if root is None:
        root = root_digest(Resource(item["name"], item["digest"]) for item in resources)
    statement = Statement(
        subjects=(Subject(name="late", digest={"sha256": hex_of(root)}),),
        predicate_type=PREDICATE_TYPE,
        predicate={"resources": resources, "serialization": how or FILES_HOW},
    )
    envelope = sign(encode_statement(statement), payload_type=PAYLOAD_TYPE, signer=signer)
    (folder / "model.sig").write_bytes(encode_bundle(envelope, hint=signer.public.hint))


def listed(folder: Path, algorithm: Any = "sha256") -> list[dict[str, Any]]:
    return [
        {"name": item.name, "digest": item.digest, "algorithm": item.algorithm}
        for item in model_resources(folder, algorithm=algorithm)
    ]


def test_a_signed_folder_verifies_and_says_its_root_key_and_files(folder: Path, signer: FileSigner) -> None:
    signature = verify_model(folder, [signer.public])
    assert signature.root == root_digest(model_resources(folder))
    assert signature.key_id == signer.key_id
    assert [resource.name for resource in signature.resources] == sorted(FILES)


def test_the_root_is_of_the_files_alone(tmp_path: Path, signer: FileSigner, stranger: FileSigner) -> None:
    one, two = write_files(tmp_path / "one"), write_files(tmp_path / "two")
    assert sign_model(one, signer) == sign_model(two, stranger, name="other")


def test_signing_twice_gives_the_same_bytes(tmp_path: Path, signer: FileSigner) -> None:
    one, two = write_files(tmp_path / "one"), write_files(tmp_path / "two")
    sign_model(one, signer, name="late")
    sign_model(two, signer, name="late")
    first = (one / "model.sig").read_bytes()
    assert first == (two / "model.sig").read_bytes()
    sign_model(one, signer, name="late")
    assert first == (one / "model.sig").read_bytes()


def test_the_root_is_the_digest_of_the_concatenated_digests() -> None:
    import hashlib

    resources = [Resource("a", "00" * 32), Resource("b", "ff" * 32)]
    assert root_digest(resources) == "sha256:" + hashlib.sha256(bytes(32) + b"\xff" * 32).hexdigest()


def test_resources_are_sorted_by_code_point_not_by_folder(tmp_path: Path) -> None:
    for name in ("a/b", "a-b", "Z", "é", "a.b"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    assert [item.name for item in model_resources(tmp_path)] == ["Z", "a-b", "a.b", "a/b", "é"]


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_of_a_signed_folder_is_detected_and_the_file_named(
    folder: Path, signer: FileSigner, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*(name for name in FILES if FILES[name]), "model.sig"]))
    path = folder / name
    before = path.read_bytes()
    after = bytearray(before)
    after[data.draw(st.integers(0, len(after) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(after))
    try:
        with pytest.raises(IntegrityError) as caught:
            verify_model(folder, [signer.public])
        assert name in f"{caught.value.where} {caught.value.found}"
    finally:
        path.write_bytes(before)


def _add(folder: Path) -> None:
    (folder / "golden" / "extra.json").write_text("{}")


def _remove(folder: Path) -> None:
    (folder / "empty").unlink()


def _rename(folder: Path) -> None:
    (folder / "empty").rename(folder / "void")


def _swap(folder: Path) -> None:
    one, two = (folder / "golden" / name for name in ("inputs.json", "expected.json"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (_add, "golden/extra.json is not in the signature"),
        (_remove, "empty is missing"),
        (_rename, "empty is missing; void is not in the signature"),
        (_swap, "golden/expected.json was changed; golden/inputs.json was changed"),
    ],
    ids=["added", "removed", "renamed", "swapped"],
)
def test_files_that_differ_from_the_signed_ones_are_named(
    folder: Path, signer: FileSigner, tamper: Callable[[Path], None], found: str
) -> None:
    tamper(folder)
    with pytest.raises(ModelTamperedError) as caught:
        verify_model(folder, [signer.public])
    assert caught.value.found == found
    assert caught.value.where == str(folder)


def test_many_differences_are_counted_not_listed(folder: Path, signer: FileSigner) -> None:
    for number in range(50):
        (folder / f"extra{number}").write_text("")
    with pytest.raises(ModelTamperedError, match="not the ones") as caught:
        verify_model(folder, [signer.public])
    assert str(caught.value.found).endswith("and 42 more")


def test_a_strangers_signature_is_refused(folder: Path, signer: FileSigner, stranger: FileSigner) -> None:
    sign_model(folder, stranger)
    with pytest.raises(SignatureInvalidError, match="not trusted"):
        verify_model(folder, [signer.public])


def test_an_unsigned_folder_says_so(folder: Path, signer: FileSigner) -> None:
    (folder / "model.sig").unlink()
    with pytest.raises(SignatureMissingError):
        verify_model(folder, [signer.public])


def test_a_signature_that_is_a_link_is_refused(folder: Path, signer: FileSigner, tmp_path: Path) -> None:
    shutil.move(folder / "model.sig", tmp_path / "elsewhere.sig")
    (folder / "model.sig").symlink_to(tmp_path / "elsewhere.sig")
    with pytest.raises(SignatureMissingError, match="not signed"):
        verify_model(folder, [signer.public])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, signer: FileSigner) -> None:
    with pytest.raises(ModelFolderError, match="not a folder"):
        verify_model(tmp_path / "none", [signer.public])


def test_an_empty_folder_is_not_signed(tmp_path: Path, signer: FileSigner) -> None:
    with pytest.raises(ModelFolderError, match="no files"):
        sign_model(tmp_path, signer)


def test_a_link_to_a_file_is_refused_when_signing_and_when_verifying(folder: Path, signer: FileSigner) -> None:
    target = folder / "model.onnx"
    moved = folder.parent / "model.onnx"
    shutil.move(target, moved)
    target.symlink_to(moved)
    for act in (lambda: sign_model(folder, signer), lambda: verify_model(folder, [signer.public])):
        with pytest.raises(ModelFolderError) as caught:
            act()
        assert (caught.value.found, caught.value.where) == ("a symbolic link", str(target))


def test_a_link_to_a_folder_is_not_followed(folder: Path, signer: FileSigner) -> None:
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    with pytest.raises(ModelFolderError, match="no regular file"):
        sign_model(folder, signer)


def test_a_pipe_is_refused_without_being_opened(folder: Path, signer: FileSigner) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ModelFolderError) as caught:
        verify_model(folder, [signer.public])
    assert caught.value.found == "a device, pipe or socket"


@pytest.mark.parametrize("name", [b"caf\xe9", b"new\nline", b"back\\slash"])
def test_names_that_cannot_be_signed_are_refused(folder: Path, signer: FileSigner, name: bytes) -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_text("")  # noqa: PTH118 - bytes have no Path
    with pytest.raises(ModelFolderError, match="name cannot be signed"):
        sign_model(folder, signer)


def test_gits_own_files_at_the_top_are_left_out_and_only_there(folder: Path, signer: FileSigner) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (folder / ".gitignore").write_text("*")
    assert verify_model(folder, [signer.public]).root == root_digest(model_resources(folder))
    (folder / "golden" / ".gitignore").write_text("*")
    with pytest.raises(ModelTamperedError):
        verify_model(folder, [signer.public])


def test_a_path_that_the_signer_left_out_is_refused_while_it_is_there(folder: Path, signer: FileSigner) -> None:
    resources = [item for item in listed(folder) if item["name"] != "model.onnx"]
    write_signature(folder, signer, resources=resources, how=FILES_HOW | {"ignore_paths": ["model.onnx", "cache"]})
    with pytest.raises(ModelTamperedError, match="left a path out") as caught:
        verify_model(folder, [signer.public])
    assert caught.value.found == "model.onnx"
    (folder / "model.onnx").unlink()
    verify_model(folder, [signer.public])


@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "blake3"])
def test_all_three_hash_algorithms_verify(folder: Path, signer: FileSigner, algorithm: str) -> None:
    write_signature(folder, signer, resources=listed(folder, algorithm), how=FILES_HOW | {"hash_type": algorithm})
    verify_model(folder, [signer.public])
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(ModelTamperedError):
        verify_model(folder, [signer.public])


def test_a_signature_over_shards_is_told_apart(folder: Path, signer: FileSigner) -> None:
    shards = [item | {"name": item["name"] + ":0:7"} for item in listed(folder)]
    shards.sort(key=lambda item: item["name"])
    write_signature(folder, signer, resources=shards, how=FILES_HOW | {"method": "shards", "shard_size": 1000})
    with pytest.raises(SignatureUnsupportedError, match="shards"):
        verify_model(folder, [signer.public])


GOOD = {"name": "b", "digest": "ab" * 32, "algorithm": "sha256"}


@pytest.mark.parametrize(
    ("resources", "how", "reason"),
    [
        ([], FILES_HOW, "no resources"),
        ([GOOD, GOOD], FILES_HOW, "'b' stands twice"),
        ([GOOD, GOOD | {"name": "a"}], FILES_HOW, "not sorted by name at 'a'"),
        ([GOOD | {"name": "../../etc/passwd"}], FILES_HOW, "unsafe path: '../../etc/passwd'"),
        ([GOOD | {"name": "/etc/passwd"}], FILES_HOW, "unsafe path"),
        ([GOOD | {"name": "a/./b"}], FILES_HOW, "unsafe path"),
        ([GOOD | {"name": "a//b"}], FILES_HOW, "unsafe path"),
        ([GOOD | {"name": "a\\b"}], FILES_HOW, "unsafe path"),
        ([GOOD | {"name": "a\x00b"}], FILES_HOW, "unsafe path"),
        ([GOOD | {"name": ""}], FILES_HOW, "unsafe path"),
        ([GOOD | {"digest": "ab" * 31}], FILES_HOW, "digest that is not one"),
        ([GOOD | {"digest": "AB" * 32}], FILES_HOW, "digest that is not one"),
        ([GOOD | {"algorithm": "md5"}], FILES_HOW, "Invalid enum value 'md5'"),
        ([GOOD | {"algorithm": "blake3"}], FILES_HOW, "not as serialization says"),
        ([GOOD], FILES_HOW | {"method": "shards"}, "shard_size"),
        ([GOOD], FILES_HOW | {"shard_size": 5}, "shard_size"),
        ([GOOD], FILES_HOW | {"method": "shards", "shard_size": 0}, "shard_size"),
        ([GOOD], FILES_HOW | {"ignore_paths": ["../x"]}, "unsafe path"),
        ([GOOD], FILES_HOW | {"speed": "fast"}, "unknown field `speed`"),
        ([GOOD], {"method": "files", "hash_type": "sha256"}, "allow_symlinks"),
    ],
)
def test_a_trusted_signers_malformed_manifest_is_refused_with_its_reason(
    folder: Path, signer: FileSigner, resources: list[dict[str, Any]], how: dict[str, Any], reason: str
) -> None:
    write_signature(folder, signer, resources=resources, how=how, root="sha256:" + "0" * 64)
    with pytest.raises(StatementInvalidError) as caught:
        verify_model(folder, [signer.public])
    assert reason in str(caught.value.found)


def test_a_subject_that_is_not_the_root_of_its_resources_is_refused(folder: Path, signer: FileSigner) -> None:
    write_signature(folder, signer, resources=listed(folder), root="sha256:" + "0" * 64)
    with pytest.raises(StatementInvalidError) as caught:
        verify_model(folder, [signer.public])
    assert "subject" in str(caught.value.found)


def test_unknown_fields_of_a_resource_are_ignored_as_the_specification_says(folder: Path, signer: FileSigner) -> None:
    write_signature(folder, signer, resources=[item | {"mediaType": "x"} for item in listed(folder)])
    verify_model(folder, [signer.public])


def test_a_huge_signature_file_is_refused(folder: Path, signer: FileSigner) -> None:
    with (folder / "model.sig").open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(BundleInvalidError) as caught:
        verify_model(folder, [signer.public])
    assert "more than" in str(caught.value.found)


def test_a_sealed_certificate_is_no_model_signature(signer: FileSigner) -> None:
    from mintage.attest.seal import seal

    certificate = Statement(
        subjects=(Subject(name="late", digest={"sha256": "0" * 64}),), predicate_type="https://e.org/v0", predicate={}
    )
    with pytest.raises(StatementInvalidError, match="not a model"):
        parse_model_signature(seal(certificate, signer))
