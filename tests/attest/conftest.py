"""Keys and a small signed folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from attest_folder import write_files

from mintage.attest.keys import FileSigner
from mintage.attest.oms import sign_model


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    return FileSigner.create(tmp_path_factory.mktemp("keys") / "ana.pem", name="ana")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    return FileSigner.create(tmp_path_factory.mktemp("keys") / "mallory.pem", name="mallory")


@pytest.fixture
def folder(tmp_path: Path, signer: FileSigner) -> Path:
    """A signed folder."""
    path = write_files(tmp_path / "late")
    sign_model(path, signer)
    return path
