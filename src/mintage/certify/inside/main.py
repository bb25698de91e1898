"""Answer one question about the user's file: read it, run the file, write what was found."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .code import load_file, tell
from .own import judge_rows
from .relations import search
from .rows import Data, Rows
from .tables import pack, unpack

__all__ = ["main"]

_FEW = 500  # values that fit into a line: a file takes longer than the model


class Talk:
    """The two ends of the dialogue with who started this process."""

    def __init__(self, asks: BinaryIO, answers: BinaryIO) -> None:
        self._asks, self._answers = asks, answers

    def hear(self) -> Any:
        """The next line, as the JSON value that it is; None at the end."""
        line = self._asks.readline()
        return json.loads(line) if line else None

    def say(self, line: str) -> None:
        """Answer with a line."""
        self._answers.write(line.encode() + b"\n")
        self._answers.flush()

    def ask(self, columns: Any) -> tuple[Any, Any]:
        """The model's answers to rows and which rows it lets in; raises ValueError if they are no rows of it."""
        arrays = {name: np.asarray(column) for name, column in columns.items()}
        if sum(array.size for array in arrays.values()) <= _FEW:
            answered = self._asked("ask " + json.dumps({name: array.tolist() for name, array in arrays.items()}))
            return np.array(answered["values"]), np.array(answered["accepted"])
        with Path("ask.npz").open("wb") as stream:
            np.savez(stream, **pack(columns))
        self._asked("ask")
        with np.load("answers.npz", allow_pickle=False) as arrays:
            return arrays["values"], arrays["accepted"]

    def _asked(self, line: str) -> Any:
        self.say(line)
        answered = self.hear()
        if answered is None:
            raise EOFError("nobody answers")
        if answered.get("refused"):
            raise ValueError(answered["refused"])
        return answered


def main() -> int:
    """Answer the line of the standard input; 0 if something was found."""
    # What the user's code prints belongs into the log, not between the lines of the dialogue.
    talk = Talk(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    job = talk.hear()
    try:
        found, arrays = _run(job, talk)
        text = json.dumps(found, allow_nan=False)
    except BaseException as error:  # noqa: BLE001 - the user's code ends here
        tell(error, job["path"])
        talk.say("failed")
        return 1
    Path("result.json").write_text(text)
    with Path("result.npz").open("wb") as stream:
        np.savez(stream, **arrays)
    sys.stdout.flush()
    talk.say("done")
    return 0


def _run(job: Any, talk: Talk) -> tuple[dict[str, Any], dict[str, Any]]:
    random.seed(job["seed"])
    np.random.seed(job["seed"] % 2**32)
    module = load_file(Path("code.py"), job["path"])
    if job["do"] == "relations":
        return search(module, job, talk.ask), {}
    splits = {name: _rows(name) for name in job["splits"]}
    return judge_rows(module, splits["holdout"], Data(job, splits, talk.ask), job)


def _rows(name: str) -> Rows:
    with np.load(f"{name}.inputs.npz", allow_pickle=False) as arrays:
        columns = unpack(dict(arrays))
    with np.load(f"{name}.others.npz", allow_pickle=False) as arrays:
        found = dict(arrays)
    with np.load(f"{name}.extra.npz", allow_pickle=False) as arrays:
        found |= unpack(dict(arrays))
    return Rows(columns, found)
