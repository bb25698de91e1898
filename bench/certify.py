"""Times certification: a model of 200 boosted trees, 100,000 training rows of 50 columns, all checks; and two searches.

    python bench/certify.py [--peers PYTHON] [--rows N] [--only searches|tiers] [--out FILE]

The project in bench/large is run and certified in a new folder with the installed command line: as a pull request, as
a release with nothing known from before, again with nothing changed, and again with one requirement changed. Told are
wall time, the processor time of the command and of all that it started and waited for, and the memory of the largest of
these processes. PYTHON is an interpreter with requirements/peers.txt (``make bench-certify`` makes one).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from searches import cells, slices
from timing import MINTAGE, machine, write_result

_PROJECT = Path(__file__).with_name("large")
_POLICY = "policies/large.yaml"


def main() -> None:
    """Measure, print a table, write JSON."""
    asked = _arguments()
    before, figures = machine(), {}
    if asked.only != "tiers":
        figures["slices of 10 columns"] = slices(numbers=6, texts=4, times=7, peer=asked.peers)
        figures["slices of 14 columns"] = slices(numbers=6, texts=8, times=7, peer=asked.peers)
        figures["cells of three columns"] = cells(times=5)
    if asked.only != "searches":
        with tempfile.TemporaryDirectory() as folder:
            figures |= tiers(Path(folder) / "large", rows=asked.rows)
    write_result("certify", before=before, figures={"steps": figures}, output=asked.out)
    for name, found in figures.items():
        sys.stdout.write(f"{name:<28} {_line(found)}\n")


def tiers(folder: Path, *, rows: int) -> dict[str, dict[str, Any]]:
    """The project's model, certified in turn; raises SystemExit where a command fails."""
    shutil.copytree(_PROJECT, folder)
    _replace(folder / "params.yaml", {"rows: 100000": f"rows: {rows}", "others: 25000": f"others: {rows // 4}"})
    (folder / ".gitignore").write_text(".mintage/\nwork/\n")
    _run(["git", "init", "-q"], folder)
    _run([MINTAGE, "init"], folder)
    _commit(folder)
    found = {"run": _run([MINTAGE, "run"], folder)}
    _commit(folder)
    found["pull request"] = _run([MINTAGE, "certify", "--json", "--tier", "pull-request"], folder)
    found["release, all anew"] = _run([MINTAGE, "certify", "--json", "--fresh"], folder)
    found["release, nothing changed"] = _run([MINTAGE, "certify", "--json"], folder)
    _replace(folder / _POLICY, {"max: 0.10}": "max: 0.11}"})
    _commit(folder)
    found["release, one changed"] = _run([MINTAGE, "certify", "--json"], folder)
    return found


def _run(command: list[str], folder: Path) -> dict[str, Any]:
    """Run to its end; what it took, and of a certification what it found."""
    who = {f"GIT_{role}_{what}": "bench@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **who}, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, talk = out.read(), err.read()
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}: {talk}")
    found = {
        "seconds": round(time.perf_counter() - started, 2),
        "processor_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(_kilobytes(usage) / 1024),
    }
    return found | (_verdicts(json.loads(said)) if "certify" in command else {})


def _verdicts(answer: Mapping[str, Any]) -> dict[str, Any]:
    results = answer["results"]
    lost = [each["reason"] for each in results if "broke off" in each["reason"] or "stopped after" in each["reason"]]
    return {"verdict": answer["verdict"], "checks": len(results), "known": len(answer["kept"]), "lost": lost}


def _kilobytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)


def _commit(folder: Path) -> None:
    _run(["git", "add", "-A"], folder)
    _run(["git", "commit", "-q", "-m", "on the way"], folder)


def _replace(path: Path, changes: Mapping[str, str]) -> None:
    text = path.read_text()
    for old, new in changes.items():
        assert old in text, f"no {old} in {path}"
        text = text.replace(old, new)
    path.write_text(text)


def _line(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in found.items() if value != [])


def _plain(value: Any) -> Any:
    return f"({_line(value)})" if isinstance(value, dict) else value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="a Python with requirements/peers.txt")
    parser.add_argument("--rows", type=int, default=100_000, help="of training; a fourth of it of each other table")
    parser.add_argument("--only", choices=("searches", "tiers"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/certify.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
