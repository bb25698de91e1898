"""Run a command on a private copy of the project and record what it reads and writes.

``record`` promises that nothing of the user's project changes, whatever the command does: it works on its own copy,
and where that links to the user's large files, the kernel denies writing to them. ``observe`` runs it in a folder that
was filled already. What was made stays in the scratch folder, so that it can be kept. On Linux reads are seen by
inotify; elsewhere, and where the kernel's queue ran over, by the hook in Python processes alone, and the notes say so.
Writes are seen by comparing before and after.
"""

from __future__ import annotations

import contextlib
import filecmp
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mintage.pipeline.recording.classify import classify, restamped
from mintage.pipeline.recording.evidence import Evidence
from mintage.pipeline.recording.hooklog import Said, install, said_in
from mintage.pipeline.recording.inotify import Change, Watcher
from mintage.pipeline.recording.mirror import LEFT_OUT, Mirror, Stamp, mirror, stamps_of
from mintage.pipeline.recording.missed import missed_in
from mintage.pipeline.recording.outside import is_data
from mintage.pipeline.recording.protect import closing, is_possible
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.sandbox import Finished, Scratch, run_command

__all__ = ["observe", "record"]

_HOOK_CHANGES: dict[str, tuple[Change, ...]] = {
    "read": ("read",),
    "write": ("write",),
    "append": ("write",),
    "both": ("opened-to-write",),
    "list": ("listed",),
}
_WRITES = ("write", "append", "both")
_USED_BYTES, _MOST_USED = 16_384, 50
_BLIND = "reads by native libraries and other programs could not be seen: check `in`"


def record(
    command: Sequence[str],
    *,
    root: Path,
    scratch: Scratch,
    environment: Mapping[str, str],
    log: Path,
    python: str,
    libraries: Sequence[str] = (),
    without: Collection[str] = (),
    timeout_s: float | None = None,
) -> Recording:
    """Run ``command`` in ``scratch.work`` on a copy of ``root`` and say what it did; its exit code is in the result.

    ``environment`` are its variables, ``python`` its interpreter, whose folders are ``libraries``; files ``without``
    are not copied. Raises RecordingTooLargeError, and MissingToolError if the program is not there.
    """
    made = mirror(root, scratch.work, without=without, can_link=is_possible())
    with closing(made.protected, writable=[scratch.base]) as before:
        return observe(
            command,
            made=made,
            scratch=scratch,
            environment=environment,
            log=log,
            python=python,
            libraries=libraries,
            timeout_s=timeout_s,
            before=before,
        )


def observe(
    command: Sequence[str],
    *,
    made: Mirror,
    scratch: Scratch,
    environment: Mapping[str, str],
    log: Path,
    python: str,
    libraries: Sequence[str],
    timeout_s: float | None,
    before: Callable[[], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    walls: Collection[str] = (),
) -> Recording:
    """Run ``command`` in ``scratch.work``, which holds what ``made`` says, and say what it did; ``walls``: all that it
    can read, if ``before`` closes it off."""
    hook, root = scratch.private / "hook", made.root
    variables = install(hook, environment, root=root, work=scratch.work, links=made.links, walls=walls)
    watcher, finished = _watched(
        made,
        lambda started: run_command(
            command,
            folder=scratch.work,
            environment=variables,
            log=log,
            timeout_s=timeout_s,
            python=python,
            before=before,
            started=started,
            stop=stop,
        ),
    )
    said = said_in(scratch.private / "hook")
    beyond = [folder for folder in libraries if not made.root.is_relative_to(folder)]  # `python -m` adds the project's
    return _recording(made, scratch, finished, watcher, said, libraries=beyond)


def _watched(made: Mirror, run: Callable[[Callable[[], None]], Finished]) -> tuple[Watcher | None, Finished]:
    folders = [made.work, *(made.work / path for path in made.folders), *{p.parent for p in made.links.values()}]
    watcher = Watcher.over(folders)
    with watcher or contextlib.nullcontext():
        finished = run(watcher.follow if watcher is not None else lambda: None)
    return watcher, finished


def _recording(
    made: Mirror,
    scratch: Scratch,
    finished: Finished,
    watcher: Watcher | None,
    said: Sequence[Said],
    *,
    libraries: Sequence[str],
) -> Recording:
    evidence, notes = _evidence(made, watcher, said)
    after = stamps_of(made.work)
    altered = {path for path in restamped(made.files, after) if path in made.files and _differs(made, path)}
    files = classify(made.files, after, evidence, altered=altered)
    notes += [f"SQLite left {path} behind: close the connection" for path in files.writes if path.endswith("-wal")]
    modules = (
        {path for path in files.reads if path.endswith(".py")} | _inside(said, made, "module") | _compiled(said, made)
    )
    return Recording(
        finished=finished,
        reads=tuple(sorted(files.reads - modules)),
        writes=tuple(sorted(files.writes)),
        appended=tuple(sorted(_inside(said, made, "append") & files.writes & made.files.keys())),
        changed_inputs=tuple(sorted(files.changed_inputs)),
        deleted=tuple(sorted(files.deleted)),
        modules=tuple(sorted(path for path in modules if path in made.files)),
        listed=tuple(sorted(evidence.listed | _inside(said, made, "list"))),
        named=_named(said, made),
        before=tuple(sorted(made.files)),
        linked=tuple(sorted(made.links)),
        outside_reads=_outside(said, made, scratch, "read", libraries),
        outside_writes=_left_elsewhere(scratch, said, made, libraries),
        hosts=tuple(sorted({line.what for line in said if line.kind == "host"})),
        unsteady=tuple(sorted(path for path in files.reads if not made.is_steady(path))),
        asked=_asked(said, made, after=after, libraries=libraries),
        missed=missed_in(said, made, after=after, libraries=libraries),
        seeds=tuple(dict.fromkeys(line.what for line in said if line.kind == "seed")),
        unseeded=tuple(dict.fromkeys(line.what for line in said if line.kind == "unseeded")),
        used=tuple(_used(said)),
        took_params=any(line.kind == "read" and line.what == str(scratch.private / "params.json") for line in said),
        seen_by="hook" if watcher is None else "inotify",
        blind=_BLIND in notes,
        absent=_absent(said, made, after),
        notes=tuple(notes),
    )


def _used(said: Sequence[Said]) -> list[dict[str, Any]]:
    """What each process had loaded, equal ones once; what is no list of libraries is not ours, and left out."""
    found: list[dict[str, Any]] = []
    for text in dict.fromkeys(line.what for line in said if line.kind == "used"):
        try:
            value = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            continue
        if len(text) <= _USED_BYTES and len(found) < _MOST_USED:
            found.append(value)
    return found


def _evidence(made: Mirror, watcher: Watcher | None, said: Sequence[Said]) -> tuple[Evidence, list[str]]:
    """What was seen of the project's files, and what to know of the seeing."""
    notes = []
    evidence = Evidence()
    copied = _inside(said, made, "copied")
    if watcher is not None:
        _from_kernel(evidence, watcher, made, said=[line for line in said if _relative(line.what, made) in copied])
    if watcher is None or watcher.overflowed:
        _from_hook(evidence, said, made)
        notes.append(_BLIND)
    found, installed = _by_own_path(said, made)
    for path in sorted(found):
        evidence.add(path, "read")
    notes += [
        f"reads {path} by an absolute path, which other machines do not have: say {path} instead"
        for path in sorted(found - installed)
    ]
    return evidence, notes


def _from_kernel(evidence: Evidence, watcher: Watcher, made: Mirror, *, said: Sequence[Said]) -> None:
    """Take in the kernel's events; ``said`` is of links that the hook read to copy them, which is no use of them."""
    copied = _inside(said, made, "copied")
    for line in said:
        if line.kind in ("read", "both"):
            evidence.add(str(_relative(line.what, made)), "read")
    links = {target: path for path, target in made.links.items() if path not in copied}
    for watch, name, change in watcher.events:
        folder = watcher.watches[watch]
        if folder == made.work or folder.is_relative_to(made.work):
            path: str | None = (folder / name).relative_to(made.work).as_posix()
        else:
            path = links.get(folder / name)
        if path is not None:
            evidence.add(path, change)


def _from_hook(evidence: Evidence, said: Iterable[Said], made: Mirror) -> None:
    for line in said:
        path = _relative(line.what, made)
        for change in _HOOK_CHANGES.get(line.kind, ()) if path is not None else ():
            evidence.add(str(path), change)


def _relative(path: str, made: Mirror) -> str | None:
    """The project's name for an absolute path in the private folder, or of the user's project itself."""
    for base in (made.work, made.root):
        if path.startswith(f"{base}/"):
            inside = path[len(str(base)) + 1 :]
            return inside if base == made.work or inside in made.files or inside in made.folders else None
    return None


def _inside(said: Iterable[Said], made: Mirror, kind: str) -> set[str]:
    paths = (_relative(line.what, made) for line in said if line.kind == kind)
    return {path for path in paths if path is not None}


def _named(said: Iterable[Said], made: Mirror) -> tuple[str, ...]:
    """Folders whose names the program asked for."""
    at_root = any(line.kind == "names" and line.what in (str(made.work), str(made.root)) for line in said)
    return tuple(sorted(_inside(said, made, "names") | ({"."} if at_root else set())))


def _absent(said: Sequence[Said], made: Mirror, after: Mapping[str, Stamp]) -> tuple[str, ...]:
    """What was looked for in the private folder and was there at no time."""
    wanted = _inside(said, made, "absent") | _inside(said, made, "read")
    there = {*made.files, *made.folders, *after}.union(*(_inside(said, made, kind) for kind in _WRITES))
    return tuple(sorted(wanted - there))


def _compiled(said: Iterable[Said], made: Mirror) -> set[str]:
    """Modules that Python loaded from the byte code beside the user's own, as it does of an editable install."""
    found = set()
    for line in said:
        if line.kind == "read" and line.what.endswith(".pyc") and line.what.startswith(f"{made.root}/"):
            folder, _, name = line.what[len(str(made.root)) + 1 :].rpartition("__pycache__/")
            found.add(f"{folder}{name.partition('.')[0]}.py")
    return found & made.files.keys()


def _by_own_path(said: Iterable[Said], made: Mirror) -> tuple[set[str], set[str]]:
    """Files of the project that were read where the user has them, not in the private folder; and those of them that
    belong to a package, which an editable install leads there."""
    lines = [line for line in said if not line.what.startswith(f"{made.work}/")]
    found = {path for path in _inside(lines, made, "read") if path in made.files and path not in made.links}
    modules = _inside(lines, made, "module") | _compiled(lines, made) | {path for path in found if path.endswith(".py")}
    packages = {path.rpartition("/")[0] for path in modules} - {""}
    return found, {path for path in found if any(path.startswith(f"{folder}/") for folder in packages)}


def _asked(
    said: Iterable[Said], made: Mirror, *, after: Mapping[str, Stamp], libraries: Sequence[str]
) -> tuple[str, ...]:
    """Files and folders of the project that were asked for, in the private folder or by their own path, and that the
    private folder had neither before nor after; an empty database there is what SQLite makes of one that is missing."""
    found = set()
    for line in said:
        base = next((base for base in (made.work, made.root) if line.what.startswith(f"{base}/")), None)
        if base is None or line.kind not in ("read", "both", "list") or line.what.startswith(tuple(libraries)):
            continue
        path = line.what[len(str(base)) + 1 :]
        known = path in made.files or path in made.folders or after.get(path, (0, 0, 0))[1] > 0
        if (
            not known
            and is_data(path, libraries=())
            and not LEFT_OUT & set(path.split("/"))
            and (made.root / path).exists()
        ):
            found.add(path)
    return tuple(sorted(found - _inside(said, made, "write") - _inside(said, made, "append")))


def _outside(
    said: Iterable[Said], made: Mirror, scratch: Scratch, kind: str, libraries: Sequence[str]
) -> tuple[str, ...]:
    """Data-like paths elsewhere."""
    ours = (f"{scratch.base}/", f"{made.root}/")
    found = {line.what for line in said if line.kind == kind and not line.what.startswith(ours)}
    return tuple(sorted(path for path in found if is_data(path, libraries=libraries)))


def _left_elsewhere(scratch: Scratch, said: Sequence[Said], made: Mirror, libraries: Sequence[str]) -> tuple[str, ...]:
    """What was left above the private folder, in its home, and by Python elsewhere."""
    kinds = ("write", "append", "both")
    written = {path for kind in kinds for path in _outside(said, made, scratch, kind, libraries)}
    found = {path for path in written if Path(path).exists()}
    found |= {f"../{entry.name}" for entry in scratch.base.iterdir() if entry not in (scratch.work, scratch.private)}
    home = scratch.private / "home"
    left = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    found |= {f"~/{path}" for path in left if not path.startswith(".cache/")}
    return tuple(sorted(found))


def _differs(made: Mirror, path: str) -> bool:
    original = made.root / path
    return not original.is_file() or not filecmp.cmp(original, made.work / path, shallow=False)
