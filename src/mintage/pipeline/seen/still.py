"""Whether what a run saw is as it was, so that it would see the same again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from mintage.pipeline.seen.key import Saw, listed_names
from mintage.record.digest import blake3_file

__all__ = ["saw_all", "stands"]


def stands(saw: Saw, *, root: Path, around: Collection[str]) -> bool:
    """Whether the files below ``root``, and the names of the code ``around``, are those that were seen."""
    return (
        all((root / path).is_file() and blake3_file(root / path) == digest for path, digest in saw.code.items())
        and all(listed_names(around, folder) == names for folder, names in saw.listed.items())
        and not {*saw.absent} & {*around}
    )


def saw_all(each: Iterable[Saw], *, known: Collection[str]) -> Saw:
    """What several runs saw together, without the code that is ``known`` anyway."""
    every = [*each]
    code = {path: digest for saw in every for path, digest in saw.code.items() if path not in known}
    return Saw(
        code=dict(sorted(code.items())),
        listed={folder: names for saw in every for folder, names in saw.listed.items()},
        absent=tuple(sorted({path for saw in every for path in saw.absent})),
    )
