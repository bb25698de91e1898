"""Unknown names come with the nearest known one; a name that would do harm is refused."""

import pytest


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("run", "trian"), "did you mean 'train'?"),
        (("run", "model:buy"), "did you mean 'model:buys'?"),
        (("why", "splt"), "did you mean 'split'?"),
        (("why", "zzz"), "declare it under `stages:`"),
        (("certify", "buy"), "did you mean 'buys'?"),
        (("certify", "buys", "--against", "prod"), "did you mean 'production'?"),
        (("policy", "check", "buy"), "did you mean 'buys'?"),
        (("release", "bus", "--to", "production"), "did you mean 'buys'?"),
        (("release", "buys", "--to", "prodction"), "did you mean 'production'?"),
        (("reconcile", "prod"), "did you mean 'production'?"),
        (("stop", "zzz"), "declare it under `environments:`"),
        (("rollback", "production/buy"), "did you mean 'buys'?"),
        (("monitor", "buys", "--in", "prod"), "did you mean 'production'?"),
        (("show", "buy"), "did you mean 'buys'?"),
        (("checkout", "data/visit.csv"), "did you mean 'data/visits.csv'?"),
        (("verify", "production/buy"), "did you mean 'production/buys'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_unknown_name_is_answered_with_the_nearest(_released, words, hint):
    answer = _released.run(*words, expect=3)
    assert hint in answer.err and answer.out == ""


def test_a_target_without_model_is_wrong_usage(_released):
    assert "ENVIRONMENT/MODEL" in _released.run("rollback", "production", expect=2).err


@pytest.mark.parametrize("address", ["http://no such host", "http://", "http://127.0.0.1:9"])
def test_an_address_where_no_gateway_answers_is_named(_released, address):
    assert "the gateway does not answer" in _released.run("verify", address, expect=6).err


def test_a_path_outside_the_project_is_not_versioned(_released):
    assert "outside the project" in _released.run("add", "/etc/hostname", expect=2).err
    assert "cannot be versioned" in _released.run("add", ".mintage/mintage.db", expect=2).err


def test_files_that_are_not_there_or_not_what_they_should_be_are_named(_released):
    assert "gone.parquet is not there" in _released.run("predict", "buys", "gone.parquet", "out.parquet", expect=3).err
    answer = _released.run("labels", "buys", "data/visits.csv", expect=3)
    assert "expected Parquet" in answer.err and "data/visits.csv" in answer.err


def test_what_needs_an_earlier_step_names_that_step(_released):
    assert "mintage reconcile" in _released.run("predict", "buys", "data/visits.csv", "out.csv", expect=1).err
    assert "mintage reconcile" in _released.run("monitor", "buys", expect=1).err
    assert "mintage monitor" in _released.run("retrain", "buys", expect=1).err
    assert "at least two releases" in _released.run("rollback", "production/buys", expect=1).err
    promote = _released.run("release", "buys", "--to", "production", "--promote", expect=1)
    assert "mintage release --canary" in promote.err


def test_init_twice_changes_nothing_and_a_bad_name_leaves_no_file(_fresh, tmp_path):
    before = _fresh.git("status", "--porcelain")
    assert _fresh.run("init", "--json").json["wrote"] == []
    assert _fresh.git("status", "--porcelain") == before
    answer = _fresh.run("init", "--name", "a / b", expect=2, cwd=tmp_path)
    assert "not a name for a project" in answer.err
    assert not (tmp_path / "mintage.yaml").exists()
    assert "would overwrite" in _fresh.run("init", "--template", "flights", expect=3).err
    assert "there is no template" in _fresh.run("init", "--template", "fligths", expect=2, cwd=tmp_path).err


def test_the_demo_does_not_write_into_a_folder_that_is_in_use(_fresh):
    assert "new folder" in _fresh.run("demo", ".", expect=2).err


def test_a_blob_that_is_not_json_is_shown_by_its_size(_released):
    digest = _released.lock("split")["outputs"][0]["digest"]
    shown = _released.run("show", digest, "--json").json
    assert shown["digest"] == digest and shown["size"] > 1000
