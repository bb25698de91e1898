"""onnxruntime in Node. Needs Node and npm packages: ``scripts/install-system-parts``."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hand_made import TASKS, hand_made
from js_runtime_suite import JsRuntimeSuite, bit_graph
from runtime_suite import Case, RuntimeSuite, case_of_package

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.ort_node import RUNTIME

pytestmark = pytest.mark.slow


class TestOrtNode(RuntimeSuite):
    runtime = RUNTIME


class TestOrtNodeByHand(RuntimeSuite):
    runtime = RUNTIME

    @pytest.fixture(scope="class", params=TASKS)
    @classmethod
    def case(cls, request: Any) -> Case:
        return case_of_package(hand_made(request.param))


class TestOrtNodeBits(JsRuntimeSuite):
    runtime = RUNTIME

    def test_a_killed_node_is_an_error_at_each_later_question(self, tmp_path: Path) -> None:
        onnx, signature, columns = bit_graph()
        with self.opened(onnx, signature, tmp_path) as session:
            os.kill(session.pid, signal.SIGKILL)
            for _ in range(2):
                with pytest.raises(RuntimeFailedError):
                    session.answer(columns)

    def test_options_for_other_node_programs_do_not_reach_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        onnx, signature, columns = bit_graph()
        monkeypatch.setenv("NODE_OPTIONS", "--require=./there-is-no-such-file.js")
        with self.opened(onnx, signature, tmp_path) as session:
            assert len(session.answer(columns).values) == len(columns["number"])

    def test_the_process_ends_with_the_session(self, tmp_path: Path) -> None:
        onnx, signature, _ = bit_graph()
        with self.opened(onnx, signature, tmp_path) as session:
            os.kill(session.pid, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(session.pid, 0)
