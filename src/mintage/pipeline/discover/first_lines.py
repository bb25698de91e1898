"""The first text of mintage.yaml: the project, its interpreter, its remote, its stages. Pure.

>>> from mintage.pipeline.discover.choose import Step
>>> step = Step(name="train", path="train.py", command="python train.py", reason="fits a model", needs=("--rate",))
>>> print(first_lines("churn", (step,), python=None, remote="~/remotes/churn"), end="")
project: churn
remote: ~/remotes/churn   # the folder that `mintage push` fills
stages:
  train:
    run: python train.py   # it needs --rate: write it here
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from mintage.pipeline.discover.choose import Step

__all__ = ["first_lines"]

_EXAMPLE = """\

# stages:                     # one command each; what it reads and writes is recorded by its first run
#   train:
#     run: python train.py
# models:
#   churn: {from: model.joblib, target: churned}   # a file that a stage writes, and the column that it predicts
"""


def first_lines(project: str, steps: Sequence[Step], *, python: str | None, remote: str) -> str:
    """The text; without stages it has an example in comments."""
    lines = [f"project: {_plain(project)}"]
    if python is not None:
        lines.append(f"python: {_plain(python)}")
    lines.append(f"remote: {_plain(remote)}   # the folder that `mintage push` fills")
    if not steps:
        return "\n".join(lines) + "\n" + _EXAMPLE
    lines.append("stages:")
    for step in steps:
        needs = f"   # it needs {', '.join(step.needs)}: write {_it(step.needs)} here" if step.needs else ""
        lines += [f"  {_plain(step.name)}:", f"    run: {_plain(step.command)}{needs}"]
    return "\n".join(lines) + "\n"


def _it(needs: Sequence[str]) -> str:
    return "it" if len(needs) == 1 else "them"


def _plain(text: str) -> str:
    """A text as YAML reads it back, in quotes only where it must be."""
    return yaml.safe_dump(text, width=10_000, allow_unicode=True).removesuffix("\n").removesuffix("\n...")
