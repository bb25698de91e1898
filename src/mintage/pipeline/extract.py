"""Open a fitted estimator in a process of its own: no keys, no Mintage in it, only the user's libraries.

The file comes from the store by digest, into a scratch folder; the rows that it shall answer go beside it. What comes
back are parameters and answers as JSON and npz, which our process reads without trusting them. One process answers
all questions about one estimator: importing scikit-learn takes longer than the answers.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mintage.errors import RunError
from mintage.lower.extraction import dialogue_command
from mintage.model.prove import Extract
from mintage.pipeline.sandbox import Scratch, open_dialogue, stage_environment
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["open_extractor"]

_TIMEOUT_S = 900.0


@contextlib.contextmanager
def open_extractor(workspace: Workspace, estimator: Item) -> Iterator[Extract]:
    """Start the process that opens ``estimator``; the function asks it, from a rows file into a folder, replaced.

    The function raises RunError if the process fails; a refusal is written to the folder and raised by who reads it.
    """
    with Scratch(workspace.tmp_dir) as scratch:
        source = scratch.work / Path(estimator.path).name
        Store(workspace.store_dir).checkout(estimator.digest, source)
        private_rows, made, log = scratch.work / "rows.npz", scratch.work / "out", scratch.private / "extraction.log"
        # One thread: the sums, and so the last bits of an answer, must not depend on the machine's number of cores.
        environment = stage_environment(scratch, seed=0, threads=1, declared=())
        command = dialogue_command(source, python=sys.executable)
        with open_dialogue(command, folder=scratch.work, environment=environment, log=log) as dialogue:

            def extract(rows: Path, out: Path) -> None:
                shutil.copyfile(rows, private_rows)
                made.mkdir()
                if dialogue.ask(json.dumps([str(private_rows), str(made)]), timeout_s=_TIMEOUT_S) != "done":
                    tail = log.read_text(errors="replace").splitlines()[-8:]
                    raise RunError(
                        "the process that opens the estimator failed",
                        found="\n".join(tail) or f"no answer in {_TIMEOUT_S:g} s",
                        where=estimator.path,
                    )
                shutil.rmtree(out, ignore_errors=True)
                shutil.move(made, out)

            yield extract
