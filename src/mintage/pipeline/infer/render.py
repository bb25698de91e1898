"""Write models/<model>.yaml from what was inferred, each fact with a comment that says from what. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mintage.pipeline.infer.finding import Finding
from mintage.pipeline.infer.roles import Roles
from mintage.repo.modelfile import InputSpec

__all__ = ["HOLDOUT_LINE", "Inferred", "render_model_file"]

HOLDOUT_LINE = "data: {holdout: PATH}"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """All facts of one model; ``suggestions`` are (key, column, why)."""

    model: str
    owner: str
    task: Finding[str]
    targets: Finding[tuple[str, ...]]
    inputs: Finding[tuple[str, ...]]
    columns: Mapping[str, InputSpec]
    roles: Roles
    suggestions: Sequence[tuple[str, str, str]]


def render_model_file(found: Inferred) -> str:
    """The file's text."""
    target = found.targets.value[0] if len(found.targets.value) == 1 else list(found.targets.value)
    shown = _word(target) if isinstance(target, str) else f"[{', '.join(map(_word, target))}]"
    purpose = json.dumps(f"Predict {', '.join(found.targets.value)}.", ensure_ascii=False)
    lines = [
        f"# What `{found.model}` takes and gives. Written by `mintage run` from what the stages read and wrote.",
        "# It is yours now: correct what is wrong. Keys: docs/spec/model-file.md.",
        f"model: {_word(found.model)}",
        f"task: {found.task.value}   # from {found.task.source}",
        f"target: {shown}   # from {found.targets.source}",
        f"purpose: {purpose}   # say what for",
        f"owner: {json.dumps(found.owner, ensure_ascii=False)}   # whoever ran it; put in who answers for the model",
        *_suggested(found.suggestions),
        "",
        *_data(found.roles),
        "",
        f"# The columns: {found.inputs.source}.",
        "# Types, ranges and categories: the training rows alone. A range is what was seen, a tenth of its width wider",
        "# at either end; what is outside is flagged when served. `nullable: false`: no row without a value was seen.",
        "inputs:",
        *(f"  {_word(name)}: {_input(found.columns[name])}" for name in found.inputs.value),
    ]
    return "\n".join(lines) + "\n"


def _data(roles: Roles) -> list[str]:
    assert roles.train is not None
    lines = ["data:", f"  train: {_word(roles.train.value)}   # from {roles.train.source}"]
    if roles.validation is not None:
        lines.append(f"  validation: {_word(roles.validation.value)}   # from {roles.validation.source}")
    else:
        lines.append(f"  validation: {_word(roles.train.value)}   # the same: no table of other rows is known")
    if roles.holdout is not None:
        lines.append(f"  holdout: {_word(roles.holdout.value)}   # from {roles.holdout.source}")
    else:
        lines.append(f"  # No hold-out, rows that the model never saw, is known: {roles.why}.")
        lines.append("  # Without one `mintage certify` is INCONCLUSIVE; this line settles it:")
        lines.append("  # holdout: PATH")
    return lines


def _suggested(suggestions: Sequence[tuple[str, str, str]]) -> list[str]:
    return [f"# {key}: {_word(name)}   # suggested, not taken: it {why}" for key, name, why in suggestions]


def _input(spec: InputSpec) -> str:
    parts = [f"type: {spec.type}"]
    if spec.range is not None:
        parts.append(f"range: [{', '.join(_number(end) for end in spec.range)}]")
    if spec.categories is not None:
        parts.append(f"categories: [{', '.join(_word(value) for value in spec.categories)}]")
    parts.append(f"nullable: {'true' if spec.nullable else 'false'}")
    return f"{{{', '.join(parts)}}}"


def _number(value: float | None) -> str:
    """A number as YAML 1.1 reads it: one in scientific notation needs its point."""
    if value is None:
        return "null"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _word(text: str) -> str:
    """As it is where YAML cannot take it for something else, else as JSON."""
    plain = _WORD.fullmatch(text) and text.lower() not in _RESERVED
    return text if plain else json.dumps(text, ensure_ascii=False)
