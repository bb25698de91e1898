"""Keep outputs of notebooks out of Git's history without touching the files that people work in.

A line of .gitattributes names a filter, and this clone's own Git configuration says what it is: Git passes each
notebook that is added through ``python -m mintage.repo.notebook_filter``. A clone without that configuration commits
notebooks as they are. Where the project has a filter for notebooks already (nbstripout, Git LFS), nothing is changed.
"""

from __future__ import annotations

import shlex
import sys

from mintage.errors import NotebookMalformedError
from mintage.repo.git import Git
from mintage.repo.notebook import strip_notebook
from mintage.store.publish import publish_bytes

__all__ = ["ATTRIBUTES", "FILTER", "filter_notebook", "set_up_filter"]

ATTRIBUTES = ".gitattributes"
FILTER = "mintage-notebook"
_LINE = f"*.ipynb filter={FILTER}"


def set_up_filter(git: Git, notebook: str, *, python: str) -> bool:
    """See to it that ``notebook`` is stripped when it is added, by the interpreter ``python``, which has Mintage.

    Returns whether .gitattributes was written.
    """
    if not git.is_repository():
        return False
    named = git.run("check-attr", "filter", "--", notebook).rpartition(": ")[2]
    if named not in ("unspecified", FILTER):
        return False
    command = shlex.join([python, "-m", "mintage.repo.notebook_filter"])
    if git.local_setting(f"filter.{FILTER}.clean") != command:
        git.run("config", "--local", f"filter.{FILTER}.clean", command)
    if named == FILTER:
        return False
    file = git.root / ATTRIBUTES
    text = file.read_text() if file.is_file() else ""
    publish_bytes(file, (text + ("" if text.endswith("\n") or not text else "\n") + _LINE + "\n").encode())
    return True


def filter_notebook(data: bytes) -> bytes:
    """What Git is to keep of ``data``; what is no notebook for the moment, with marks of a conflict, say, stays."""
    try:
        return strip_notebook(data, where="standard input")
    except NotebookMalformedError:
        return data


if __name__ == "__main__":
    sys.stdout.buffer.write(filter_notebook(sys.stdin.buffer.read()))
