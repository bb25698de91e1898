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

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mintage.errors import FileMalformedError
from mintage.pipeline.recording.gather import gather
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.recording.source import Value, read_source
from mintage.repo.project import Stage
from mintage.repo.yamlfile import load_yaml

__all__ = ["CONFIG_BYTES", "Proposal", "looks_secret", "propose"]

CONFIG_BYTES = 64 << 10
"""The largest JSON, YAML or TOML file that is looked into."""

_SECRET = re.compile(
    r"(^|/)(\.env(\..*)?|\.netrc|\.pgpass|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|jks)|"
    r"(credentials|secrets?|service[-_]account.*)(\.(json|ya?ml|toml|ini|txt))?)$",
    re.IGNORECASE,
)
_VALUE_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """``keys`` are the missing keys of the stage by name, in the order to write them; ``parameters`` and ``seeds`` are
    values found in code and configuration, ``remarks`` what a person should know."""

    keys: dict[str, tuple[str, ...]]
    parameters: tuple[Value, ...] = ()
    seeds: tuple[Value, ...] = ()
    remarks: tuple[str, ...] = ()

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
) -> Proposal:
    """``closure`` are the files that ``code: auto`` finds, ``sources`` the text of modules, ``texts`` small files that
    were read or written, ``params`` the names at the top of params.yaml."""
    secrets = [path for path in recording.reads if looks_secret(path)]
    reads = [path for path in recording.reads if path not in secrets]
    metrics = [path for path in recording.writes if path.endswith(".json") and _is_metrics(texts.get(path))]
    writes = [path for path in recording.writes if path not in metrics]
    inputs = gather(
        reads, among=recording.before, listed=recording.listed, apart={*recording.modules, *recording.writes, *secrets}
    )
    out = gather(writes, among={*recording.before, *recording.writes}, listed=(), apart=recording.modules)
    missing = {
        "in": _missing(inputs, stage.inputs),
        "out": _missing(out, (*stage.out, *stage.metrics)),
        "metrics": _missing(metrics, (*stage.out, *stage.metrics)),
        "params": tuple(sorted(params)) if recording.took_params and not stage.params else (),
        "code": _missing(tuple(path for path in recording.modules if path not in closure), stage.code),
    }
    declared = {"in": stage.inputs, "out": stage.out, "metrics": stage.metrics, "code": stage.code}
    more = {name: paths for name, paths in missing.items() if paths and declared.get(name)}
    code = [read_source(text, where=path) for path, text in sources.items()]
    configured = [value for path in reads for value in _configuration(path, texts.get(path))]
    return Proposal(
        keys={name: paths for name, paths in missing.items() if paths and name not in more},
        parameters=(*(value for source in code for value in source.parameters), *configured),
        seeds=tuple(value for source in code for value in source.seeds),
        remarks=(
            *(_addition(name, declared[name], paths) for name, paths in more.items()),
            *_remarks(recording, secrets, inputs),
        ),
    )


def looks_secret(path: str) -> bool:
    """Whether a file's name is one that passwords and keys are kept under.

    >>> looks_secret("conf/.env"), looks_secret("keys.csv"), looks_secret("server.key")
    (True, False, True)
    """
    return _SECRET.search(path) is not None


def _missing(paths: Collection[str], declared: Collection[str]) -> tuple[str, ...]:
    """``paths`` that no declared path is or holds."""
    clean = {path.rstrip("/") for path in declared}
    return tuple(
        path for path in paths if not any(path.rstrip("/") == known or path.startswith(f"{known}/") for known in clean)
    )


def _addition(name: str, declared: Collection[str], paths: Collection[str]) -> str:
    line = ", ".join((*declared, *paths))
    return f"`{name}` does not name {', '.join(paths)}: write `{name}: [{line}]`"


def _is_metrics(text: bytes | None) -> bool:
    """Whether a JSON file is an object whose values are mostly numbers, nested ones included."""
    value = _parsed("x.json", text)
    leaves = list(_leaves(value)) if isinstance(value, dict) else []
    numbers = [leaf for _, leaf in leaves if isinstance(leaf, int | float) and not isinstance(leaf, bool)]
    return bool(numbers) and 2 * len(numbers) >= len(leaves)


def _configuration(path: str, text: bytes | None) -> Iterator[Value]:
    value = _parsed(path, text) if path.endswith((".json", ".yaml", ".yml", ".toml")) else None
    leaves = list(_leaves(value)) if isinstance(value, dict) else []
    if len(leaves) <= _VALUE_LIMIT:
        yield from (Value(name, leaf, path) for name, leaf in leaves)


def _parsed(path: str, text: bytes | None) -> Any:
    if text is None or len(text) > CONFIG_BYTES:
        return None
    try:
        if path.endswith(".json"):
            return json.loads(text)
        if path.endswith(".toml"):
            return tomllib.loads(text.decode())
        return load_yaml(text, where=path)[0]
    except (ValueError, RecursionError, FileMalformedError):
        return None


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value


def _remarks(recording: Recording, secrets: Collection[str], inputs: Collection[str]) -> Iterator[str]:
    for path in secrets:
        yield f"reads {path}, which looks like a secret: pass what it holds as variables that `env:` names"
    for folder in (path for path in inputs if path.endswith("/")):
        there = sum(path.startswith(folder) for path in recording.before)
        used = sum(path.startswith(folder) for path in recording.reads)
        if used < there:
            yield f"reads {used} of the {there} files of {folder}, which is named as a whole"
    for path in recording.outside_reads:
        yield f"reads {path}, outside the project: a change of it goes unnoticed, and other machines lack it"
    for path in recording.outside_writes:
        yield f"writes {path}, outside the project: it is not kept"
    if recording.hosts:
        yield f"asks the network for {', '.join(recording.hosts)}: what comes from there is not part of the key"
    for path in recording.appended:
        yield f"appends to {path}: later runs begin it anew"
    for path in recording.deleted:
        yield f"deletes {path}: yours is still there"
    yield from recording.notes
