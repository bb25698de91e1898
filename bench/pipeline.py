"""Time a pipeline of 10, 100 and 1,000 trivial stages: its run, a run with nothing to do, and `status`; beside peers.

    python bench/pipeline.py [--sizes 10,100,1000] [--repeat N] [--peers PYTHON] [--out FILE]

Each command is a process of its own. Told are its wall time and its processor time (user and system, with what it
started and waited for), which other work on the machine disturbs less; ratios are to ``python -c pass`` in the same
run; a stage costs what a run of all takes beyond one with nothing to do. DVC and snakemake are timed where they are
installed beside PYTHON; a DVC that took more than ``--limit`` seconds to run one size is given larger ones as done.
Experiments are timed by bench/experiments.py, executors by bench/executors.py, both called last.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline_project import finish_dvc, make_project
from timing import MINTAGE, machine, write_result

HERE = Path(__file__).parent
JOBS = "2"


def main() -> None:
    """Measure, print a table, write JSON."""
    asked = _arguments()
    before, steps = machine(), {}
    with tempfile.TemporaryDirectory(prefix="mintage-bench-") as name:
        folder = Path(name)
        steps["python -c pass"] = _repeated([sys.executable, "-c", "pass"], folder, asked.repeat)
        for tool, program in _tools(asked.peers).items():
            steps |= _tool(tool, program, folder, asked)
    bare = steps["python -c pass"]
    for found in steps.values():
        found["ratio"] = round(found["processor_s"] / bare["processor_s"], 2)
    figures: dict[str, Any] = {"steps": steps}
    if not asked.no_experiments:
        figures["experiments"] = _by("experiments.py")
    if not asked.no_executors:
        figures["executors"] = _by("executors.py")
    write_result("pipeline", before=before, figures=figures, output=asked.out)
    _show(steps, figures.get("experiments"))
    _show_executors(figures.get("executors", {}))


def _tools(peers: Path | None) -> dict[str, dict[str, list[str]]]:
    """The commands of each tool that is there: to begin with, to run all, to run with nothing to do, to ask."""
    found = {
        "mintage": {
            "run": [MINTAGE, "run", "-j", JOBS],
            "no-op run": [MINTAGE, "run"],
            "status": [MINTAGE, "status"],
        }
    }
    if peers is None:
        return found
    dvc, snakemake = (str(peers.absolute().with_name(name)) for name in ("dvc", "snakemake"))
    if os.access(dvc, os.X_OK):
        found["dvc"] = {
            "begin": [dvc, "init", "-q"],
            "run": [dvc, "repro", "-q"],
            "no-op run": [dvc, "repro", "-q"],
            "status": [dvc, "status", "-q"],
        }
    if os.access(snakemake, os.X_OK):
        quiet = ["--quiet", "all"]
        found["snakemake"] = {
            "run": [snakemake, "-c", JOBS, *quiet],
            "no-op run": [snakemake, "-c", "1", *quiet],
            "status": [snakemake, "-c", "1", "--dry-run", *quiet],
        }
    return found


def _tool(tool: str, commands: dict[str, list[str]], folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """All sizes of one tool; to a DVC that is slow, larger ones are given as done."""
    found: dict[str, Any] = {}
    slow, before = False, 0
    for size in asked.sizes:
        project = folder / f"{tool}-{size}"
        make_project(project, stages=size, tool=tool)
        if "begin" in commands:
            _timed(commands["begin"], project)
        _timed([commands["run"][0], "--version"], project)  # Python keeps what it compiled
        if slow:
            finish_dvc(project, stages=size)
            before = (project / "out/0000.txt").stat().st_mtime_ns
        else:
            run = found[f"{tool} run, {size:,} stages"] = _repeated(commands["run"], project, 1)
        for what in ("no-op run", "status"):
            found[f"{tool} {what}, {size:,} stages"] = _repeated(commands[what], project, asked.repeat)
        if not slow:
            spent = run["processor_s"] - found[f"{tool} no-op run, {size:,} stages"]["processor_s"]
            run["processor_a_stage_ms"] = round(1000 * spent / size, 2)
            slow = tool == "dvc" and run["wall_s"] > asked.limit
        elif (project / "out/0000.txt").stat().st_mtime_ns != before:
            raise SystemExit("DVC did not take what it was given as done")
    return found


def _repeated(command: list[str], folder: Path, times: int) -> dict[str, Any]:
    """The medians of some repetitions, and all of them."""
    all_of = [_timed(command, folder) for _ in range(times)]
    walls, processors = zip(*all_of, strict=True)
    return {
        "n": times,
        "wall_s": statistics.median(walls),
        "processor_s": statistics.median(processors),
        "walls_s": walls,
        "processors_s": processors,
    }


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the clock and of the processor; raises SystemExit where a command fails."""
    spent, started = _processor_s(), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=_variables(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    took, spent = time.perf_counter() - started, _processor_s() - spent
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr[-800:]}")
    return round(took, 4), round(spent, 4)


def _variables() -> dict[str, str]:
    """The environment; Python keeps what it compiled, as it does for whoever installed a tool."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "DVC_NO_ANALYTICS": "1"}


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by(script: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(HERE / script)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show(steps: dict[str, Any], experiments: dict[str, Any] | None) -> None:
    sys.stdout.write(f"{'':<34} {'n':>2} {'wall':>9} {'processor':>10} {'x python':>9} {'a stage':>9}\n")
    for name, found in steps.items():
        each = f"{found['processor_a_stage_ms']:>6.1f} ms" if "processor_a_stage_ms" in found else ""
        seconds = f"{found['wall_s']:>7.3f} s {found['processor_s']:>8.3f} s"
        sys.stdout.write(f"{name:<34} {found['n']:>2} {seconds} {found['ratio']:>9.1f} {each:>9}\n")
    if experiments is not None:
        made, listed = experiments["make_beside_10000_ms"], experiments["list_10000_ms"]
        sys.stdout.write(
            f"an experiment beside 10,000, in the process: {made['median']} ms; to list them {listed['median']} ms\n"
        )


def _show_executors(found: dict[str, Any]) -> None:
    """What a trivial stage takes by each executor, and what of that is handing it out."""
    for name, figures in found.items():
        more = f", {figures['median_ms'] - found['local']['median_ms']:.0f} ms more than here" if name == "ray" else ""
        sys.stdout.write(f"a stage by {name}: {figures['median_ms']} ms{more}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=_sizes, default=[10, 100, 1000], metavar="N,…", help="numbers of stages")
    parser.add_argument("--repeat", type=int, default=5, help="how often what changes nothing is timed")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="an interpreter with DVC or snakemake beside it")
    parser.add_argument(
        "--limit", type=float, default=20, help="seconds of a run of DVC after which it runs no larger one"
    )
    parser.add_argument("--no-experiments", action="store_true", help="leave out bench/experiments.py")
    parser.add_argument("--no-executors", action="store_true", help="leave out bench/executors.py")
    parser.add_argument("--out", type=Path, default=HERE / "results/pipeline.json")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return sorted(int(word) for word in text.split(","))


if __name__ == "__main__":
    main()
