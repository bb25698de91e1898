"""The text of mintage.yaml for a translated project: stages in DVC's order, notes as comments at its end.

>>> from mintage.repo.project import Stage
>>> print(render_stage("fit", Stage(run="python fit.py", out=("m.bin",))))
  fit:
    run: python fit.py
    out: [m.bin]
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from mintage.data.dvc.translate import Note, Translation
from mintage.repo.project import Stage

__all__ = ["render_project", "render_stage"]

_WIDTH = 100


def render_project(name: str, translation: Translation, *, python: str | None, notes: Sequence[Note]) -> str:
    """The whole file."""
    lines = [f"project: {_scalar(name)}"]
    if python:
        lines.append(f"python: {_scalar(python)}")
    if translation.stages:
        lines.append("stages:")
    for one in translation.stages:
        lines += [f"  # {line}" for line in one.description.splitlines() if line.strip()]
        lines.append(render_stage(one.name, one.stage))
    if notes:
        lines += ["", "# Not as it was in DVC:"]
        lines += [f"#   {_one_line(note.where)}: {_one_line(note.text)}" for note in notes]
    return "\n".join(lines) + "\n"


def render_stage(name: str, stage: Stage) -> str:
    """One stage, by its keys."""
    lines = [f"  {_scalar(name)}:", f"    run: {_scalar(stage.run)}"]
    parts = {"in": stage.inputs, "out": stage.out, "metrics": stage.metrics, "params": stage.params, "code": stage.code}
    for key, values in parts.items():
        if values:
            flow = f"    {key}: [{', '.join(_scalar(value, inside=True) for value in values)}]"
            lines += [flow] if len(flow) <= _WIDTH else [f"    {key}:", *(f"      - {_scalar(v)}" for v in values)]
    return "\n".join(lines)


def _scalar(text: str, *, inside: bool = False) -> str:
    plain = yaml.safe_dump([text] if inside else text, default_flow_style=True, width=1 << 20, allow_unicode=True)
    plain = plain.removesuffix("\n").removesuffix("\n...")
    return plain[1:-1] if inside else plain


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
