"""Following the desired state: swaps under load, canaries, and everything that must keep the old model live."""

import base64
import http.client
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from serve_gateways import Environment, until
from serve_models import INPUTS, build_small_model, small_graph, small_score

from mintage.attest.bundle import decode_bundle
from mintage.errors import DesiredInvalidError, GenerationRefusedError
from mintage.model.signature import Input
from mintage.serve.control import gateway_state, stop_gateway, wait_generation
from mintage.serve.desired import Desired, Placement, Target, write_desired
from mintage.serve.predictionlog import read_predictions
from mintage.serve.split import variant_of


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    environment = Environment(tmp_path_factory.mktemp("follows"))
    environment.start()
    yield environment
    stop_gateway(environment.dir)


@pytest.fixture
def running(shared, models):
    """The shared gateway with the first model live; ``base`` is the generation of that."""
    shared.base = shared.desire(models[0])
    shared.follow()
    return shared


def test_swaps_under_load_fail_no_request_and_mix_no_two_models(running, models):
    expected = {model.root: small_score(0.5, 1.0, "a", bias) for bias, model in enumerate(models)}
    logged = read_predictions(running.dir, "late").num_rows
    stop = threading.Event()
    answers, failures = [], []

    def load():
        client = running.client()
        while not stop.is_set():
            try:
                answers.append(client.infer())
            except (OSError, http.client.HTTPException) as error:
                failures.append(error)
                client = running.client()
        client.close()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for swap in range(10):
        running.desire(models[(swap + 1) % 2])
        running.follow()
        count = len(answers)
        until(lambda count=count: len(answers) > count + 8)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {status for status, _ in answers} == {200}
    for _, answer in answers:
        assert answer["outputs"][0]["data"] == [pytest.approx(expected[answer["model_version"]], abs=1e-15)]
    assert {answer["model_version"] for _, answer in answers} == {model.root for model in models}
    assert running.state.models["late"].champion == models[0].root
    assert read_predictions(running.dir, "late").num_rows == logged + len(answers)


def test_after_a_generation_is_live_no_answer_comes_from_the_old_model(running, models):
    client = running.client()
    for turn in range(6):
        wanted = models[(turn + 1) % 2]
        running.desire(wanted)
        running.follow()
        assert client.infer()[1]["model_version"] == wanted.root
    client.close()


def test_the_canary_gets_the_requests_that_the_split_says_and_keeps_them_as_it_grows(running, models):
    client = running.client()
    began = datetime.now(UTC)
    taken = {}
    for share in (0.2, 0.6, 1.0, 0.0):
        running.desire(models[0], models[1], share, "salt")
        running.follow()
        for number in range(60):
            _, answer = client.infer(id=f"r-{number}")
            variant = variant_of(f"r-{number}", "salt", share)
            assert answer["parameters"]["variant"] == variant
            assert answer["model_version"] == models[variant == "challenger"].root
            taken.setdefault(share, set()).update([number] if variant == "challenger" else [])
    assert taken[0.0] < taken[0.2] < taken[0.6] < taken[1.0] == set(range(60))
    text = client.ask("GET", "/metrics")[1].decode()
    assert f'mintage_model_info{{model="late",root="{models[1].root}",variant="challenger"}} 1' in text
    assert b"challenger" in client.ask("GET", "/")[1]
    client.close()
    logged = read_predictions(running.dir, "late", since=began)
    assert logged["variant"].to_pylist().count("challenger") == sum(map(len, taken.values()))


def test_an_explicit_version_goes_past_the_split(running, models):
    running.desire(models[0], models[1], 0.0, "salt")
    running.follow()
    client = running.client()
    _, answer = client.infer(path=f"/v2/models/late/versions/{models[1].root}/infer")
    assert (answer["model_version"], answer["parameters"]["variant"]) == (models[1].root, "challenger")
    client.close()


def test_a_promotion_keeps_the_loaded_challenger(running, models, tmp_path, signer):
    rival = build_small_model(tmp_path / "rival", 2, signer)
    running.desire(models[0], rival, 0.5)
    running.follow()
    (rival.folder / "model.onnx").unlink()  # what is loaded was proven; the folder is not read again
    running.desire(rival)
    assert running.follow().models["late"].champion == rival.root


def refuse(running, code):
    """The generation is refused with ``code``; what was live answers as before."""
    with pytest.raises(GenerationRefusedError) as caught:
        running.follow()
    assert caught.value.found.startswith(code)
    client = running.client()
    status, answer = client.infer()
    assert status == 200
    assert client.ask("GET", "/v2/health/ready")[0] == 200
    client.close()
    state = gateway_state(running.dir)
    assert (state.generation, state.attempted) == (running.base, running.generation)
    assert answer["model_version"] == state.models["late"].champion
    return state


TAMPER = {
    "a changed graph": lambda folder: (folder / "model.onnx").write_bytes(small_graph(9)),
    "a flipped bit": lambda folder: flip(folder / "signature.json"),
    "a changed golden vector": lambda folder: flip(folder / "golden" / "expected.json"),
    "a file too many": lambda folder: (folder / "extra.py").write_text("x"),
    "a file too few": lambda folder: (folder / "CARD.md").unlink(),
    "a signature of something else": lambda folder: flip(folder / "model.sig"),
    "no signature": lambda folder: (folder / "model.sig").unlink(),
    "no folder": lambda folder: folder.rename(folder.with_name("gone")),
    "a link in the place of a file": lambda folder: link(folder / "model.onnx"),
}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def link(path):
    path.rename(path.parent.parent / "elsewhere.onnx")
    path.symlink_to(path.parent.parent / "elsewhere.onnx")


@pytest.fixture
def tampered(tmp_path, signer):
    """Nine models of one root, each tampered with in another way."""
    found = {}
    for number, (name, tamper) in enumerate(TAMPER.items()):
        found[name] = build_small_model(tmp_path / f"{number}" / "model", 2, signer)
        tamper(found[name].folder)
    return found


def test_a_tampered_folder_is_refused_while_the_old_model_stays_live(running, tampered, models):
    for model in tampered.values():
        running.desire(model)
        refuse(running, "")
    running.desire(models[1])
    assert running.follow().problems == ()


def test_another_model_signed_by_the_same_key_is_not_the_released_one(running, models, tmp_path, signer):
    other = build_small_model(tmp_path / "other", 3, signer)
    running.desire(models[1]._replace(folder=other.folder))
    refuse(running, "serve.root-mismatch")


def test_a_manifest_that_claims_the_released_root_for_other_bytes_is_refused(running, tmp_path, signer):
    released = build_small_model(tmp_path / "released", 3, signer)
    evil = build_small_model(tmp_path / "evil", 4, signer)
    signature = (evil.folder / "model.sig").read_bytes()
    payload = decode_bundle(signature).envelope.payload
    forged = payload.replace(evil.root[7:].encode(), released.root[7:].encode())
    assert forged != payload
    bundle = json.loads(signature)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(forged).decode()
    (evil.folder / "model.sig").write_text(json.dumps(bundle))
    running.desire(released._replace(folder=evil.folder))
    refuse(running, "")


def test_a_model_that_does_not_give_its_golden_outputs_never_goes_live(running, tmp_path, signer):
    running.desire(build_small_model(tmp_path / "wrong", 3, signer, golden_bias=3.0001))
    refuse(running, "model.golden-failed")


def test_a_challenger_that_fails_takes_nothing_from_the_champion(running, models, tampered):
    running.desire(models[0], tampered["a changed graph"], 1.0)
    refuse(running, "model.")


def test_a_challenger_with_other_inputs_is_refused(running, models, tmp_path, signer):
    rival = build_small_model(tmp_path / "rival", 1, signer, inputs=(*INPUTS, Input(name="z", datatype="FP64")))
    running.desire(models[0], rival, 0.5)
    refuse(running, "serve.desired-invalid")


def champion_with(**change):
    return lambda desired: desired | {"models": {"late": {"champion": desired["models"]["late"]["champion"] | change}}}


CHANGES = {
    "an unknown member": lambda desired: desired | {"comment": "hello"},
    "an unknown member of a model": lambda desired: (
        desired | {"models": {"late": desired["models"]["late"] | {"weight": 3}}}
    ),
    "a hostile name": lambda desired: desired | {"models": {"../late": desired["models"]["late"]}},
    "a root that is none": champion_with(root="7"),
    "a relative folder": champion_with(folder="m"),
    "an expiry without an offset": champion_with(expires="2027-01-01T00:00:00"),
    "no models": lambda desired: {key: value for key, value in desired.items() if key != "models"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_desired_state_that_is_not_exactly_the_format_changes_nothing_and_is_reported(running, change):
    path = running.dir / "desired.json"
    running.generation += 1
    path.write_text(json.dumps(change(json.loads(path.read_text()) | {"generation": running.generation})))
    state = refuse(running, "serve.desired-invalid")
    assert "desired.json" in state.problems[0]


def test_a_desired_state_that_is_not_json_is_reported_and_a_good_one_clears_it(running, models):
    (running.dir / "desired.json").write_bytes(b"{\xff")
    problems = until(lambda: gateway_state(running.dir).problems)
    assert problems[0].startswith("serve.desired-invalid")
    running.desire(models[1])
    assert running.follow().problems == ()


def test_a_desired_state_that_is_deleted_changes_nothing(running):
    (running.dir / "desired.json").unlink()
    assert gateway_state(running.dir) == running.state
    client = running.client()
    assert client.infer()[0] == 200
    client.close()


def test_what_no_gateway_would_read_is_not_written(tmp_path):
    target = Target(root="sha256:" + "0" * 64, folder="relative")
    with pytest.raises(DesiredInvalidError):
        write_desired(tmp_path, Desired(generation=1, models={"late": Placement(champion=target)}))
    assert list(tmp_path.iterdir()) == []


def test_one_bad_model_does_not_hold_back_another_and_makes_the_gateway_not_ready(running, models, tampered):
    good = Placement(champion=Target(root=models[1].root, folder=str(models[1].folder)))
    bad_model = tampered["no folder"]
    bad = Placement(champion=Target(root=bad_model.root, folder=str(bad_model.folder)))
    running.generation += 1
    write_desired(running.dir, Desired(generation=running.generation, models={"late": good, "early": bad}))
    with pytest.raises(GenerationRefusedError):
        running.follow()
    client = running.client()
    assert client.infer()[1]["model_version"] == models[1].root
    assert client.ask("GET", "/v2/health/ready")[0] == 503
    assert client.ask("GET", "/v2/models/early")[0] == 503
    assert client.ask("GET", "/v2/models/late/ready")[0] == 200
    running.generation += 1
    write_desired(running.dir, Desired(generation=running.generation, models={"early": good}))
    wait_generation(running.dir, running.generation, 30)
    assert client.infer()[1]["code"] == "serve.model-unknown"
    assert client.infer(path="/v2/models/early/infer")[0] == 200
    client.close()


def test_an_expired_model_is_not_loaded_and_one_that_is_live_stays_but_is_not_ready(running, models):
    past, soon = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(seconds=1.5)
    running.desire(models[1], expires=past)
    refuse(running, "serve.package-expired")
    running.desire(models[0], expires=soon)
    running.follow()
    client = running.client()
    until(lambda: client.ask("GET", "/v2/health/ready")[0] == 503)
    assert client.ask("GET", "/v2/models/late/ready")[0] == 503
    assert client.infer()[0] == 200
    problems = until(lambda: gateway_state(running.dir).problems)
    assert problems[0].startswith("serve.package-expired: late")
    client.close()
