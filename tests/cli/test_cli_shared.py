"""Results that were shared, behind a model: `verify` walks them in another clone, and a release rests on CI's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mintage.attest.keys import FileSigner
from mintage.attest.trust import Role, read_trust, render_trust
from small_project import SmallProject

EXTRA = "stages:\n  extra: {run: python extra.py, in: [params.yaml], out: [work/extra.bin]}\n"


@pytest.fixture
def shared(released: SmallProject, tmp_path: Path) -> SmallProject:
    """The released project with a remote, one more stage that no model rests on, and its results shared."""
    released.write("mintage.yaml", released.read("mintage.yaml") + f"remote: {tmp_path / 'remote'}\n")
    released.replace("mintage.yaml", "stages:\n", EXTRA)
    released.write("extra.py", 'open("work/extra.bin", "w").write("x")\n')
    released.replace("params.yaml", "0.05", "0.06")
    released.commit("a remote")
    released.run("run")
    released.commit("it ran")
    assert released.run("push", "--json").json["shared"] == ["extra", "model:buys", "split", "train"]
    return released


def clone(project: SmallProject, folder: Path, name: str, *roles: Role) -> SmallProject:
    """A clone whose key has these roles, with the raw data and the commits of others' runs."""
    made = SmallProject(folder / name, project.home)
    project.git("clone", "-q", f"file://{project.root}", str(made.root))
    signer = FileSigner.create(made.root / ".mintage/keys/project.pem", name=name)
    keys = {each.name: (each.key.pem, each.roles) for each in read_trust(project.root / "trust.yaml").keys}
    project.write("trust.yaml", render_trust({**keys, name: (signer.public_pem, roles)}))
    project.commit(f"{name} joins")
    made.git("pull", "-q")
    made.git("fetch", "-q", "origin", "refs/mintage/*:refs/mintage/*")
    made.write("data/visits.csv", project.read("data/visits.csv"))
    return made


@pytest.mark.slow
def test_verify_walks_what_was_downloaded_and_the_same_model_comes_out(shared: SmallProject, tmp_path: Path) -> None:
    cleo = clone(shared, tmp_path, "cleo", "certificate")
    assert cleo.run("run", "train", "--json").json["actions"] == {"split": "download", "train": "download"}
    answer = cleo.run("run", "model:buys", "--only", "--json")
    assert answer.json["actions"] == {"model:buys": "download"} and "downloaded (made by local, " in answer.err
    assert cleo.git("status", "--porcelain") == "", "the locks are the maker's"
    assert not cleo.blob(shared.lock("extra")["outputs"][0]["digest"]).exists()
    said = cleo.run("verify", "buys").out
    assert "verified: all" in said and "those of 1 other stage are not here" in said
    cleo.blob(shared.lock("split")["outputs"][0]["digest"]).unlink()
    assert "is not in the store" in cleo.run("verify", "buys", expect=4).out


@pytest.mark.slow
def test_a_model_is_taken_from_who_may_sign_models_alone(shared: SmallProject, tmp_path: Path) -> None:
    shared.replace("trust.yaml", "roles: [model, certificate, release, result]", "roles: [result]")
    shared.commit("local signs no models any more")
    cleo = clone(shared, tmp_path, "cleo", "model")
    answer = cleo.run("run", "--json")
    assert answer.json["actions"] == {
        "extra": "download",
        "split": "download",
        "train": "download",
        "model:buys": "run",
    }
    assert "a shared result is not used: local may not sign models here" in answer.err
    assert cleo.lock("model:buys")["root"] == shared.lock("model:buys")["root"]
    assert cleo.git("diff", "--name-only") == "mintage.lock/model%3Abuys.json", "its record is of this clone"


@pytest.mark.slow
def test_a_release_rests_on_results_of_ci_alone_where_trust_names_one(shared: SmallProject, tmp_path: Path) -> None:
    ci = clone(shared, tmp_path, "ci", "ci", "model", "certificate")
    answer = shared.run("certify", "buys", expect=1)
    assert "error[certify.made-elsewhere]" in answer.err
    assert "split was made by local; train was made by local" in answer.err and "signed by ci" in answer.err
    ci.run("run", "train", "--force", "--share")
    (tmp_path / "remote").rename(tmp_path / "away")
    assert "train was made by " in shared.run("certify", "buys", expect=1).err, "nobody can be asked"
    (tmp_path / "away").rename(tmp_path / "remote")
    assert shared.run("certify", "buys", "--json").json["verdict"] == "PASS", "CI made the same bytes"
    shared.replace("params.yaml", "0.06", "0.08")
    shared.run("run")
    answer = shared.run("certify", "buys", expect=1)
    assert "train was made by user:" in answer.err and "unsigned" in answer.err and "split was" not in answer.err
