"""The names of the executors, for the command line; nothing of them is imported here."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["EXECUTORS", "ExecutorName"]

ExecutorName = Literal["local", "worker", "ray"]
EXECUTORS: tuple[ExecutorName, ...] = get_args(ExecutorName)
