"""Time each step of the loop on the demo's project, through the installed command line and over HTTP.

Each round starts in a new folder with all flights of the template. Steps that change the project are timed once a
round, those that leave it as it is ``--repeat`` times. Nothing is called in-process but the client of the gateway.

    python bench/loop.py --rounds 3 --repeat 5 --output bench/results/loop.json
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from timing import MINTAGE, Failed, Stopwatch, machine, table, write_result

from mintage.cli.demo.world import Month, World, request_body

MODEL, ENVIRONMENT = "late", "production"
MARCH = Month(3)
WARM_UP, CALLS = 200, 2000


def main() -> int:
    parser = argparse.ArgumentParser(description="Time each step of the loop.")
    parser.add_argument("--rounds", type=int, default=3, help="how often to go through the loop in a new folder")
    parser.add_argument("--repeat", type=int, default=5, help="how often a round times a step that changes nothing")
    parser.add_argument("--demos", type=int, default=1, help="how often to time the whole demo on every tenth flight")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "loop.json")
    arguments = parser.parse_args()

    before, watch, failed = machine(), Stopwatch(), False
    try:
        for number in range(arguments.rounds):
            sys.stderr.write(f"round {number + 1} of {arguments.rounds}\n")
            with tempfile.TemporaryDirectory(prefix="mintage-bench-") as folder:
                _round(watch, Path(folder), repeat=arguments.repeat)
        for _ in range(arguments.demos):
            with tempfile.TemporaryDirectory(prefix="mintage-bench-") as folder:
                watch.mintage("demo", "demo", "demo", "--every", "10", folder=Path(folder))
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        failed = True
    result = write_result("loop", before=before, figures={"steps": watch.figures()}, output=arguments.output)
    sys.stdout.write(table(result))
    sys.stderr.write(f"written to {arguments.output}\n")
    return 1 if failed else 0


def _round(watch: Stopwatch, folder: Path, *, repeat: int) -> None:
    """The loop once; the gateway that it starts is stopped, whatever happens."""
    watch.command("python", [sys.executable, "-c", "pass"], what="python -c pass", folder=folder, times=repeat)
    watch.mintage("version", "--version", folder=folder, times=repeat)
    watch.mintage("help", "--help", folder=folder, times=repeat)
    try:
        _make(watch, folder, repeat=repeat)
        _serve(watch, folder, repeat=repeat)
        _watch(watch, folder, repeat=repeat)
        watch.mintage("verify", "verify", f"{ENVIRONMENT}/{MODEL}", folder=folder, times=repeat)
        watch.mintage("report", "report", folder=folder, times=repeat)
    finally:
        subprocess.run([MINTAGE, "stop", ENVIRONMENT], cwd=folder, capture_output=True, check=False)


def _make(watch: Stopwatch, folder: Path, *, repeat: int) -> None:
    """From raw files to a certified model."""
    watch.mintage("init", "init", "--template", "flights", folder=folder)
    for key, value in (("user.name", "bench"), ("user.email", "bench@example.org"), ("commit.gpgsign", "false")):
        _git(folder, "config", key, value)
    watch.mintage("add", "add", "data/flights.parquet", "data/weather.parquet", folder=folder)
    _commit(folder, "data and policy")
    watch.mintage("run", "run", folder=folder)
    _commit(folder, "run")
    watch.mintage("run-again", "run", folder=folder, times=repeat)
    watch.mintage("status", "status", folder=folder, times=repeat)
    watch.mintage("certify", "certify", MODEL, folder=folder)
    _commit(folder, "certify")


def _serve(watch: Stopwatch, folder: Path, *, repeat: int) -> None:
    """From the certificate to predictions."""
    watch.mintage("release", "release", MODEL, "--to", ENVIRONMENT, "--why", "bench", folder=folder)
    watch.mintage("reconcile", "reconcile", ENVIRONMENT, folder=folder)
    watch.mintage("reconcile-again", "reconcile", ENVIRONMENT, folder=folder, times=repeat)
    (folder / "traffic").mkdir()
    world = World(folder / "data")
    seconds = _call(_url(folder), world)
    for name, share in (("http-p50", 0.5), ("http-p99", 0.99)):
        what = f"one row a request, one keep-alive connection on loopback, {CALLS} calls"
        watch.add(name, what, seconds[int(share * len(seconds))])
    rows = world.flights(MARCH)
    rows.drop("late").write_parquet(folder / "traffic" / "in.parquet")
    world.labels(MARCH).write_parquet(folder / "traffic" / "labels.parquet")
    sys.stderr.write(f"  (the batch has {rows.height} rows)\n")
    watch.mintage("predict", "predict", MODEL, "traffic/in.parquet", "traffic/out.parquet", folder=folder)


def _watch(watch: Stopwatch, folder: Path, *, repeat: int) -> None:
    """From labels to a decision; the first look trains a candidate, the next ones find it in the store."""
    watch.mintage("labels", "labels", MODEL, "traffic/labels.parquet", "--observed-at", MARCH.labelled, folder=folder)
    look = ("monitor", MODEL, "--as-of", MARCH.labelled)
    watch.mintage("monitor", *look, folder=folder)
    watch.mintage("monitor-again", *look, folder=folder, times=repeat)


def _call(url: str, world: World) -> list[float]:
    """Sorted seconds of single predictions, from sending the request to having read the whole answer."""
    flights, _ = world.split(MARCH, requests=WARM_UP + CALLS)
    # names of their own: these calls are not among the predictions that labels come for
    bodies = [request_body({**row, "flight_id": f"bench-{number}"}) for number, row in enumerate(flights)]
    address, path = urlsplit(url), f"/v2/models/{MODEL}/infer"
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    seconds = []
    try:
        for body in bodies:
            started = time.perf_counter()
            connection.request("POST", path, body=body)
            answer = connection.getresponse()
            data = answer.read()
            seconds.append(time.perf_counter() - started)
            if answer.status != 200:
                raise Failed(f"the gateway refused a row: {data.decode(errors='replace')[:200]}")
    finally:
        connection.close()
    return sorted(seconds[WARM_UP:])


def _url(folder: Path) -> str:
    live = folder / ".mintage" / "environments" / ENVIRONMENT / "live.json"
    return str(json.loads(live.read_text(encoding="utf-8"))["url"])


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", message)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    raise SystemExit(main())
