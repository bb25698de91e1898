"""The action: all that a worker needs to run one stage, by digest, as one canonical record. Pure.

``action_of`` makes it of a stage's facts, ``encode_action`` its bytes, whose digest names it. Equal work beside equal
code has an equal digest: no machine, path of a machine, clock, value of a variable or secret is in it. ``facts_of`` is
what a worker makes of it again. See docs/spec/action.md.

>>> parts = {"command": ["true"], "inputs": {}, "env": {}, "params": {}}
>>> action = Action(stage="a", key=cache_key(parts), parts=parts, command=("true",), environment="b3:" + "0" * 64)
>>> decode_action(encode_action(action)) == action
True
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from mintage.errors import RecordInvalidError
from mintage.pipeline.environment import Environment
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.key import cache_key
from mintage.pipeline.seen.key import Seen
from mintage.record.digest import parse_digest
from mintage.record.envelope import Record, decode, encode
from mintage.record.manifest import safe_path
from mintage.repo.locked_python import LockedPython
from mintage.repo.locks import Item, Lock
from mintage.repo.notebook import NOTEBOOK
from mintage.repo.project import ModelEntry
from mintage.repo.stage import Determinism, Stage

__all__ = [
    "Action",
    "CodeFile",
    "LockFiles",
    "action_of",
    "decode_action",
    "encode_action",
    "facts_of",
    "other_code",
]


class CodeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The bytes of a code file, and whether it can be executed."""

    digest: str
    executable: bool = False


class LockFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lock that an environment is built from, and the bytes of the ``files`` that say so, by path."""

    locked: LockedPython
    files: dict[str, str]


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One stage to run. ``parts`` are those of its ``key``; ``command`` are its words with all options; ``code`` are
    the bytes of its code files, ``around`` of those that it may use without naming them, ``seen`` which of them it is
    known to use; ``environment`` is the freeze of its packages by digest, ``lock`` what to build it from, if the key
    names a lock; ``reads`` are paths outside the project; ``env`` and ``secrets`` are names; ``params_file`` says that
    params.yaml lies in its folder; ``models`` are those that ``captured`` tables are for."""

    stage: str
    key: str
    parts: dict[str, Any]
    command: tuple[str, ...]
    environment: str
    inputs: tuple[Item, ...] = ()
    code: dict[str, CodeFile] = {}
    around: dict[str, CodeFile] = {}
    seen: Seen = Seen()
    lock: LockFiles | None = None
    reads: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    seed: int | None = None
    threads: int | None = None
    determinism: Determinism = "off"
    timeout_s: int | None = None
    network: bool = True
    sandbox: bool = False
    params_file: bool = False
    models: dict[str, ModelEntry] = {}

    @property
    def outputs(self) -> tuple[str, ...]:
        """All that is there after it ran."""
        return (*self.out, *self.captured, *self.metrics, *self.plots)


def action_of(
    facts: StageFacts,
    *,
    code: Mapping[str, CodeFile],
    around: Mapping[str, CodeFile],
    environment: str,
    lock: LockFiles | None,
    models: Mapping[str, ModelEntry],
    params_file: bool,
) -> Action:
    """The action of a stage as it stands."""
    stage = facts.stage
    return Action(
        stage=facts.name,
        key=cache_key(facts.parts),
        parts=facts.parts,
        command=tuple(facts.command),
        environment=environment,
        inputs=facts.inputs,
        code=dict(code),
        around=dict(around),
        seen=facts.seen,
        lock=lock,
        reads=stage.reads,
        out=stage.out,
        captured=stage.captured,
        metrics=stage.metrics,
        plots=stage.plots,
        params=stage.params,
        env=stage.env,
        secrets=stage.secrets,
        seed=stage.seed,
        threads=stage.threads,
        determinism=stage.determinism,
        timeout_s=stage.timeout_s,
        network=stage.network,
        sandbox=facts.sandbox,
        params_file=params_file and bool(facts.parts["params"]),
        models=dict(models) if stage.captured else {},
    )


def encode_action(action: Action) -> bytes:
    """The canonical bytes of the action's record, which rests on its inputs, code and environment."""
    named = [item.digest for item in action.inputs]
    named += [file.digest for files in (action.code, action.around) for file in files.values()]
    named += action.lock.files.values() if action.lock is not None else ()
    upstream = (*sorted({*named}), action.environment)
    return encode(Record(kind="action", version=0, upstream=upstream, body=msgspec.to_builtins(action)))


def decode_action(data: bytes) -> Action:
    """The action of a record, whose paths stay in their folder; raises RecordInvalidError."""
    record = decode(data, kind="action")
    try:
        action = msgspec.convert(record.body, Action)
    except msgspec.ValidationError as error:
        raise RecordInvalidError("an action cannot be read", found=str(error)) from error
    if record.version != 0:
        raise RecordInvalidError("an action of another version", expected="0", found=str(record.version))
    locks = action.lock.files if action.lock is not None else {}
    for path in (*(item.path for item in action.inputs), *action.code, *action.around, *action.outputs, *locks):
        safe_path(path.rstrip("/"))
    for digest in (action.environment, *(item.digest for item in action.inputs), *locks.values()):
        parse_digest(digest)
    if cache_key(action.parts) != action.key:
        raise RecordInvalidError("an action's key is not that of its parts", expected=action.key)
    if action.parts.get("inputs") != {item.path: item.digest for item in action.inputs}:
        raise RecordInvalidError("an action's inputs are not those of its key", found=action.stage)
    if other := other_code(action):
        raise RecordInvalidError("an action's code is not that of its key", found=other)
    return action


def other_code(action: Action) -> str | None:
    """A code file whose bytes are not those of the action's key; that of a notebook leaves prose out, and is not
    compared."""
    wanted: dict[str, str] = action.parts.get("code", {})
    for path in sorted({*wanted, *action.code}):
        file = action.code.get(path)
        if file is None or path not in wanted or (not path.endswith(NOTEBOOK) and file.digest != wanted[path]):
            return path
    return None


def facts_of(action: Action, environment: Environment, *, new_inputs: bool) -> StageFacts:
    """The facts that the stage is run by; ``new_inputs`` says that it has other inputs than when it last ran."""
    return StageFacts(
        name=action.stage,
        stage=_stage_of(action),
        command=list(action.command),
        environment=environment,
        parts=action.parts,
        key=action.key,
        inputs=action.inputs,
        lock=None if new_inputs else Lock(name=action.stage, what="stage", inputs=action.inputs),
        in_place=False,
        seen=action.seen,
        around=tuple(action.around),
        sandbox=action.sandbox,
    )


def _stage_of(action: Action) -> Stage:
    return Stage(
        run=shlex.join(action.command),
        inputs=tuple(item.path for item in action.inputs),
        out=action.out,
        captured=action.captured,
        metrics=action.metrics,
        plots=action.plots,
        params=action.params,
        env=action.env,
        secrets=action.secrets,
        seed=action.seed,
        threads=action.threads,
        determinism=action.determinism,
        timeout_s=action.timeout_s,
        network=action.network,
        reads=action.reads,
    )
