"""Measures every pipeline of tests/lower/matrix_cases.py beside the released converters, and writes docs/parity.md.

    python bench/parity.py [--only TEXT] [--out FILE] [--page docs/parity.md]

Our lowering is proven by the gate on 3,000 real flights and on edge rows; skl2onnx, with onnxmltools' converters of the
boosting libraries, answers the same real rows, once with float inputs and once with double ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from timing import machine, write_result

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "lower"))
from matrix import Converted, Measured, measure
from matrix_cases import CASES, read_flights

LIBRARIES = ("scikit-learn", "xgboost-cpu", "lightgbm", "catboost", "skl2onnx", "onnxmltools", "onnxruntime")


_HEAD = (
    "| pipeline | task | ours: error | flips | bit-equal | edge rows | kB | float inputs | double inputs |",
    "|---|---|---|---|---|---|---|---|---|",
)
_TEXT = """# The same answer, measured

{count} pipelines on real flights, lowered by Mintage and by the released converters: {families}.
`python bench/parity.py --page docs/parity.md` writes this page; `tests/lower/test_lower_matrix.py` proves our column
again in `make test-all`.

Each pipeline is fitted on about 4,000 flights out of New York in 2013 and compared on 3,000 others: numbers with
missing values, the departure as seconds since 1970 (a date, beyond 2^24), texts with levels that the training rows have
not. Ours is compared on edge rows too: values at every split that a row passes, one ulp to either side, missing values,
unseen levels.

- **Ours**: largest error on real and edge rows (of a value beyond 1 as a share of it), label flips, rows whose values
  are all equal to the bit, size of the graph. XGBoost computes in float32; its sums are done in its own order.
- **Converters**: skl2onnx, with onnxmltools' converters of the boosting libraries: largest error and label flips on the
  same 3,000 real rows, with float and with double inputs.

The converters were asked for {asked} of them. With float inputs they flip labels in {flips}; in {wrong} neither kind of
input gives every answer to within 1e-5 and without a flip. Ours flips none of {count}. {ended}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="cases whose family, task or name has this text")
    parser.add_argument("--out", type=Path, default=Path("bench/results/parity.json"))
    parser.add_argument("--page", type=Path, help="the page to write")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    flights, found, before = read_flights(), [], machine()
    for case in CASES:
        if arguments.only not in f"{case.family} {case.task} {case.name}":
            continue
        with tempfile.TemporaryDirectory(prefix="mintage-parity-") as folder:
            found.append(measure(case, flights, Path(folder), converters=True))
        print(_row(found[-1]), flush=True)
    figures = {"cases": [asdict(item) for item in found], "versions": _versions()}
    write_result("parity", before=before, figures=json.loads(json.dumps(figures)), output=arguments.out)
    if arguments.page:
        arguments.page.write_text(_page(found), encoding="utf-8")


def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def _page(found: list[Measured]) -> str:
    both = [part for item in found for part in (item.float32, item.float64) if part is not None]
    asked = [item for item in found if any(_was_asked(part) for part in (item.float32, item.float64))]
    wrong = sum(1 for item in asked if not any(_right(item, part) for part in (item.float32, item.float64)))
    flips = sum(1 for item in found if item.float32 is not None and item.float32.flips)
    families = ", ".join(sorted({item.family for item in found}))
    text = _TEXT.format(
        count=len(found), families=families, flips=flips, asked=len(asked), wrong=wrong, ended=_ended(both)
    )
    versions = ", ".join(f"{name} {text}" for name, text in _versions().items())
    lines = [text, f"Versions: {versions}.", "", *_HEAD]
    return "\n".join([*lines, *(_row(item) for item in found)]) + "\n"


def _right(item: Measured, part: Converted | None) -> bool:
    return part is not None and part.failed is None and part.flips == 0 and part.max_error <= max(1e-5, item.tolerance)


def _was_asked(part: Converted | None) -> bool:
    return part is not None and not (part.failed or "").startswith("not compared")


def _ended(both: list[Converted]) -> str:
    count = sum(1 for part in both if part.failed is not None and "did not end" in part.failed)
    return f"A conversion that did not end within 20 seconds was stopped ({count})." if count else ""


def _row(item: Measured) -> str:
    cells = (
        f"{item.family}: {item.name}",
        item.task,
        f"{item.max_error:.1e}" if item.max_error else "0",
        str(item.flips),
        f"{item.bit_equal} of {item.compared}",
        f"{item.edges}",
        f"{item.bytes / 1000:.0f}",
        _cell(item.float32),
        _cell(item.float64),
    )
    return "| " + " | ".join(cells) + " |"


def _cell(part: Converted | None) -> str:
    if part is None:
        return ""
    if part.failed is not None:
        return ("" if part.failed.startswith("not compared") else "fails: ") + part.failed.replace("|", "/").replace(
            "\n", " "
        )[:70]
    error = f"**{part.max_error:.1e}**" if part.max_error > 1e-5 else f"{part.max_error:.1e}"
    return f"{error}, {part.flips} flips" if part.flips != 1 else f"{error}, 1 flip"


if __name__ == "__main__":
    main()
