"""Plant each fault in the sound model of real flights, and print the page docs/planted-faults.md.

The faults are those of ``tests/certify/certify_faults.py``, the model and its policy those of ``certify_planted.py``.
Run ``python bench/planted.py > docs/planted-faults.md``; a minute of one core. That nothing else fails is what the slow
tests of ``test_certify_planted.py`` hold. Exit code 1 if a fault does not fail what it is listed with.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "certify"))
from certify_faults import FAULTS, POWER, page_rows, weak_slice
from certify_planted import flights, results, twin

HEAD = """# Planted faults

A check that never fails proves nothing. So each check has a model with the fault that it is for, and the certificate of
that model fails that requirement and no other. Its twin without the fault fails none: all are PASS, or do not apply.

The rows are New York's flights of 2013, one in six, split by day at random:
{rows}.
The model, boosted trees, is fitted on them, and one policy asks all checks of it, with the same thresholds for the twin
and for every fault. A fault is planted in the model, in the data, or in what is known of them.
`tests/certify/test_certify_planted.py` holds what is said here; this page is written by `python bench/planted.py`. An
expired waiver, a tampered certificate and a policy of another model have tests of their own.

| planted | fails | what the certificate says |
|---|---|---|
"""
POWER_HEAD = """
## How small a weak slice is found

Errors three times as frequent for one carrier at one airport. Half of the hold-out's {rows:,} rows proposes slices, the
other half confirms them. A slice of less than `min_share`, here 1 % of the rows, is not told.

| slice | share of the rows | what S1 says |
|---|---|---|
"""


def main() -> int:
    """Print the page."""
    rows = ", ".join(
        f"{len(part.labels):,} {name} rows of {len(set(part.days.tolist()))} days" for name, part in flights().items()
    )
    sys.stdout.write(HEAD.format(rows=rows))
    wrong = False
    for name, fault in FAULTS.items():
        verdicts = results(fault.plant(), *fault.fails, *fault.open)
        if {verdicts[key].verdict for key in fault.fails} - {"FAIL"}:
            wrong = True
            sys.stderr.write(f"{name}: {[(key, item.verdict) for key, item in verdicts.items()]}\n")
        sys.stdout.writelines(page_rows(fault, verdicts))
        sys.stdout.flush()
    sys.stdout.write(POWER_HEAD.format(rows=twin().holdout.rows))
    for carrier, origin in POWER:
        split = twin().holdout
        share = ((split.columns["carrier"] == carrier) & (split.columns["origin"] == origin)).mean()
        reason = results(weak_slice(carrier, origin), "s1")["s1"].reason
        sys.stdout.write(f"| {carrier} at {origin} | {100 * share:.1f} % | {reason} |\n")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
