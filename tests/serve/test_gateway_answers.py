"""What a running gateway answers: the protocol, and each way in which a request can be wrong."""

import json
import socket
import uuid
from urllib.parse import urlsplit

import numpy as np
import pytest
from serve_gateways import tensors
from serve_models import small_score

from mintage.serve.control import gateway_state
from mintage.serve.predictionlog import read_predictions

JSON = {"content-type": "application/json"}
INFER = "/v2/models/late/infer"
POST = b"POST /v2/models/late/infer HTTP/1.1\r\n"


def test_a_prediction_is_the_models_to_the_bit(client, models):
    rows = [(0.1, None, "a"), (-0.7, 0.2, "b"), (0.0, 0.0, "never seen")]
    status, answer = client.infer(rows, id="r-1")
    assert status == 200
    assert answer["id"] == "r-1"
    assert (answer["model_name"], answer["model_version"]) == ("late", models[0].root)
    assert answer["parameters"] == {"variant": "champion", "flagged": "name"}
    score, label = answer["outputs"]
    assert (score["name"], score["datatype"], score["shape"]) == ("score", "FP64", [3])
    assert score["data"] == pytest.approx([small_score(*row) for row in rows], abs=1e-15)
    assert (label["datatype"], label["data"]) == ("INT64", [int(value >= 0.5) for value in score["data"]])


def test_the_order_of_tensors_and_an_explicit_version_do_not_change_the_answer(client, models):
    _, plain = client.infer(id="same")
    body = json.dumps({"id": "same", "inputs": tensors([(0.5, 1.0, "a")])[::-1]})
    assert client.ask("POST", INFER, body, JSON)[1] == plain
    assert client.infer(path=f"/v2/models/late/versions/{models[0].root}/infer", id="same")[1] == plain


def test_every_prediction_is_in_the_log_with_its_request_id(gateway, client):
    mine = str(uuid.uuid4())
    client.infer([(0.5, None, None), (0.25, 2.0, "b")], id=mine, parameters={"event_time": "2013-08-01T17:30:00"})
    _, answer = client.infer()
    made = answer["id"]
    assert str(uuid.UUID(made)) == made
    rows = read_predictions(gateway.dir, "late").to_pylist()
    first, second = [row for row in rows if row["request_id"] == mine]
    assert (first["row"], second["row"]) == (0, 1)
    assert (first["f.x"], first["f.y"], first["f.name"]) == (0.5, None, None)
    assert (second["f.x"], second["f.y"], second["f.name"]) == (0.25, 2.0, "b")
    assert first["event_time"].isoformat() == "2013-08-01T17:30:00"
    assert (first["source"], first["variant"], first["model_root"]) == ("http", "champion", answer["model_version"])
    (other,) = [row for row in rows if row["request_id"] == made]
    assert other["score"] == answer["outputs"][0]["data"][0]


def test_health_and_metadata(client, models):
    assert client.ask("GET", "/v2/health/live") == (200, {"live": True})
    assert client.ask("GET", "/v2/health/ready") == (200, {"ready": True})
    assert client.ask("GET", "/v2")[1]["name"] == "mintage"
    assert client.ask("GET", "/v2/models/late/ready") == (200, {"name": "late", "ready": True})
    status, metadata = client.ask("GET", "/v2/models/late")
    assert status == 200
    assert metadata["versions"] == [models[0].root]
    assert metadata["inputs"] == [
        {"name": "x", "datatype": "FP64", "shape": [-1]},
        {"name": "y", "datatype": "FP64", "shape": [-1]},
        {"name": "name", "datatype": "BYTES", "shape": [-1]},
    ]
    version = f"/v2/models/late/versions/{models[0].root}"
    assert client.ask("GET", version) == (200, metadata)
    assert client.ask("GET", f"{version}/ready")[0] == 200


def with_row(**changes):
    row = {"x": 0.5, "y": 1.0, "name": "a"} | changes
    return {"inputs": tensors([(row["x"], row["y"], row["name"])])}


def with_tensor(at, **changes):
    request = with_row()
    request["inputs"][at] |= changes
    return request


WRONG = {
    "malformed JSON": ("POST", INFER, b"{", 400, "serve.not-json"),
    "no body": ("POST", INFER, b"", 400, "serve.not-json"),
    "NaN": ("POST", INFER, b'{"inputs": [NaN]}', 400, "serve.not-json"),
    "not a request": ("POST", INFER, {"instances": []}, 400, "serve.request-malformed"),
    "no inputs": ("POST", INFER, {"inputs": []}, 400, "input.missing"),
    "missing input": ("POST", INFER, {"inputs": with_row()["inputs"][:2]}, 400, "input.missing"),
    "unknown input": ("POST", INFER, with_tensor(1, name="z"), 400, "input.unknown"),
    "input twice": ("POST", INFER, with_tensor(1, name="x"), 400, "input.shape"),
    "wrong shape": ("POST", INFER, with_tensor(0, shape=[1, 3]), 400, "input.shape"),
    "wrong length": ("POST", INFER, with_tensor(0, shape=[2]), 400, "input.shape"),
    "wrong datatype": ("POST", INFER, with_tensor(0, datatype="BYTES"), 400, "input.type"),
    "wrong type": ("POST", INFER, with_row(x="0.5"), 400, "input.type"),
    "boolean": ("POST", INFER, with_row(x=True), 400, "input.type"),
    "lone surrogate": ("POST", INFER, json.dumps(with_row(name="\ud800")).encode(), 400, "serve.not-json"),
    "null": ("POST", INFER, with_row(x=None), 422, "input.null"),
    "infinity": ("POST", INFER, json.dumps(with_row()).replace("0.5", "1e999").encode(), 400, "serve.not-finite"),
    "empty batch": ("POST", INFER, {"inputs": tensors([])}, 400, "serve.empty-batch"),
    "too many rows": ("POST", INFER, {"inputs": tensors([(0.5, 1.0, "a")] * 10_001)}, 413, "serve.too-many-rows"),
    "too large": ("POST", INFER, b" " * (8 * 1024 * 1024 + 1), 413, "serve.body-too-large"),
    "bad id": ("POST", INFER, with_row() | {"id": "x" * 129}, 400, "serve.request-id"),
    "bad time": ("POST", INFER, with_row() | {"parameters": {"event_time": "soon"}}, 400, "serve.event-time"),
    "unknown output": ("POST", INFER, with_row() | {"outputs": [{"name": "z"}]}, 400, "serve.output-unknown"),
    "unknown model": ("POST", "/v2/models/early/infer", with_row(), 404, "serve.model-unknown"),
    "hostile model": ("GET", "/v2/models/..%2f..%2fetc", None, 404, "serve.model-unknown"),
    "unknown version": ("POST", "/v2/models/late/versions/7/infer", with_row(), 404, "serve.version-unknown"),
    "unknown path": ("GET", "/v3", None, 404, "serve.path-unknown"),
    "unknown verb": ("POST", "/v2/models/late/explain", with_row(), 404, "serve.path-unknown"),
    "wrong method": ("GET", INFER, None, 405, "serve.method-not-allowed"),
    "wrong method too": ("DELETE", "/v2/models/late", None, 405, "serve.method-not-allowed"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_gets_its_own_status_and_code_and_costs_nothing_else(gateway, client, case):
    method, path, body, status, code = WRONG[case]
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    logged = read_predictions(gateway.dir, "late").num_rows
    found, answer = client.ask(method, path, sent, JSON)
    assert (found, answer["code"]) == (status, code)
    assert len(answer["error"]) > 10
    assert client.infer()[0] == 200
    assert read_predictions(gateway.dir, "late").num_rows == logged + 1
    assert gateway_state(gateway.dir).pid == gateway.state.pid


def test_a_refused_value_is_named_with_its_row(client):
    _, answer = client.infer([(0.5, 1.0, "a"), (0.5, "two", "a")])
    assert answer["where"] == "y, row 1"
    _, answer = client.infer([(0.5, 1.0, "a"), (None, 1.0, "a")])
    assert "row 1" in answer["where"]


def test_a_wrong_method_names_the_right_one(client):
    client.ask("GET", INFER)
    assert client.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/python-pickle"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-encoding": "gzip"},
        {"inference-header-content-length": "12"},
    ],
)
def test_anything_but_plain_json_is_refused(client, headers):
    status, answer = client.ask("POST", INFER, json.dumps(with_row()), headers)
    assert (status, answer["code"]) == (415, "serve.content-type")
    assert client.infer()[0] == 200


def test_a_content_type_with_a_parameter_and_none_at_all_are_taken(client):
    for headers in ({"content-type": "application/json; charset=utf-8"}, {}):
        assert client.ask("POST", INFER, json.dumps(with_row()).encode(), headers)[0] == 200


def raw(gateway, *parts):
    """Send bytes as they are, read until the gateway closes."""
    address = urlsplit(gateway.state.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([b"nonsense\r\n\r\n"], b"400", b"serve.not-http"),
        ([b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 200_000], b"431", b"serve.head-too-large"),
        (
            [POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n"],
            b"400",
            b"serve.not-http",
        ),
    ],
)
def test_what_is_not_http_or_has_a_huge_head_is_refused_in_json(gateway, client, parts, status, code):
    answer = raw(gateway, *parts)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert code in answer
    assert client.infer()[0] == 200


def test_a_chunked_body_is_read_and_one_that_is_too_large_refused(gateway):
    head = POST + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    body = json.dumps(with_row()).encode()
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    assert raw(gateway, head, *chunks, b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
    large = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert raw(gateway, head, *[large] * 9, b"0\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_pipelined_requests_are_answered_in_order(gateway):
    requests = b""
    for name in ("first", "second", "third"):
        body = json.dumps(with_row() | {"id": name}).encode()
        requests += b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (INFER.encode(), len(body), body)
    answer = raw(gateway, requests + b"GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n")
    places = [answer.index(name) for name in (b'"first"', b'"second"', b'"third"', b'"live"')]
    assert places == sorted(places)


def test_a_caller_that_goes_away_halfway_leaves_no_trace(gateway, client):
    address = urlsplit(gateway.state.url)
    logged = read_predictions(gateway.dir, "late").num_rows
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(POST + b"content-length: 500\r\n\r\n{")
    assert client.infer()[0] == 200
    assert read_predictions(gateway.dir, "late").num_rows == logged + 1
    assert b"Traceback" not in (gateway.dir / "gateway.log").read_bytes()


def test_the_largest_batch_is_answered(client):
    rows = [(float(x), None, "b") for x in np.linspace(-3, 3, 10_000)]
    status, answer = client.infer(rows)
    assert status == 200
    assert answer["outputs"][0]["data"] == pytest.approx([small_score(*row) for row in rows], abs=1e-15)


def test_metrics_count_what_was_answered_and_what_was_refused(client):
    def value(start):
        text = client.ask("GET", "/metrics")[1].decode()
        return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start)), 0.0)

    predictions = 'mintage_predictions_total{model="late",variant="champion"}'
    count = 'mintage_prediction_latency_seconds_count{model="late",variant="champion"}'
    errors = 'mintage_request_errors_total{model="late",code="input.null"}'
    unknown = 'mintage_request_errors_total{model="",code="serve.model-unknown"}'
    before = [value(name) for name in (predictions, count, errors, unknown)]
    client.infer([(0.5, 1.0, "a")] * 3)
    client.infer([(None, 1.0, "a")])
    client.infer(path="/v2/models/early/infer")
    after = [value(name) for name in (predictions, count, errors, unknown)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [3, 1, 1, 1]
    assert value("mintage_gateway_generation ") == 1
    assert value("mintage_model_info{") == 1


def test_the_page_for_people_lists_the_models_and_loads_nothing_from_elsewhere(client, models):
    status, page = client.ask("GET", "/")
    text = page.decode()
    assert status == 200
    assert client.headers["content-type"] == "text/html; charset=utf-8"
    assert models[0].root in text
    assert 'href="/v2/models/late"' in text
    assert "http://" not in text
    assert "<script" not in text
    for link in ("/v2/models/late", "/v2/models/late/ready", "/metrics", "/v2", "/v2/health/live"):
        assert f'href="{link}"' in text
        assert client.ask("GET", link)[0] == 200
