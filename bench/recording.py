"""What recording a stage costs: the set-up of its private folder, and a training run with and without being recorded.

    python bench/recording.py                  # two rounds of a run of a minute; writes results/recording.json

The training reads a table in small blocks, two files in turn and a folder of pictures again and again, and fits forests
between: many events for the kernel, and ordinary work. Plain and recorded runs take turns in one process, on copies of
one folder. ``set-up`` is the time until the command starts; ``cpu-`` is the processor's time of command and recorder
together, which other work on the machine disturbs less than the clock.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from timing import Stopwatch, machine, table, write_result

from mintage.pipeline.recording.hooklog import install
from mintage.pipeline.recording.inotify import Watcher
from mintage.pipeline.recording.mirror import mirror
from mintage.pipeline.recording.protect import closing, is_possible
from mintage.pipeline.recording.record import record
from mintage.pipeline.sandbox import Scratch, run_command, stage_environment

TRAIN = """\
import os, sys
import joblib, numpy as np
from sklearn.ensemble import RandomForestClassifier
import one, two

for turn in range(int(sys.argv[1])):
    with open("data/a.bin", "rb", buffering=0) as a, open("data/b.bin", "rb", buffering=0) as b:
        while a.read(8192) and b.read(8192):
            pass
    pictures = [open("pictures/" + name, "rb").read() for name in sorted(os.listdir("pictures"))]
    rows = np.random.default_rng(turn).normal(size=(4000, 20))
    model = RandomForestClassifier(40, random_state=turn).fit(rows, rows[:, 0] > len(pictures) / 1e9)
joblib.dump(model, "model.joblib")
"""


def make(root: Path, *, pictures: int, large: int) -> None:
    """A project of a few scripts, a folder of small files, and two large ones."""
    for name, text in {"train.py": TRAIN, "one.py": "X = 1\n", "two.py": "Y = 2\n"}.items():
        (root / name).write_text(text)
    (root / "data").mkdir()
    (root / "pictures").mkdir()
    for name in ("a", "b"):
        (root / f"data/{name}.bin").write_bytes(b"0123456789abcdef" * (large // 32))
    for number in range(pictures):
        (root / f"pictures/{number:05}.png").write_bytes(b"x" * 4096)


def set_up(watch: Stopwatch, name: str, root: Path, what: str) -> None:
    """Time everything that happens before the command starts."""
    with Scratch(root / ".mintage/tmp") as scratch:
        started = time.perf_counter()
        made = mirror(root, scratch.work, can_link=is_possible())
        install(scratch.private / "hook", {}, work=scratch.work, links=made.links)
        with closing(made.protected, writable=[scratch.base]):
            watcher = Watcher.over([scratch.work, *(scratch.work / path for path in made.folders)])
            watch.add(name, what, time.perf_counter() - started)
        if watcher is not None:
            with watcher:
                pass


def processor_s() -> float:
    """Seconds of the processor that this process and its ended children have used."""
    return sum(os.times()[:4])


def train(watch: Stopwatch, root: Path, turns: int) -> None:
    """One plain and one recorded run of the same training."""
    command = ["python", "train.py", str(turns)]
    with Scratch(root / ".mintage/tmp") as scratch:
        mirror(root, scratch.work, can_link=is_possible())
        variables = stage_environment(scratch, seed=None, threads=1, declared=())
        started, spent = time.perf_counter(), processor_s()
        run_command(command, folder=scratch.work, environment=variables, log=scratch.private / "log")
        watch.add("plain", f"{turns} turns", time.perf_counter() - started)
        watch.add("cpu-plain", f"{turns} turns", processor_s() - spent)
    with Scratch(root / ".mintage/tmp") as scratch:
        variables = stage_environment(scratch, seed=None, threads=1, declared=())
        log = scratch.private / "log"
        started, spent = time.perf_counter(), processor_s()
        found = record(command, root=root, scratch=scratch, environment=variables, log=log, python=sys.executable)
        watch.add("recorded", f"{turns} turns", time.perf_counter() - started)
        watch.add("cpu-recorded", f"{turns} turns", processor_s() - spent)
        assert found.finished.exit_code == 0, log.read_text()
        assert len(found.reads) > 2 and found.writes == ("model.joblib",) and not found.notes, found.notes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60, help="turns of the training; one takes about a second")
    parser.add_argument("--rounds", type=int, default=2, help="plain and recorded runs, in turn")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results/recording.json")
    arguments = parser.parse_args()
    before, watch = machine(), Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"usual": (95, 1 << 30), "small": (20, 64 << 10), "many": (10_000, 64 << 10), "large": (20, 2 << 30)}
        for name, (pictures, large) in sizes.items():
            root = Path(folder, name)
            root.mkdir()
            make(root, pictures=pictures, large=large)
            for _ in range(5):
                set_up(watch, f"set-up-{name}", root, f"{pictures + 5:,} files, {large / 1e6:,.0f} MB in two of them")
        root = Path(folder, "train")
        root.mkdir()
        make(root, pictures=500, large=64 << 20)
        for _ in range(arguments.rounds):
            train(watch, root, arguments.turns)
    least = {name: min(step.seconds) for name, step in watch.steps.items()}
    cost = least["recorded"] / least["plain"] - 1
    cpu_cost = least["cpu-recorded"] / least["cpu-plain"] - 1
    ready_ms = least["set-up-usual"] * 1000
    figures = {"steps": watch.figures(), "cost": round(cost, 4), "cpu_cost": round(cpu_cost, 4)}
    result = write_result("recording", before=before, figures=figures, output=arguments.output)
    sys.stdout.write(table(result) + f"recording costs {cost:+.1%} of the time and {cpu_cost:+.1%} of the work\n")
    sys.stdout.write(f"a project of 100 files with 1 GB in two of them is ready after {ready_ms:.0f} ms\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
