"""An empty place to rebuild a commit in: a repository, a store, a database and keys of its own, deleted afterwards.

It reads the objects of the user's repository and writes none there: no ref, no work tree, no index, no setting of the
clone changes. Its mintage.yaml is rewritten to name the interpreters to use and to close the network.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from mintage.errors import ProjectNotFoundError
from mintage.repo.git import Git
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.repo.yamlfile import load_yaml

__all__ = ["fresh", "set_up"]

_SHA1_DIGITS = 40


@contextlib.contextmanager
def fresh(workspace: Workspace, commit: str) -> Iterator[Workspace]:
    """The project at ``commit`` in a folder of its own below ``.mintage/``, with nothing else in it."""
    workspace.prepare()
    git = workspace.git
    parent = workspace.state / "reproduce"
    with workspace.lock("reproduce"):
        shutil.rmtree(parent, ignore_errors=True)  # what a killed one left
        folder = parent / secrets.token_hex(6)
        folder.mkdir(parents=True)
        try:
            objects = (workspace.root / git.run("rev-parse", "--git-path", "objects")).resolve()
            own = Git(folder)
            own.run("init", "-q", *(["--object-format=sha256"] if len(commit) > _SHA1_DIGITS else []))
            (folder / ".git/objects/info").mkdir(parents=True, exist_ok=True)
            (folder / ".git/objects/info/alternates").write_text(f"{objects}\n")
            own.run("checkout", "-q", "--detach", commit)
            tree = Workspace(folder / git.prefix(), base=workspace.base)
            if not (tree.root / PROJECT_FILE).is_file():
                raise ProjectNotFoundError(
                    f"there is no Mintage project in {commit[:12]}",
                    expected=f"a {PROJECT_FILE}",
                    where=str(workspace.root),
                    hint="name a later revision",
                )
            tree.prepare()
            yield tree
        finally:
            shutil.rmtree(parent, ignore_errors=True)


def set_up(tree: Workspace, *, interpreters: Mapping[str | None, str], closed: bool) -> None:
    """Write into the mintage.yaml of the empty place which file each named interpreter (None: the one that no key
    names) is, and with ``closed`` that no stage may use the network."""
    path = tree.root / PROJECT_FILE
    value, _ = load_yaml(path.read_bytes(), where=PROJECT_FILE)
    _name(value, interpreters)
    for form in (value.get("stages") or {}).values():
        if form.get("python") is not None:
            _name(form, interpreters)
        if closed:
            form["network"] = False
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _name(form: dict[str, Any], interpreters: Mapping[str | None, str]) -> None:
    found = interpreters.get(form.get("python"))
    if found is not None:
        form["python"] = found
