"""The SQL runtimes as tests take them: DuckDB always, PostgreSQL (slow) on one server for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import Probe
from runtime_suite import onnxruntime_answers

from mintage.model.runtimes import duckdb, postgresql
from mintage.model.runtimes.base import Answers, Missing, Runtime
from mintage.model.runtimes.postgresql_server import find_programs, serve

RUNTIMES = [
    pytest.param(duckdb.RUNTIME, id="duckdb"),
    pytest.param(postgresql.RUNTIME, id="postgresql", marks=pytest.mark.slow),
]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a server, started once."""
    found = postgresql.RUNTIME.find()
    if isinstance(found, Missing):
        pytest.skip(f"postgresql: {found.what}; {found.hint}")
    programs = find_programs()
    if programs is None:
        pytest.skip("postgresql: the server is not installed; scripts/install-system-parts installs it")
    with serve(programs) as address:
        yield address


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Each of the runtimes."""
    found: Runtime = request.param
    if found.name == "postgresql":
        monkeypatch.setenv(postgresql.SERVER, request.getfixturevalue("postgresql_server"))
    return found


def both(probe: Probe, columns: dict[str, Any], runtime: Runtime, folder: Path) -> tuple[Answers, Answers]:
    """What SQL and what onnxruntime answer."""
    signature, data = probe.signature(), probe.model(outputs=probe.outputs)
    with ExitStack() as stack:
        session = stack.enter_context(runtime.open(data, signature, folder))
        return session.answer(columns), onnxruntime_answers(data, signature, columns)


def assert_near(found: Answers, expected: Answers, tolerance: float = 0.0) -> None:
    """Equal but for a share ``tolerance``; NaN and infinities at the same places."""
    assert found.values.shape == expected.values.shape
    np.testing.assert_array_equal(found.labels, expected.labels)
    for place in range(found.values.shape[1]):
        np.testing.assert_allclose(
            found.values[:, place],
            expected.values[:, place],
            rtol=tolerance,
            atol=tolerance,
            err_msg=f"output {place}",
        )
