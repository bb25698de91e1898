"""The reference implementation (package ``model-signing``) accepts what is signed here, and the other way round.

Runs where that package is installed; it is no dependency of the project.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mintage.attest.keys import FileSigner
from mintage.attest.oms import model_resources, root_digest, verify_model
from mintage.errors import ModelTamperedError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("model_signing") is None, reason="the package model-signing is not installed"
)


def official(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model_signing", *map(str, arguments)], check=False, capture_output=True, text=True
    )


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "key.pem"
    FileSigner.create(path, name="key")
    return path


def test_the_official_verifier_accepts_our_signature_and_finds_tampering(
    folder: Path, signer: FileSigner, tmp_path: Path
) -> None:
    public = tmp_path / "signer.pub"
    public.write_bytes(signer.public_pem)
    arguments = ("verify", "key", folder, "--signature", folder / "model.sig", "--public_key", public)
    accepted = official(*arguments)
    assert accepted.returncode == 0, accepted.stderr
    (folder / "model.onnx").write_bytes(b"other")
    assert official(*arguments).returncode != 0


def test_we_accept_the_official_signature_and_find_tampering(folder: Path, key_file: Path) -> None:
    (folder / "model.sig").unlink()
    ended = official("sign", "key", folder, "--signature", folder / "model.sig", "--private_key", key_file)
    assert ended.returncode == 0, ended.stderr
    keys = [FileSigner.load(key_file).public]
    assert verify_model(folder, keys).root == root_digest(model_resources(folder))
    shutil.copy(folder / "model.onnx", folder / "copy.onnx")
    with pytest.raises(ModelTamperedError):
        verify_model(folder, keys)
