"""The values that an experiment may set: parameters, and options that stages declare as ``args``. Pure.

Both have dotted names: ``model.depth`` of params.yaml (or of ``params:`` in mintage.yaml), ``train.max-depth`` for the
option ``max-depth`` of the stage ``train``.

>>> project = "project: p\\nstages:\\n  train: {run: fit, args: {depth: 4}}\\n"
>>> texts = {"mintage.yaml": project, "params.yaml": "rate: 0.5\\n"}
>>> values_in(texts)
{'train.depth': 4, 'rate': 0.5}
>>> set_values(texts, {"train.depth": "6"})
{'mintage.yaml': 'project: p\\nstages:\\n  train: {run: fit, args: {depth: 6}}\\n'}
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from mintage.errors import UnknownNameError
from mintage.pipeline.facts import flat_params
from mintage.pipeline.params import PARAMS_FILE, set_param_text
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import PROJECT_FILE
from mintage.repo.yamlfile import load_yaml

__all__ = ["VALUE_FILES", "set_values", "values_in"]

VALUE_FILES = (PARAMS_FILE, PROJECT_FILE)


def values_in(texts: Mapping[str, str]) -> dict[str, Any]:
    """All of them by name, of the texts of params.yaml and mintage.yaml; raises FileMalformedError."""
    inline, options = _in_project(texts.get(PROJECT_FILE, ""))
    params = flat_params(_mapping(texts[PARAMS_FILE], PARAMS_FILE)) if PARAMS_FILE in texts else inline
    return {**options, **params}


def set_values(texts: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The texts that change, with the values in them; comments stay. Raises UnknownNameError."""
    inline, options = _in_project(texts.get(PROJECT_FILE, ""))
    found: dict[str, str] = {}
    for name, value in settings.items():
        if PARAMS_FILE in texts and name in flat_params(_mapping(texts[PARAMS_FILE], PARAMS_FILE)):
            path, key = PARAMS_FILE, name
        elif PARAMS_FILE not in texts and name in inline:
            path, key = PROJECT_FILE, f"params.{name}"
        elif name in options:
            stage, _, option = name.partition(".")
            path, key = PROJECT_FILE, f"stages.{stage}.args.{option}"
        else:
            known = list(values_in(texts))
            raise UnknownNameError(
                f"there is no parameter {name!r}",
                expected=", ".join(known[:8]) or "one of params.yaml, or STAGE.OPTION under `args:` of a stage",
                hint=nearest_hint(name, known, otherwise="write it into params.yaml first"),
            )
        found[path] = set_param_text(found.get(path, texts[path]), key, value)
    return found


@functools.lru_cache(maxsize=8)
def _in_project(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inline parameters, and options by ``STAGE.OPTION``."""
    project = _mapping(text, PROJECT_FILE)
    params, stages = project.get("params"), project.get("stages")
    options = {
        f"{name}.{option}": value
        for name, stage in (stages if isinstance(stages, dict) else {}).items()
        if isinstance(stage, dict) and isinstance(stage.get("args"), dict)
        for option, value in stage["args"].items()
    }
    return flat_params(params) if isinstance(params, dict) else {}, options


@functools.lru_cache(maxsize=8)
def _mapping(text: str, where: str) -> dict[str, Any]:
    value = load_yaml(text.encode(), where=where)[0] if text.strip() else {}
    return value if isinstance(value, dict) else {}
