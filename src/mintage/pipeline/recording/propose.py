"""Propose what a stage should declare, from what it was seen to do and what its code says. Pure.

``propose`` names inputs, outputs, metrics, parameters and code for mintage.yaml, and what a person should know of
them; for a key that the stage has already it remarks what is missing, with the line to write. Files that look like
secrets are never proposed: what is declared is kept in the store.

>>> from mintage.pipeline.sandbox import Finished
>>> done = Finished(exit_code=0, duration_s=1.0, timed_out=False)
>>> seen = Recording(finished=done, reads=("data/a.csv", ".env"), writes=("m.joblib", "m.json"), before=("data/a.csv",))
>>> found = propose(seen, stage=Stage(run="python t.py"), closure=(), sources={}, texts={"m.json": b'{"auc": 0.7}'})
>>> found.keys
{'in': ('data/a.csv',), 'out': ('m.joblib',), 'metrics': ('m.json',)}
>>> found.remarks
('reads .env, which looks like a secret: pass what it holds as variables that `env:` names',)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mintage.pipeline.estimator_file import HEAD_BYTES, estimator_kind
from mintage.pipeline.recording.compare import outside_remarks, unread_inputs
from mintage.pipeline.recording.configuration import configuration, is_metrics
from mintage.pipeline.recording.gather import gather
from mintage.pipeline.recording.insert import Written
from mintage.pipeline.recording.options import entry_script, safe_options
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.recording.source import Source, Value, read_source
from mintage.pipeline.secret import holds_private_key, is_secret_name, looks_secret
from mintage.repo.project import Stage

__all__ = ["Proposal", "is_stamped", "propose"]


_STAMP = re.compile(
    r"20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])[-_/T ]?([01]\d|2[0-3])[-_:.]?[0-5]\d[-_:.]?[0-5]\d"
    r"|tfevents\.\d{10}"
)
_OURS = ("models/model.yaml", "policies/model.yaml", "releases/environment/model.yaml")
"""What Mintage and people write beside a stage's files: such a folder is never declared as a whole."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """``keys`` are the missing keys of the stage by name, in the order to write them; ``parameters`` and ``seeds`` are
    values found in code and configuration, ``remarks`` what a person should know. ``amended`` are the whole lists that
    keys of the stage should have instead of theirs."""

    keys: dict[str, Written]
    parameters: tuple[Value, ...] = ()
    seeds: tuple[Value, ...] = ()
    remarks: tuple[str, ...] = ()
    amended: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_captured(self, paths: tuple[str, ...], remarks: tuple[str, ...]) -> Proposal:
        """With the tables that Mintage made of what was split and fitted, and remarks about them."""
        keys = {**self.keys, "captured": paths} if paths else self.keys
        return replace(self, keys=keys, remarks=(*self.remarks, *remarks))


def propose(
    recording: Recording,
    *,
    stage: Stage,
    closure: Collection[str],
    sources: Mapping[str, str],
    texts: Mapping[str, bytes],
    params: Collection[str] = (),
    command: Sequence[str] = (),
    scripts: Sequence[str] = (),
    notebooks: Collection[Source] = (),
) -> Proposal:
    """``closure`` are the files that ``code: auto`` finds or a run may find, ``sources`` the text of modules, ``texts``
    small files that were read or written, ``params`` the names at the top of params.yaml, ``scripts`` the files that
    ``command`` names as its program, ``notebooks`` what they say."""
    secrets = [path for path in recording.reads if looks_secret(path) or holds_private_key(texts.get(path, b""))]
    reads = [path for path in recording.reads if path not in secrets]
    stamped = [path for path in recording.writes if is_stamped(path)]
    lasting = [path for path in recording.writes if path not in stamped]
    metrics = [path for path in lasting if path.endswith(".json") and _is_metrics(path, texts.get(path))]
    writes = [path for path in lasting if path not in metrics]
    inputs = gather(
        reads,
        among=recording.before,
        listed=recording.listed,
        apart={*recording.modules, *recording.writes, *secrets, *_OURS},
    )
    out = gather(writes, among={*recording.before, *recording.writes}, listed=(), apart={*recording.modules, *_OURS})
    missing = {
        "in": _missing(inputs, stage.inputs),
        "out": _missing(out, (*stage.out, *stage.metrics)),
        "metrics": _missing(metrics, (*stage.out, *stage.metrics)),
        "params": tuple(sorted(params)) if recording.took_params and not stage.params else (),
        "code": _missing(tuple(path for path in recording.modules if path not in closure), stage.code),
    }
    declared = {"in": stage.inputs, "out": stage.out, "metrics": stage.metrics, "code": stage.code}
    more = {name: paths for name, paths in missing.items() if paths and declared.get(name)}
    code = [*notebooks, *(read_source(text, where=path) for path, text in sources.items())]
    configured = [value for path in reads for value in configuration(path, texts.get(path))]
    hidden = [value for value in configured if is_secret_name(value.name) and isinstance(value.value, str)]
    values = (*(value for source in code for value in source.parameters), *configured)
    keys: dict[str, Written] = {name: paths for name, paths in missing.items() if paths and name not in more}
    arguments = {} if stage.args else _arguments(command, scripts, sources)
    files = {*recording.reads, *recording.writes, *recording.listed}
    arguments = {name: value for name, value in arguments.items() if not _is_file(value, files)}
    unread = unread_inputs(recording, stage)
    amended = {name: (*(path for path in declared[name] if path not in unread), *paths) for name, paths in more.items()}
    if unread and "in" not in amended:
        amended["in"] = tuple(path for path in stage.inputs if path not in unread)
    return Proposal(
        amended=amended,
        keys={**keys, "args": arguments} if arguments else keys,
        parameters=tuple(value for value in values if not is_secret_name(value.name)),
        seeds=tuple(value for source in code for value in source.seeds),
        remarks=(
            *(_addition(name, declared[name], paths) for name, paths in more.items()),
            *(f"does not read {path}, which `in` names" for path in unread),
            *_remarks(recording, secrets, inputs),
            *_stamped_remark(stamped),
            *(
                f"reads {value.where}, which holds {value.name}: as an input it is kept in the store, and pushed "
                "with it; move that into a variable that `env:` names"
                for value in hidden
            ),
        ),
    )


def is_stamped(path: str) -> bool:
    """Whether a path has the time of a run in it, as hydra's folders and TensorBoard's files do.

    >>> is_stamped("outputs/2026-01-31/12-30-59/main.log"), is_stamped("sales-2026-01-31.csv")
    (True, False)
    """
    return _STAMP.search(path) is not None


def _stamped_remark(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"writes {paths[0]}{more}, named by the time of the run: not declared, because the next has another name"


def _arguments(
    command: Sequence[str], scripts: Sequence[str], sources: Mapping[str, str]
) -> dict[str, int | float | str]:
    script = entry_script(command, scripts) if command else None
    return safe_options(sources.get(script, ""), command) if script is not None else {}


def _is_file(value: int | float | str, files: Collection[str]) -> bool:
    """Whether a value names what the stage read or wrote, which stands under its inputs and outputs already."""
    if not isinstance(value, str):
        return False
    path = value.removeprefix("./").rstrip("/")
    return any(file == path or file.startswith(f"{path}/") for file in files) if path else False


def _missing(paths: Collection[str], declared: Collection[str]) -> tuple[str, ...]:
    """``paths`` that no declared path is or holds."""
    clean = {path.rstrip("/") for path in declared}
    return tuple(
        path for path in paths if not any(path.rstrip("/") == known or path.startswith(f"{known}/") for known in clean)
    )


def _addition(name: str, declared: Collection[str], paths: Collection[str]) -> str:
    line = ", ".join((*declared, *paths))
    return f"`{name}` does not name {', '.join(paths)}: write `{name}: [{line}]`"


def _is_metrics(path: str, text: bytes | None) -> bool:
    """Whether it is a file of numbers, and not an XGBoost model, which has many too."""
    return is_metrics(text) and (text is None or estimator_kind(path, text[:HEAD_BYTES]) is None)


def _remarks(recording: Recording, secrets: Collection[str], inputs: Collection[str]) -> Iterator[str]:
    for path in secrets:
        yield f"reads {path}, which looks like a secret: pass what it holds as variables that `env:` names"
    for folder in (path for path in inputs if path.endswith("/")):
        there = sum(path.startswith(folder) for path in recording.before)
        used = sum(path.startswith(folder) for path in recording.reads)
        if used < there:
            yield f"reads {used} of the {there} files of {folder}, which is named as a whole"
    yield from outside_remarks(recording)
    for path in recording.appended:
        yield f"appends to {path}: later runs begin it anew"
    for path in recording.deleted:
        yield f"deletes {path}: yours is still there"
    if recording.unseeded:
        yield f"uses {', '.join(recording.unseeded)} without a seed: a second run may give another result"
    yield from recording.notes
