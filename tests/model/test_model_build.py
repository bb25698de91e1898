"""The folder that a build makes: proven, complete, the same bytes every time, and opened only when every byte fits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mintage.attest.keys import FileSigner, PublicKey
from mintage.attest.oms import sign_model
from mintage.errors import (
    EstimatorRefusedError,
    GoldenFailedError,
    IntegrityError,
    MintageError,
    PackageInvalidError,
    ParityFailedError,
)
from mintage.model.build import build_model
from mintage.model.golden import Golden, replay
from mintage.model.package import FILES, open_package
from mintage.profile.profile import decode_profile


def keys(made: Any) -> list[PublicKey]:
    return [PublicKey.from_pem(made.signer.public_pem)]


def test_a_model_is_proven_on_every_row_and_as_many_edge_rows(made: Any) -> None:
    validation, edge = made.built.parity
    assert validation.compared == validation.rows == 300
    assert edge.rows >= 300
    assert validation.max_error <= 1e-12
    assert edge.max_error <= 1e-12
    assert validation.label_flips == edge.label_flips == 0


def test_two_builds_are_the_same_bytes(made: Any, tmp_path: Path) -> None:
    again = build_model(
        workdir=tmp_path,
        spec=made.spec,
        columns=made.columns,
        groups=made.groups,
        extract=made.inside,
        facts={"commit": "4a1c", "metrics": {"auc": 0.75}},
        signer=made.signer,
    )
    assert again.root == made.built.root
    for name in (*FILES, "model.sig"):
        assert (again.folder / name).read_bytes() == (made.built.folder / name).read_bytes()


def test_an_opened_model_has_everything_to_serve_and_watch_it(made: Any) -> None:
    package = open_package(made.built.folder, keys=keys(made))
    assert package.root == made.built.root
    assert package.key_id == made.signer.key_id
    assert replay(package.golden, package.predictor()) <= 1e-12
    assert len(package.golden.values) == 256
    profile = decode_profile(package.profile_bytes)
    assert [stream.name for stream in profile.streams] == [*made.spec.inputs, "#score"]
    assert (profile.rows, profile.groups) == (300, 25)
    city = package.signature.inputs[0]
    assert city.categories is not None
    assert len(city.categories) == 30
    assert not city.nullable


def test_the_card_is_rendered_from_facts(made: Any) -> None:
    package = open_package(made.built.folder)
    assert package.key_id is None
    assert package.card["facts"] == {"commit": "4a1c", "metrics": {"auc": 0.75}}
    text = package.files["CARD.md"].decode()
    assert "| metrics.auc | 0.75 |" in text
    assert "Tell who will leave." in text
    assert "- Made of random numbers." in text
    assert "| edge |" in text


@pytest.mark.parametrize("name", [*FILES, "model.sig"])
def test_a_flipped_bit_in_any_file_is_found(name: str, made: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(made.built.folder, tmp_path / "model")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    for known in (keys(made), None):
        if name == "model.sig" and known is None:
            continue  # without keys nothing can be said about the signature itself
        with pytest.raises(MintageError) as caught:
            open_package(folder, keys=known)
        assert isinstance(caught.value, IntegrityError)


@pytest.mark.parametrize("change", ["missing", "added"])
def test_a_missing_or_an_added_file_is_found_even_if_signed(change: str, made: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(made.built.folder, tmp_path / "model")
    if change == "missing":
        (folder / "profile.json").unlink()
    else:
        (folder / "weights.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(PackageInvalidError):
        open_package(folder)
    sign_model(folder, made.signer)
    with pytest.raises(PackageInvalidError, match="does not hold what a model does"):
        open_package(folder, keys=keys(made))


def test_a_model_signed_by_an_unknown_key_is_not_opened(made: Any, tmp_path: Path) -> None:
    stranger = FileSigner.create(tmp_path / "stranger.pem", name="stranger")
    with pytest.raises(IntegrityError):
        open_package(made.built.folder, keys=[PublicKey.from_pem(stranger.public_pem)])


def test_golden_rows_that_differ_are_told_with_their_row(made: Any) -> None:
    package = open_package(made.built.folder)
    golden = package.golden
    values = golden.values.copy()
    values[17] += 1e-9
    wrong = Golden(columns=golden.columns, values=values, labels=golden.labels, tolerance=golden.tolerance)
    with pytest.raises(GoldenFailedError) as caught:
        replay(wrong, package.predictor())
    assert caught.value.where == "golden row 17"


def test_a_model_that_differs_is_not_written_and_its_worst_row_is_shrunk(made: Any, tmp_path: Path) -> None:
    def liar(table: Path, out: Path) -> None:
        """The original says something else wherever ratio is above 1."""
        made.inside(table, out)
        with np.load(table) as archive:
            meta = json.loads(archive["columns"].tobytes())
            place = [column["name"] for column in meta].index("ratio")
            high = archive[f"c{place}"] > 1.0
        with np.load(out / "native.npz") as archive:
            arrays = dict(archive)
        arrays["values"][high] = 0.125, 0.875
        np.savez(out / "native.npz", **arrays)

    with pytest.raises(ParityFailedError) as caught:
        build_model(
            workdir=tmp_path,
            spec=made.spec,
            columns=made.columns,
            groups=made.groups,
            extract=liar,
            facts={},
            signer=made.signer,
        )
    assert not (tmp_path / "model").exists()
    first = {name: column[0] for name, column in made.columns.items()}
    found = caught.value.found or ""
    assert "ratio=" in found
    same = [name for name in ("city", "visits") if f"{name}={first[name]!r}" in found]
    assert len(same) >= 1


def test_a_column_declared_as_another_type_is_refused(made: Any, tmp_path: Path) -> None:
    texts = np.array([str(value) for value in made.columns["visits"]], dtype=object)
    with pytest.raises(EstimatorRefusedError, match="visits"):
        build_model(
            workdir=tmp_path,
            spec=made.spec,
            columns={**made.columns, "visits": texts},
            groups=None,
            extract=made.inside,
            facts={},
            signer=made.signer,
        )
