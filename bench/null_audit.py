"""Null audits: certify hundreds of models without a fault, and count the certificates that fail all the same.

Two kinds. ``met``: the model clearly meets a policy of all checks. ``edge``: it meets each requirement whose number
comes from a sample by nothing, the threshold being the truth; there a false failure is most likely, 2.5 % for each
requirement at a confidence of 95 % without a correction, and at most 5 % for all together with Bonferroni's. Each for
three tasks, of independent rows and of rows in 60 groups (``tests/certify/certify_null.py``).

Run ``python bench/null_audit.py --met 40 --edge 300 --corrected 60``; prints the tables of docs/honest-verdicts.md.
About 20 minutes of one core. Exit code 1 if a share is over the binomial bound (one in 200).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "certify"))
import certify_null as null

ALPHA = 0.05


def most(trials: int, rate: float) -> int:
    """The most failures that chance explains, but once in 200 times."""
    return int(stats.binom.ppf(0.995, trials, rate))


def main() -> int:
    """Run the audits, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in (
        ("met", "a policy of all checks"),
        ("edge", "exact thresholds"),
        ("corrected", "with Bonferroni"),
    ):
        parser.add_argument(f"--{name}", type=int, default=40, help=f"models of each task and kind of rows: {what}")
    asked = parser.parse_args()
    over = _families("clearly met, all checks", asked.met, null.audit_met, rate=ALPHA)
    over |= _families(
        "met by nothing, Bonferroni",
        asked.corrected,
        lambda task, **given: null.audit_edge(task, multiplicity="bonferroni", **given),
        rate=ALPHA,
    )
    over |= _edges(asked.edge)
    return int(over)


def _families(title: str, count: int, audit: object, *, rate: float) -> bool:
    over = False
    if not count:
        return over
    _say(f"\n{title}\n\n| task | rows | models | failed a `must` | bound | left open |\n|---|---|---|---|---|---|")
    for task in null.TASKS:
        for grouped in (False, True):
            found = audit(task, grouped=grouped, seeds=range(count))  # type: ignore[operator]
            bound = most(found.count, rate)
            over |= found.failed > bound
            told = ", ".join(
                f"{name} {verdict} {often}"
                for (name, verdict), often in sorted(found.verdicts.items())
                if verdict == "FAIL" or (verdict == "INCONCLUSIVE" and title.startswith("clearly"))
            )
            rows = "groups" if grouped else "independent"
            _say(f"| {task} | {rows} | {found.count} | {found.failed} | {bound} | {found.open}{told and f': {told}'} |")
    return over


def _edges(count: int) -> bool:
    if not count:
        return False
    verdicts: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    trials: dict[tuple[str, str], int] = defaultdict(int)
    for task in null.TASKS:
        for grouped in (False, True):
            rows = "groups" if grouped else "independent"
            found = null.audit_edge(task, grouped=grouped, seeds=range(1000, 1000 + count))
            sys.stderr.write(f"{task} {rows}: {sorted((*key, often) for key, often in found.verdicts.items())}\n")
            for (name, verdict), often in found.verdicts.items():
                verdicts[name][f"{task} {rows}", verdict] += often
                trials[name, f"{task} {rows}"] += often
    columns = [f"{task} {rows}" for task in null.TASKS for rows in ("independent", "groups")]
    _say(f"\nmet by nothing, one by one: false FAIL % / PASS %, {count} models each, bound {most(count, ALPHA / 2)}\n")
    _say("| requirement | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    over = False
    for name in sorted(verdicts):
        cells = []
        for column in columns:
            if not trials[name, column]:
                cells.append("")
                continue
            failed, passed = (verdicts[name][column, verdict] for verdict in ("FAIL", "PASS"))
            flag = "**" if failed > most(count, ALPHA / 2) else ""
            over |= bool(flag)
            cells.append(f"{flag}{100 * failed / count:.1f}{flag} / {100 * passed / count:.1f}")
        _say(f"| {name} | " + " | ".join(cells) + " |")
    return over


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
