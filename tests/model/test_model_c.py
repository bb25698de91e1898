"""The model in C, compiled by the system's compiler and run."""

from __future__ import annotations

from runtime_suite import RuntimeSuite

from mintage.model.runtimes.c import RUNTIME


class TestC(RuntimeSuite):
    runtime = RUNTIME
