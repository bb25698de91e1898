"""The parameters that a run of a stage took, for comparing runs: what its options, constants and configuration say.

``taken_parameters`` reads the code of the stage and its small configuration files, and puts what the command gives in
place of the defaults. ``overruled_defaults`` says where ``args`` of mintage.yaml differs from the script. Values under
a name that looks secret are left out. Neither runs anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mintage.pipeline.arguments import argument_text, given_options
from mintage.pipeline.closure import scripts_of
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.recording.configuration import CONFIG_BYTES, CONFIG_SUFFIXES, configuration
from mintage.pipeline.recording.options import entry_script, safe_options
from mintage.pipeline.recording.source import read_source
from mintage.pipeline.secret import is_secret_name

__all__ = ["overruled_defaults", "taken_parameters"]

_LIMIT = 500


def taken_parameters(facts: StageFacts, root: Path) -> dict[str, Any]:
    """``stage.name`` of options and constants, ``path:name`` of configuration, as plain JSON values."""
    found: dict[str, Any] = {}
    for path in facts.parts["code"]:
        if path.endswith(".py"):
            source = read_source((root / path).read_text(errors="replace"), where=path)
            found |= {f"{facts.name}.{value.name}": value.value for value in source.parameters}
    found |= {f"{facts.name}.{name}": value for name, value in given_options(facts.command).items()}
    found |= {f"{facts.name}.{name}": value for name, value in facts.stage.args.items()}
    for path in _configurations(facts, root):
        values = configuration(path, (root / path).read_bytes())
        found |= {f"{path}:{value.name}": value.value for value in values}
    kept = [(name, value) for name, value in found.items() if not is_secret_name(name)]
    return {name: _exact(value) for name, value in kept[:_LIMIT]}


def overruled_defaults(facts: StageFacts, root: Path) -> list[str]:
    """A line for each option whose default in the script is another than ``args`` says, if the script has changed since
    the stage last ran with these ``args``; who changes ``args`` knows."""
    last = facts.lock.parts if facts.lock is not None else {}
    if not facts.stage.args or last.get("args") != facts.parts["args"]:
        return []
    command = facts.command[: len(facts.parts["command"])]
    script = entry_script(command, scripts_of(command, root))
    if script is None or last.get("code", {}).get(script) == facts.parts["code"].get(script):
        return []
    defaults = safe_options((root / script).read_text(errors="replace"), command)
    return [
        f"is run with --{name} {argument_text(value)}, as `args` says; the default in {script} is "
        f"{argument_text(defaults[name])} now"
        for name, value in facts.stage.args.items()
        if name in defaults and argument_text(defaults[name]) != argument_text(value)
    ]


def _configurations(facts: StageFacts, root: Path) -> Iterator[str]:
    for item in facts.inputs:
        paths = sorted((root / item.path).rglob("*")) if item.folder else [root / item.path]
        for path in paths[:100]:
            if path.suffix in CONFIG_SUFFIXES and path.is_file() and path.stat().st_size <= CONFIG_BYTES:
                yield path.relative_to(root).as_posix()


def _exact(value: Any) -> Any:
    """A value that JSON holds exactly; another is told as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= 1 << 53:
        return str(value)
    return value if isinstance(value, int | float | str | list | None) else str(value)
