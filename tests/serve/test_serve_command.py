"""``mintage serve``: one signed model in the foreground, without a project, beyond loopback with a token only."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from serve_gateways import Client, tensors
from serve_models import build_small_model, small_score
from serve_process import serving

from mintage.attest.keys import FileSigner
from mintage.errors import TokenFileError
from mintage.serve.lock import take_lock
from mintage.serve.predictionlog import read_predictions
from mintage.serve.tokens import read_tokens

TOKEN, OTHER = "a-token-of-32-characters-0123456", "another-token-0123456789"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def trust(tmp_path_factory, signer):
    path = tmp_path_factory.mktemp("trust") / "trust.pem"
    path.write_bytes(signer.public_pem)
    return path


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"{OTHER}\n\n{TOKEN}\n")
    return path


def refused(*words):
    """Exit code and stderr of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "mintage", "serve", *map(str, words)],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_signed_folder_is_served_until_it_is_asked_to_end(models, trust):
    with serving(models[0].folder, "--port", 0, "--trust", trust) as served:
        assert served.url.startswith("http://127.0.0.1:")
        client = Client(served.url)
        assert client.ask("GET", "/v2/health/ready") == (200, {"ready": True})
        status, answer = client.infer([(0.1, None, "a")])
        assert (status, answer["model_version"]) == (200, models[0].root)
        assert answer["outputs"][0]["data"] == pytest.approx([small_score(0.1, None, "a")], abs=1e-15)
        client.close()
        code, talk = served.end()
    assert code == 0
    assert "signed by key sha256:" in talk
    assert "9 golden rows give what they must; predictions are not kept" in talk
    assert "warning" not in talk


def test_without_a_key_it_says_that_only_digests_were_checked(models):
    with serving(models[0].folder, "--port", 0) as served:
        assert served.url.startswith("http://")
        code, talk = served.end()
    assert code == 0
    assert "only digests were checked" in talk


def test_its_first_line_is_json_when_asked(models, trust, signer):
    with serving(models[0].folder, "--port", 0, "--trust", trust, "--json") as served:
        found = json.loads(served.url)
        client = Client(found["url"])
        assert client.ask("GET", "/v2/health/live")[0] == 200
        client.close()
    assert (found["model"], found["root"], found["key"]) == ("late", models[0].root, signer.key_id)


def test_a_state_folder_keeps_the_log_from_one_process_to_the_next(models, tmp_path):
    for name in ("first", "second"):
        with serving(models[0].folder, "--port", 0, "--state", tmp_path / "state") as served:
            client = Client(served.url)
            client.infer(id=name)
            client.close()
            assert served.end()[0] == 0
    assert read_predictions(tmp_path / "state", "late")["request_id"].to_pylist() == ["first", "second"]


def test_a_state_folder_in_use_is_left_as_it_is(models, tmp_path):
    with take_lock(tmp_path):
        code, talk = refused(models[0].folder, "--port", 0, "--state", tmp_path)
    assert (code, "error[serve.already-running]" in talk) == (7, True)
    assert not (tmp_path / "desired.json").exists()


def test_the_state_of_a_projects_environment_is_refused(models, tmp_path):
    code, talk = refused(models[0].folder, "--state", tmp_path / ".mintage" / "environments" / "production")
    assert (code, "mintage reconcile" in talk) == (2, True)


def test_a_flipped_bit_another_key_and_a_model_that_answers_otherwise_are_refused(tmp_path, signer, trust):
    model = build_small_model(tmp_path / "model", 0, signer)
    path = model.folder / "model.onnx"
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    code, talk = refused(model.folder, "--port", 0, "--trust", trust)
    assert (code, "model.onnx" in talk) == (4, True)
    assert refused(model.folder, "--port", 0)[0] == 4  # the digests alone show it too
    path.write_bytes(data)
    other = FileSigner.create(tmp_path / "other.pem", name="other")
    (tmp_path / "other.pub").write_bytes(other.public_pem)
    assert refused(model.folder, "--port", 0, "--trust", tmp_path / "other.pub")[0] == 4
    wrong = build_small_model(tmp_path / "wrong", 0, signer, golden_bias=1)
    code, talk = refused(wrong.folder, "--port", 0, "--trust", trust)
    assert (code, "golden row" in talk) == (4, True)


def test_what_is_no_model_and_no_key_is_named(tmp_path, models):
    assert refused(tmp_path / "nothing")[0] == 3
    assert refused(models[0].folder, "--trust", tmp_path / "nothing")[0] == 3
    assert refused(models[0].folder, "--port", "65536")[0] == 2


def test_beyond_loopback_a_token_file_is_needed(models):
    code, talk = refused(models[0].folder, "--host", "0.0.0.0", "--port", 0)
    assert (code, "--token-file" in talk) == (1, True)


def test_every_path_but_health_needs_a_token(models, token_file):
    with serving(models[0].folder, "--host", "0.0.0.0", "--port", 0, "--token-file", token_file) as served:
        client = Client(served.url.replace("0.0.0.0", "127.0.0.1"))
        for path in ("/v2/health/live", "/v2/health/ready"):
            assert client.ask("GET", path)[0] == 200
        body = json.dumps({"inputs": tensors([(0.5, 1.0, "a")])})
        asked = [("GET", path) for path in ("/", "/v2", "/metrics", "/v2/models/late", "/v2/models/late/ready", "/no")]
        for method, path in [*asked, ("POST", "/v2/models/late/infer")]:
            status, answer = client.ask(method, path, body if method == "POST" else None, JSON)
            assert (status, answer["code"]) == (401, "serve.unauthorized")
            assert client.headers["www-authenticate"] == "Bearer"
        for token in (TOKEN, OTHER):
            headers = JSON | {"authorization": f"Bearer {token}"}
            assert client.ask("POST", "/v2/models/late/infer", body, headers)[0] == 200
            assert client.ask("GET", "/metrics", None, headers)[0] == 200
        for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer "):
            assert client.ask("GET", "/metrics", None, {"authorization": wrong})[0] == 401
        assert client.ask("GET", "/v2/health/../../metrics")[0] == 401
        metrics = client.ask("GET", "/metrics", None, {"authorization": f"bearer {TOKEN}"})[1].decode()
        assert 'mintage_request_errors_total{model="",code="serve.unauthorized"}' in metrics
        client.close()
        code, talk = served.end()
    assert code == 0
    assert TOKEN not in talk


@pytest.mark.parametrize(
    ("text", "where"),
    [("", "tokens"), ("\n \n", "tokens"), ("short\n", "line 1"), (f"{TOKEN}\nwith space 0123456789\n", "line 2")],
)
def test_a_file_without_usable_tokens_is_refused_and_no_token_is_said(tmp_path, text, where):
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(TokenFileError) as caught:
        read_tokens(path)
    assert where in caught.value.where
    assert not any(word in str(caught.value.as_dict()) for word in ("short", "with space"))


def test_two_authorization_headers_are_none(token_file):
    header = (b"authorization", f"Bearer {TOKEN}".encode())
    tokens = read_tokens(token_file)
    assert tokens.admit([header])
    assert not tokens.admit([header, header])
    assert not tokens.admit([])
