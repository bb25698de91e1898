"""``mintage schema``: the JSON Schema of mintage.yaml, made from the types that read it."""

from __future__ import annotations

import argparse
import json

from mintage.cli.console import emit
from mintage.repo.schema import project_schema

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    emit(json.dumps(project_schema(), indent=2))
    return 0
