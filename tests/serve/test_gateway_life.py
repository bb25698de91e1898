"""Starting, ending and dying: what a gateway process promises about ports, signals, locks and predictions."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
from serve_gateways import until

from mintage.errors import GatewayFailedError, GatewayRunningError, HostNotLoopbackError, PortInUseError
from mintage.serve import limits
from mintage.serve.control import gateway_state, start_gateway, stop_gateway, wait_generation
from mintage.serve.live import GatewayState, write_live
from mintage.serve.predictionlog import read_predictions, spool_dir
from mintage.serve.server import HttpServer, new_event_loop
from mintage.serve.spool import segments


def foreground(envdir, *more):
    command = [sys.executable, "-m", "mintage.serve", "--dir", str(envdir), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_gateway_that_is_asked_to_end_flushes_its_log_and_exits_with_0(environment, models, number):
    environment.desire(models[0])
    with foreground(environment.dir) as process:
        environment.state = until(lambda: gateway_state(environment.dir))
        client = environment.client()
        assert client.infer(id="before the end")[0] == 200
        client.close()
        process.send_signal(number)
        _, talk = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in talk
    assert not (environment.dir / "live.json").exists()
    assert segments(spool_dir(environment.dir)) == []
    assert len(list(environment.dir.glob("predictions/late/*/*.parquet"))) == 1
    assert read_predictions(environment.dir, "late")["request_id"].to_pylist() == ["before the end"]


def test_a_signal_before_the_gateway_is_up_ends_it_too(environment, models):
    environment.desire(models[0])
    with foreground(environment.dir) as process:
        until((environment.dir / "gateway.lock").exists)
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_running_request_is_answered_before_the_end(environment, models):
    environment.desire(models[0])
    environment.start()
    address = urlsplit(environment.state.url)
    body = json.dumps({"inputs": []}).encode()
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        head = b"POST /v2/models/late/infer HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
        connection.sendall(head)
        assert b"100 Continue" in connection.recv(1000)  # the request has begun
        stopping = threading.Thread(target=stop_gateway, args=(environment.dir,))
        stopping.start()
        until(lambda: refused(address))
        connection.sendall(body)
        answer = b""
        while chunk := connection.recv(4000):
            answer += chunk
        assert b"input.missing" in answer
    stopping.join()


def refused(address):
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_port_in_use_is_said_with_exit_code_75_and_loses_nothing(environment, models):
    environment.desire(models[0])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with foreground(environment.dir, "--port", str(port)) as process:
            _, talk = process.communicate(timeout=20)
        assert process.returncode == 75
        assert f"error[serve.port-in-use]: port {port} is in use" in talk
        assert "hint: " in talk
        with pytest.raises(PortInUseError) as caught:
            start_gateway(environment.dir, "127.0.0.1", port)
        assert str(port) in caught.value.message
    environment.start()
    assert environment.state.generation == 1


def test_only_loopback_is_listened_on(environment):
    with pytest.raises(HostNotLoopbackError):
        start_gateway(environment.dir, "0.0.0.0", 0)
    with pytest.raises(GatewayFailedError):
        start_gateway(environment.dir, "no such host.invalid", 0)


def test_an_ipv6_gateway_has_a_usable_url(environment, models):
    environment.desire(models[0])
    try:
        environment.state = start_gateway(environment.dir, "::1", 0)
    except GatewayFailedError:
        pytest.skip("no IPv6 here")
    assert environment.state.url.startswith("http://[::1]:")
    client = environment.client()
    assert client.infer()[0] == 200
    client.close()


def test_two_gateways_of_one_environment_are_refused(environment, models):
    environment.desire(models[0])
    environment.start()
    with pytest.raises(GatewayRunningError):
        start_gateway(environment.dir, "127.0.0.1", 0)
    with foreground(environment.dir) as second:
        _, talk = second.communicate(timeout=20)
    assert second.returncode == 75
    assert "error[serve.already-running]: a gateway already serves this environment\n" in talk
    assert f"found process {environment.state.pid}" in talk
    assert gateway_state(environment.dir) == environment.state


def test_kill_9_under_load_loses_no_acknowledged_prediction(environment, models):
    environment.desire(models[0])
    environment.start()
    acknowledged = []

    def load(name):
        client = environment.client()
        try:
            for number in range(100_000):
                if client.infer(id=f"{name}-{number}")[0] == 200:
                    acknowledged.append(f"{name}-{number}")
        except (OSError, http.client.HTTPException):
            client.close()

    threads = [threading.Thread(target=load, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) > 400)
    environment.kill()
    for thread in threads:
        thread.join()
    assert gateway_state(environment.dir) is None
    assert set(acknowledged) <= set(read_predictions(environment.dir, "late")["request_id"].to_pylist())
    environment.start()
    logged = read_predictions(environment.dir, "late")["request_id"].to_pylist()
    assert len(set(logged)) == len(logged)
    assert set(acknowledged) <= set(logged)
    assert len(logged) <= len(acknowledged) + 2  # those whose answer was on its way
    assert environment.state.problems == ()
    assert len(list(environment.dir.glob("predictions/late/*/*.parquet"))) == 1
    client = environment.client()
    assert client.infer()[0] == 200
    client.close()


def test_a_damaged_spool_is_reported_and_kept(environment, models):
    environment.desire(models[0])
    environment.start()
    client = environment.client()
    for number in range(3):
        client.infer(id=f"r-{number}")
    client.close()
    environment.kill()
    (segment,) = segments(spool_dir(environment.dir))
    segment.write_bytes(segment.read_bytes().replace(b"r-1", b"r-9"))
    environment.start()
    assert environment.state.generation == 1
    assert environment.state.problems[0].startswith("serve.log-invalid: 1 damaged")
    assert read_predictions(environment.dir, "late")["request_id"].to_pylist() == ["r-0", "r-2"]


def test_a_process_id_that_was_used_again_is_not_a_gateway(environment):
    state = GatewayState(
        pid=os.getpid(), url="http://127.0.0.1:1", generation=1, attempted=1, started="2026-11-01T12:00:00Z"
    )
    write_live(environment.dir, state)
    (environment.dir / "gateway.lock").write_text(str(os.getpid()))
    assert gateway_state(environment.dir) is None
    assert stop_gateway(environment.dir) is False
    with pytest.raises(GatewayFailedError):
        wait_generation(environment.dir, 1, 5)


def test_an_environment_that_is_not_there_has_no_gateway(tmp_path):
    assert gateway_state(tmp_path / "nowhere") is None
    assert stop_gateway(tmp_path / "nowhere") is False


def test_without_a_desired_state_the_gateway_lives_but_is_not_ready(environment, models):
    environment.start()
    client = environment.client()
    assert client.ask("GET", "/v2/health/live")[0] == 200
    for path in ("/v2/health/ready", "/v2/models/late/ready"):
        status, answer = client.ask("GET", path)
        assert (status, answer["code"]) == (503, "serve.not-ready")
    assert client.infer()[0] == 503
    environment.desire(models[0])
    environment.follow()
    assert client.ask("GET", "/v2/health/ready")[0] == 200
    assert client.infer()[0] == 200
    client.close()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((), b"serve.head-too-slow"),
        ((b"GET / HTTP/1.1\r\nx: slow",), b"serve.head-too-slow"),
        ((b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n", b"slow"), b"serve.body-too-slow"),
    ],
)
def test_a_slow_head_is_refused_and_a_slow_body_too(monkeypatch, parts, code):
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)

    async def app(scope, receive, send):
        while (message := await receive())["type"] != "http.disconnect":
            assert message["more_body"]

    async def talk():
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        server = HttpServer(app)
        serving = asyncio.create_task(server.serve(listener))
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        for part in parts:
            writer.write(part)
        answer = await reader.read()
        writer.close()
        server.stop()
        await serving
        return answer

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        answer = runner.run(talk())
    assert answer.startswith(b"HTTP/1.1 408")
    assert code in answer


def test_the_gateway_imports_no_training_table_or_database_library():
    script = """
import sys
import mintage.serve.app, mintage.serve.batch, mintage.serve.follow, mintage.serve.gateway, mintage.serve.server
print([name for name in ("sklearn", "polars", "sqlalchemy", "scipy", "jinja2", "pandas", "joblib", "pickle5", "sqlite3",
                         "ray", "rich", "vl_convert") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_control_imports_no_numbers_and_no_server():
    script = """
import sys
import mintage.serve.control, mintage.serve.desired
heavy = ("numpy", "pyarrow", "onnx", "onnxruntime", "uvicorn", "uvloop", "rich")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
