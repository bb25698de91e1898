"""Open a fitted estimator in a process of its own: no keys, no Mintage in it, only the user's libraries.

The file comes from the store by digest, into a scratch folder; the rows that it shall answer go beside it. What comes
back are parameters and answers as JSON and npz, which our process reads without trusting them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from mintage.errors import RunError
from mintage.lower.extraction import extraction_command
from mintage.model.prove import Extract
from mintage.pipeline.sandbox import Scratch, run_command, stage_environment
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["extractor"]

_TIMEOUT_S = 900.0


def extractor(workspace: Workspace, estimator: Item) -> Extract:
    """The function that runs the extraction of ``estimator``: from a rows file into a folder, which is replaced.

    It raises RunError if the process fails; a refusal is written to the folder and raised by who reads it.
    """
    store = Store(workspace.store_dir)

    def extract(rows: Path, out: Path) -> None:
        with Scratch(workspace.tmp_dir) as scratch:
            source = scratch.work / Path(estimator.path).name
            store.checkout(estimator.digest, source)
            private_rows = scratch.work / "rows.npz"
            shutil.copyfile(rows, private_rows)
            made = scratch.work / "out"
            made.mkdir()
            log = scratch.private / "extraction.log"
            command = extraction_command(source, private_rows, made, python=sys.executable)
            environment = stage_environment(scratch, seed=0, threads=None, declared=())
            finished = run_command(command, folder=scratch.work, environment=environment, log=log, timeout_s=_TIMEOUT_S)
            if finished.exit_code != 0 and not (made / "refused.json").exists():
                tail = log.read_text(errors="replace").splitlines()[-8:]
                raise RunError(
                    "the process that opens the estimator failed",
                    found="\n".join(tail) or f"exit code {finished.exit_code}",
                    where=estimator.path,
                )
            shutil.rmtree(out, ignore_errors=True)
            shutil.move(made, out)

    return extract
