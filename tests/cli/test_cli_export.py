"""``mintage export``: every platform, in a project and of a bare folder; what is there is not overwritten."""

import shutil

import pytest

from mintage.attest.keys import FileSigner
from mintage.model.export.registry import known_exports
from small_project import SmallProject, flip


def folder_of(project):
    """The folder of the model that the lock names."""
    root = project.lock("model:buys")["root"]
    return project.root / ".mintage" / "models" / "buys" / root.rpartition(":")[2][:16]


@pytest.fixture(scope="module")
def model(_released, tmp_path_factory):
    """A model's folder outside any project."""
    return shutil.copytree(folder_of(_released), tmp_path_factory.mktemp("bare") / "buys")


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory):
    return SmallProject(tmp_path_factory.mktemp("nowhere"), tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("platform", known_exports())
def test_a_model_of_the_project_is_exported_to_every_platform(_released, tmp_path, platform):
    out = tmp_path / "out"
    found = _released.run("export", "buys", "--to", platform, "--out", str(out), "--json").json
    assert (found["model"], found["to"], found["root"]) == ("buys", platform, _released.lock("model:buys")["root"])
    written = {path.relative_to(out).as_posix(): path.stat().st_size for path in out.rglob("*") if path.is_file()}
    assert written == found["files"]
    assert found["root"] in (out / "README.md").read_text()
    assert _released.git("status", "--porcelain") == ""


@pytest.mark.parametrize("platform", known_exports())
def test_a_bare_folder_is_exported_with_the_same_bytes(_released, nowhere, model, tmp_path, platform):
    key = str(_released.root / ".mintage" / "keys" / "project.pem.pub")
    for project, what, more in ((_released, "buys", ()), (nowhere, str(model), ("--trust", key))):
        project.run("export", what, "--to", platform, "--out", str(tmp_path / project.root.name), *more)
    first, second = (
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / _released.root.name, tmp_path / nowhere.root.name)
    )
    assert first == second


@pytest.mark.parametrize("platform", ["docker", "kserve"])
def test_what_an_image_verifies_by_is_asked_for(nowhere, model, platform):
    answer = nowhere.run("export", str(model), "--to", platform, expect=1)
    assert "--trust PUBKEY.pem" in answer.err
    assert list(nowhere.root.iterdir()) == []


def test_the_default_folder_is_named_after_model_and_platform_and_says_where_to_start(nowhere, model, tmp_path):
    answer = nowhere.run("export", str(model), "--to", "onnx", cwd=tmp_path)
    assert (tmp_path / "buys-onnx" / "model.onnx").read_bytes() == (model / "model.onnx").read_bytes()
    assert "for onnx in buys-onnx/" in answer.out and "buys-onnx/README.md" in answer.err


def test_a_folder_that_is_there_is_replaced_only_when_asked_and_only_if_it_is_an_export(nowhere, model, tmp_path):
    words = ("export", str(model), "--to", "onnx", "--out", str(tmp_path / "out"))
    nowhere.run(*words)
    (tmp_path / "out" / "old.txt").write_text("of an earlier export")
    assert "--force" in nowhere.run(*words, expect=1).err
    assert (tmp_path / "out" / "old.txt").exists()
    nowhere.run(*words, "--force")
    assert not (tmp_path / "out" / "old.txt").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "work.txt").write_text("dear to me")
    assert "not an earlier export" in nowhere.run(*words[:-1], str(mine), "--force", expect=1).err
    assert (mine / "work.txt").read_text() == "dear to me"


def test_a_model_that_is_not_there_and_a_platform_that_is_none_are_named(_released, nowhere, tmp_path):
    assert "did you mean 'buys'?" in _released.run("export", "buy", "--to", "onnx", expect=3).err
    answer = nowhere.run("export", str(tmp_path / "gone"), "--to", "onnx", expect=3)
    assert "model's folder" in answer.err
    answer = nowhere.run("export", str(tmp_path), "--to", "cobol", expect=2)
    assert all(name in answer.err for name in known_exports())


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "golden/expected.json"])
def test_a_folder_with_one_changed_bit_is_refused(nowhere, model, tmp_path, name):
    broken = shutil.copytree(model, tmp_path / "broken")
    flip(broken / name)
    answer = nowhere.run("export", str(broken), "--to", "onnx", "--out", str(tmp_path / "out"), expect=4)
    assert name in answer.err and not (tmp_path / "out").exists()


def test_a_folder_that_another_key_signed_is_refused(nowhere, model, tmp_path):
    key = tmp_path / "other.pub"
    key.write_bytes(FileSigner.create(tmp_path / "other.pem", name="other").public_pem)
    words = ("export", str(model), "--to", "onnx", "--out", str(tmp_path / "out"))
    nowhere.run(*words, "--trust", str(key), expect=4)
    nowhere.run(*words, "--trust", str(tmp_path / "gone.pub"), expect=3)
    assert not (tmp_path / "out").exists()
