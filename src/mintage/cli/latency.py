"""Time single predictions over HTTP: a gateway of its own, on a free port, for as long as the measurement takes."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mintage.certify.latency import CallProbe
from mintage.errors import RunError
from mintage.model.package import Package
from mintage.serve.control import start_gateway, stop_gateway
from mintage.serve.desired import Desired, Placement, Target, write_desired

__all__ = ["gateway_probe"]


@contextlib.contextmanager
def gateway_probe(package: Package, model: str, folder: Path) -> Iterator[CallProbe]:
    """A probe that asks a real gateway in ``folder`` for one golden row after another over one connection."""
    placement = Placement(champion=Target(root=package.root, folder=str(package.folder.resolve())))
    folder.mkdir(parents=True, exist_ok=True)
    write_desired(folder, Desired(generation=1, models={model: placement}))
    bodies = _bodies(package)
    state = start_gateway(folder, "127.0.0.1", 0)
    address = urlsplit(state.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    path = f"/v2/models/{model}/infer"
    turn = iter(range(10**9))

    def call() -> None:
        connection.request("POST", path, body=bodies[next(turn) % len(bodies)])
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RunError("the gateway refused a golden row", found=data.decode(errors="replace")[:300])

    try:
        yield CallProbe(call, scenario="one row a request over HTTP on loopback, one connection, closed loop")
    finally:
        connection.close()
        stop_gateway(folder)


def _bodies(package: Package) -> list[bytes]:
    golden = package.golden
    rows = len(golden.labels)
    kinds = {item.name: item.datatype for item in package.signature.inputs}
    bodies = []
    for row in range(min(rows, 64)):
        inputs = []
        for name, column in golden.columns.items():
            value = column[row]
            text = kinds[name] == "BYTES"
            data = value if text else None if math.isnan(value) else float(value)
            inputs.append({"name": name, "datatype": kinds[name], "shape": [1], "data": [data]})
        bodies.append(json.dumps({"inputs": inputs}).encode())
    return bodies
