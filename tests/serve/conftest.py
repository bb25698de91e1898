from __future__ import annotations

import sys
from pathlib import Path

import pytest
from serve_gateways import Environment
from serve_models import build_small_model

from mintage.attest.keys import FileSigner
from mintage.serve.control import gateway_state, stop_gateway
from mintage.serve.lock import holder

sys.path.append(str(Path(__file__).parents[1] / "model"))  # hand-made models of every task


@pytest.fixture(scope="session")
def signer(tmp_path_factory):
    return FileSigner.create(tmp_path_factory.mktemp("keys") / "builder.pem", name="builder")


@pytest.fixture(scope="session")
def models(tmp_path_factory, signer):
    """Two models of one signature: ``models[0]`` and ``models[1]``, which adds 1 before the sigmoid."""
    folder = tmp_path_factory.mktemp("models")
    return [build_small_model(folder / str(bias), bias, signer) for bias in (0, 1)]


@pytest.fixture
def environment(tmp_path):
    environment = Environment(tmp_path / "production")
    environment.dir.mkdir()
    yield environment
    stop_gateway(environment.dir)
    assert holder(environment.dir) is None


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, models):
    """A gateway that the tests of one file share, for what leaves no trace."""
    environment = Environment(tmp_path_factory.mktemp("shared"))
    environment.desire(models[0])
    environment.start()
    yield environment
    assert gateway_state(environment.dir) is not None
    stop_gateway(environment.dir)


@pytest.fixture
def client(gateway):
    client = gateway.client()
    yield client
    client.close()
