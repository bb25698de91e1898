"""Which scripts of a folder become stages, in which order, and why. Pure.

A script that fits something is the heart. Before it come those that write what it reads, or whose name or number says
that they come first. Scripts that evaluate, predict, plot or serve are left to other commands, and that is said. When
several could be the heart and nothing connects them, ``rivals`` names them, likeliest first; ``tied`` says that
nothing makes the first likelier than the second.

>>> from mintage.pipeline.discover.script import read_script
>>> texts = {"prepare.py": "t.to_csv('b.csv')", "train.py": "t = pd.read_csv('b.csv')\\nm.fit(t)", "plot.py": "draw(1)"}
>>> choice = choose({path: read_script(path, text) for path, text in texts.items()}, there=())
>>> for step in choice.steps:
...     print(step.name, "|", step.command, "|", step.reason)
prepare | python prepare.py | writes b.csv, which train.py reads
train | python train.py | fits a model
>>> choice.left
(('plot.py', 'evaluates or looks at results'),)
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mintage.pipeline.discover.modules import command_for, reaches
from mintage.pipeline.discover.role import Role, is_aside, number_of, rank_of, role_of, stage_name, words_of
from mintage.pipeline.discover.script import Script

__all__ = ["Choice", "Step", "choose", "clash", "steps_of"]

_LEFT = {
    "evaluate": "evaluates or looks at results",
    "serve": "serves or shows something",
    "fetch": "fetches data, which is no part of a run",
    "prepare": "writes nothing that the others are seen to read",
    "train": "fits a model too",
    "other": "does not fit a model",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage to be: its name, script, command, why it was taken, and options that the command lacks."""

    name: str
    path: str
    command: str
    reason: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen: the stages in order; what was left and why; scripts among which somebody must choose."""

    steps: tuple[Step, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    rivals: tuple[str, ...] = ()
    tied: bool = False


def choose(scripts: Mapping[str, Script], *, there: Collection[str], heart: str | None = None) -> Choice:
    """``scripts`` are all files of code by path, ``there`` the other files; ``heart`` is a rival that was chosen."""
    roles = {path: _role(path, scripts) for path, script in scripts.items() if script.runs and not is_aside(path)}
    inside = {part for path in roles for part in reaches(path, scripts) if path != part}
    hearts = [path for path, role in roles.items() if role == "train" and path not in inside]
    if not hearts:
        hearts = [path for path, role in roles.items() if role == "other" and path not in inside]
        hearts = hearts if len(hearts) == 1 else []
    groups = sorted(_groups(hearts, scripts), key=lambda group: max(_likelihood(path, scripts) for path in group))
    if not groups:
        return Choice(left=_left(roles, inside, ()))
    groups.reverse()
    chosen = next((group for group in groups if heart in group), groups[0])
    taken = _before(chosen, roles, scripts, there)
    likely = [max(_likelihood(path, scripts)[:-1] for path in group) for group in groups]
    return Choice(
        steps=steps_of(taken, scripts, there),
        left=_left(roles, inside, taken),
        rivals=tuple(
            max(group, key=lambda path: _likelihood(path, scripts)) for group in groups[: 20 * (len(groups) > 1)]
        ),
        tied=len(groups) > 1 and likely[0] == likely[1],
    )


def steps_of(taken: Sequence[str], scripts: Mapping[str, Script], there: Collection[str]) -> tuple[Step, ...]:
    """The stages that run these scripts, in this order, each under a name of its own; ``there`` are other files."""
    names: dict[str, str] = {}
    for path in taken:
        name, count = stage_name(path), 2
        while name in names.values():
            name, count = f"{stage_name(path)}-{count}", count + 1
        names[path] = name
    return tuple(
        Step(
            name=names[path],
            path=path,
            command=command_for(scripts[path], scripts, there),
            reason=_reason(path, taken, scripts),
            needs=scripts[path].needs,
        )
        for path in taken
    )


def clash(steps: Sequence[Step], scripts: Mapping[str, Script]) -> tuple[str, str, str] | None:
    """A file that two of the stages write, and their scripts, as far as their texts say; None if there is none."""
    makers: dict[str, str] = {}
    for step in steps:
        script = scripts[step.path]
        folder = script.folder if "cd " in step.command or script.notebook else ""
        for path in (posixpath.normpath(posixpath.join(folder, path)) for path in script.writes):
            if makers.setdefault(path, step.path) != step.path:
                return path, makers[path], step.path
    return None


def _role(path: str, scripts: Mapping[str, Script]) -> Role:
    parts = [scripts[part] for part in reaches(path, scripts)]
    return role_of(scripts[path], trains=scripts[path].trains or any(part.trains for part in parts))


def _likelihood(path: str, scripts: Mapping[str, Script]) -> tuple[bool, bool, bool, bool, int, str]:
    """What makes a script the one that is meant; the path comes last, so that the order never is by chance."""
    words = words_of(path)
    script = scripts[path]
    parts = [script, *(scripts[part] for part in reaches(path, scripts))]
    plain = bool(words & {"train", "training"}) and len(words) == 1
    saves = any(part.saves for part in parts)
    return (plain, saves, bool(words & {"train", "main"}), not script.notebook, -path.count("/"), _reversed(path))


def _reversed(path: str) -> str:
    """A text that sorts against the order of ``path``: among equals the first by name wins."""
    return "".join(chr(0x10FFFF - ord(char)) for char in path) + chr(0x10FFFF)


def _feeds(first: Script, second: Script) -> str | None:
    """A path that the first writes and the second reads."""
    return next(
        (
            path
            for path in first.writes
            if path not in second.writes
            and any(path == read or path.startswith(f"{read}/") or read.startswith(f"{path}/") for read in second.reads)
        ),
        None,
    )


def _groups(hearts: Sequence[str], scripts: Mapping[str, Script]) -> list[list[str]]:
    """Hearts that feed each other belong together."""
    groups: list[list[str]] = []
    for path in hearts:
        joined = [group for group in groups if any(_linked(path, other, scripts) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([part for group in joined for part in group] + [path])
    return groups


def _linked(one: str, other: str, scripts: Mapping[str, Script]) -> bool:
    first, second = scripts[one], scripts[other]
    return _feeds(first, second) is not None or _feeds(second, first) is not None


def _before(
    chosen: Sequence[str], roles: Mapping[str, Role], scripts: Mapping[str, Script], there: Collection[str]
) -> list[str]:
    """The chosen scripts and all that must run before them, in order."""
    taken = list(chosen)
    for path in taken:  # grows while it is read
        for other, role in roles.items():
            if other in taken or role in ("evaluate", "serve", "train"):
                continue
            fed = _feeds(scripts[other], scripts[path])
            if fed is not None and not (role == "fetch" and fed in there):
                taken.append(other)
    rest = [other for other, role in roles.items() if role == "prepare" and other not in taken]
    taken += [other for other in rest if any(_named_before(other, path, scripts) for path in chosen)]
    return _ordered(taken, scripts)


def _named_before(path: str, heart: str, scripts: Mapping[str, Script]) -> bool:
    """Whether names alone say that it comes first; not if both say what they read and write, and that is no match."""
    if scripts[path].folder != scripts[heart].folder or not scripts[path].runs:
        return False
    number, last = number_of(path), number_of(heart)
    if number is not None and last is not None:
        return number < last
    return not (scripts[path].writes and scripts[heart].reads)


def _ordered(taken: Sequence[str], scripts: Mapping[str, Script]) -> list[str]:
    """What feeds comes before what is fed; else by number, by what the name says, by name."""
    waiting = sorted(taken, key=lambda path: (number_of(path) or 0, rank_of(path), path))
    done: list[str] = []
    while waiting:
        ready = [
            path
            for path in waiting
            if not any(_feeds(scripts[other], scripts[path]) for other in waiting if other != path)
        ]
        done.append((ready or waiting)[0])
        waiting.remove(done[-1])
    return done


def _reason(path: str, taken: Sequence[str], scripts: Mapping[str, Script]) -> str:
    fed = [(other, _feeds(scripts[path], scripts[other])) for other in taken if other != path]
    first = next(((other, what) for other, what in fed if what is not None), None)
    if first is not None:
        return f"writes {first[1]}, which {first[0]} reads"
    parts = [scripts[path], *(scripts[part] for part in reaches(path, scripts))]
    if any(part.trains for part in parts):
        return "fits a model" + (" and saves it" if any(part.saves for part in parts) else "")
    number = number_of(path)
    if len(taken) > 1:
        return f"its number, {number}, comes before" if number is not None else "its name says that it comes before"
    return "the only script that runs"


def _left(roles: Mapping[str, Role], inside: Collection[str], taken: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (path, "is imported by others" if path in inside else _LEFT[role])
        for path, role in sorted(roles.items())
        if path not in taken
    )
