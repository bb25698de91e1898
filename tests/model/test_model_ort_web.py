"""onnxruntime as WebAssembly in Chromium. Needs Chromium and npm packages: ``scripts/install-system-parts``."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hand_made import TASKS, hand_made
from js_runtime_suite import JsRuntimeSuite, bit_graph
from runtime_suite import Case, RuntimeSuite, case_of_package

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.ort_web import RUNTIME
from mintage.model.runtimes.page_server import serve_page

pytestmark = pytest.mark.slow


class TestOrtWeb(RuntimeSuite):
    runtime = RUNTIME


class TestOrtWebByHand(RuntimeSuite):
    runtime = RUNTIME

    @pytest.fixture(scope="class", params=TASKS)
    @classmethod
    def case(cls, request: Any) -> Case:
        return case_of_package(hand_made(request.param))


def alive(folder: Path) -> dict[int, str]:
    """The processes whose command names a folder, by id, with their command; no dead ones."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended meanwhile
                continue
            if str(folder) in command:
                found[int(entry.name)] = command
    return found


class TestOrtWebBits(JsRuntimeSuite):
    runtime = RUNTIME

    def test_no_process_of_the_browser_outlives_the_session(self, tmp_path: Path) -> None:
        onnx, signature, _ = bit_graph()
        with self.opened(onnx, signature, tmp_path):
            assert len(alive(tmp_path)) > 1
        assert alive(tmp_path) == {}

    @pytest.mark.parametrize("victim", ["browser", "page"])
    def test_a_killed_browser_or_page_is_an_error_at_each_later_question(self, victim: str, tmp_path: Path) -> None:
        onnx, signature, columns = bit_graph()
        with self.opened(onnx, signature, tmp_path) as session:
            pids = [session.pid]
            if victim == "page":
                pids = [pid for pid, command in alive(tmp_path).items() if "--type=renderer" in command]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            # A page may answer while its browser is dying; the first error is the last answer.
            with pytest.raises(RuntimeFailedError):
                for _ in range(10_000):
                    session.answer(columns)
            for _ in range(2):
                with pytest.raises(RuntimeFailedError):
                    session.answer(columns)
        assert alive(tmp_path) == {}


def test_the_server_gives_nothing_without_its_secret_and_no_file_outside(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "a.wasm").write_bytes(b"wasm")
    (tmp_path / "secret.txt").write_bytes(b"no")
    with serve_page({"page.html": b"<p>", "a.mjs": b"1"}, tmp_path / "library") as page:
        base = page.url.removesuffix("page.html")
        kinds = {"page.html": "text/html", "a.mjs": "text/javascript", "ort/a.wasm": "application/wasm"}
        for name, kind in kinds.items():
            with urllib.request.urlopen(base + name) as answer:
                assert answer.headers["Content-Type"].split(";")[0] == kind
        host = base.removesuffix(f"{page.secret}/")
        for url in (f"{host}page.html", f"{base}ort/../secret.txt", f"{base}ort/%2e%2e/secret.txt", f"{base}b.mjs"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url)
            caught.value.close()
            assert caught.value.code == 404
