"""Compare what a run of a declared stage did with what it declares. Pure.

``compare`` gives remarks: what was used or written and is not declared, each with the line to write, and what reaches
outside. A declared input that was not read is told only when ``new_inputs``: once, not at every run.

>>> from mintage.pipeline.sandbox import Finished
>>> done = Finished(exit_code=0, duration_s=1.0, timed_out=False)
>>> seen = Recording(finished=done, reads=("a.csv",), writes=("m.bin", "report.html"), before=("a.csv", "b.csv"))
>>> stage = Stage(run="python t.py", inputs=("a.csv", "b.csv"), out=("m.bin",))
>>> for remark in compare(seen, stage, new_inputs=True):
...     print(remark)
writes report.html, which `out` does not name: it is not kept; write `out: [m.bin, report.html]`
does not read b.csv, which `in` names
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mintage.pipeline.recording.gather import gather
from mintage.pipeline.recording.insert import key_lines
from mintage.pipeline.recording.recording import Recording
from mintage.repo.project import Stage

__all__ = ["compare", "declared_line", "outside_remarks", "unread_inputs"]


def compare(recording: Recording, stage: Stage, *, new_inputs: bool) -> tuple[str, ...]:
    """What a person should know of the run."""
    return tuple(_remarks(recording, stage, new_inputs))


def declared_line(stage: Stage, name: str, paths: Collection[str]) -> str:
    """The line of mintage.yaml that declares ``paths`` too."""
    known = {"in": stage.inputs, "out": stage.out}[name]
    return "; ".join(key_lines({name: tuple(dict.fromkeys((*known, *paths)))}, indent="", width=None))


def outside_remarks(recording: Recording) -> Iterator[str]:
    """What a stage used that is not part of the project, and what it left behind."""
    for path in recording.outside_reads:
        yield f"reads {path}, outside the project: a change of it goes unnoticed, and other machines lack it"
    for path in recording.outside_writes:
        yield f"writes {path}, outside the project: it is not kept"
    if recording.hosts:
        yield f"asks the network for {', '.join(recording.hosts)}: what comes from there is not part of the key"
    if recording.finished.left:
        yield f"leaves {', '.join(recording.finished.left)} running: it was ended"


def unread_inputs(recording: Recording, stage: Stage) -> tuple[str, ...]:
    """Declared inputs that were surely not read."""
    if recording.seen_by != "inotify" or recording.notes:
        return ()
    return tuple(path for path in stage.inputs if not _is_used(path, recording))


def _remarks(recording: Recording, stage: Stage, new_inputs: bool) -> Iterator[str]:
    if asked := _undeclared(recording.asked, (*stage.inputs, *stage.out, *stage.metrics)):
        line = declared_line(stage, "in", asked)
        yield f"asks for {', '.join(asked)}, which `in` does not name: write `{line}`"
    written = [path for path in recording.writes if path not in recording.before]
    loose = _undeclared(written, (*stage.out, *stage.metrics))
    if loose:
        paths = gather(loose, among=recording.writes, listed=(), apart=())
        line = declared_line(stage, "out", paths)
        yield f"writes {', '.join(paths)}, which `out` does not name: it is not kept; write `{line}`"
    yield from outside_remarks(recording)
    unread = unread_inputs(recording, stage) if new_inputs else ()
    if unread:
        yield f"does not read {', '.join(unread)}, which `in` names"
    yield from recording.notes


def _undeclared(paths: Collection[str], declared: Collection[str]) -> list[str]:
    folders = [path.rstrip("/") for path in declared]
    return [path for path in paths if not any(path == known or path.startswith(f"{known}/") for known in folders)]


def _is_used(path: str, recording: Recording) -> bool:
    clean = path.rstrip("/")
    used = (*recording.reads, *recording.modules, *recording.listed)
    return any(other == clean or other.startswith(f"{clean}/") for other in used)
