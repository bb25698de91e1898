"""What the words of ``mintage predict`` mean: which model, and a file of rows, a stream or one row.

>>> read_words(["churn", "rows.csv", "out.parquet"], ["churn"])
Asked(model='churn', source=PosixPath('rows.csv'), output=PosixPath('out.parquet'), row=None)
>>> read_words(["-"], ["churn"])
Asked(model=None, source=None, output=None, row=None)
>>> read_words(["age=41", "plan="], ["churn"]).row
{'age': '41', 'plan': ''}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import UsageError
from mintage.serve.rowfile import SUFFIXES, kind_of

__all__ = ["Asked", "read_words"]


@dataclass(frozen=True)
class Asked:
    """The model, None for the only one; one ``row``, else ``source`` and ``output``, where None is stdin and stdout."""

    model: str | None
    source: Path | None
    output: Path | None
    row: Mapping[str, str] | None


def read_words(words: Sequence[str], models: Sequence[str]) -> Asked:
    """Tell the words apart; raises UsageError. A word is a model if it is one, or if it can be nothing else."""
    first = words[0]
    model = first if first in models or Path(first).is_dir() or not _is_rows(first) else None
    rest = list(words if model is None else words[1:])
    if not rest:
        raise UsageError(
            "there is nothing to predict", expected=f"a {SUFFIXES} file, - for stdin, or NAME=VALUE for each input"
        )
    if all("=" in word for word in rest) and not Path(rest[0]).exists():
        return Asked(model, None, None, _row(rest))
    if len(rest) > 2:
        raise UsageError("too many words", expected="[MODEL] ROWS [OUT]", found=" ".join(words)[:200])
    source, output = (None if word == "-" else Path(word) for word in [*rest, "-"][:2])
    return Asked(model, source, output, None)


def _is_rows(word: str) -> bool:
    return word == "-" or "=" in word or kind_of(word) is not None or Path(word).is_file()


def _row(words: Sequence[str]) -> dict[str, str]:
    row: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in row:
            raise UsageError(f"{name} is given twice", expected="each input once")
        row[name] = value
    return row
