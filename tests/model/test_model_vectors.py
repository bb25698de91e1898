"""Models of version 1, written once and kept: each later version opens them, proves them and gives their answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mintage.attest.keys import PublicKey
from mintage.model.golden import replay
from mintage.model.loaded import load_model
from mintage.model.package import open_package

VECTORS = Path(__file__).parent.parent / "vectors" / "model-v1"
ROOTS = {
    "late": "sha256:f53aae88166eeeb34dccf18b04f8c8ca67806ce2e56851fb1a5cc74c79669765",
    "band": "sha256:b2a26754d4633daeffce3a5138eca77451412080b8805be6a764707df40e3e94",
    "minutes": "sha256:f0b2b8077760b018ba9ec3184fa808336b6f50fe52b66e623c41eb479090b8fd",
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_model_of_version_1_is_opened_proven_and_answers_as_it_did(name: str) -> None:
    key = PublicKey.from_pem((VECTORS / "project.pem.pub").read_bytes())
    package = open_package(VECTORS / name, keys=[key])
    assert package.root == ROOTS[name]
    assert len(package.golden.values) == 256
    assert replay(package.golden, package.predictor()) <= package.golden.tolerance == 1e-12


def test_their_outputs_are_those_of_each_task() -> None:
    rows = {name: column[:3] for name, column in open_package(VECTORS / "late").golden.columns.items()}
    assert load_model(VECTORS / "late").predict(rows).scores.shape == (3,)
    band = load_model(VECTORS / "band")
    assert band.predict(rows).probabilities.shape == (3, 3)
    assert band.signature.outputs[1].classes == ("early", "late", "on time")
    assert np.isfinite(load_model(VECTORS / "minutes").predict(rows).values).all()
