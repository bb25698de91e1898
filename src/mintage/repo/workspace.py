"""The workspace: a project's folder, where its files lie, and the locks that keep two commands apart."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from mintage.errors import FileMalformedError, FileMissingError, LockedError, ProjectNotFoundError, UnknownNameError
from mintage.repo.git import Git
from mintage.repo.modelfile import ModelSpec, parse_model_file
from mintage.repo.nearest import nearest_hint
from mintage.repo.project import ModelEntry, Project, parse_project

__all__ = ["PROJECT_FILE", "Workspace"]

PROJECT_FILE = "mintage.yaml"
_LOOK_S = 0.05


class Workspace:
    """The paths of one project; ``find`` looks for it from a folder upwards.

    A work tree of a branch or an experiment shares the ``state`` folder of the main one. Addresses of other
    repositories that are relative paths start at ``base``: the project's own folder, wherever a copy of it lies.
    """

    def __init__(self, root: Path, *, state: Path | None = None, base: Path | None = None) -> None:
        self.root = root
        self.git = Git(root)
        self.state = state or root / ".mintage"
        self.base = base or self.state.parent
        self.store_dir = self.state / "store"
        self.database = self.state / "mintage.db"
        self.cache_database = self.state / "cache.db"
        self.keys_dir = self.state / "keys"
        self.models_dir = self.state / "models"
        self.environments_dir = self.state / "environments"
        self.tmp_dir = self.state / "tmp"
        self.logs_dir = self.state / "logs"
        self.reports_dir = self.state / "reports"

    @classmethod
    def find(cls, start: Path) -> Workspace:
        """The workspace of ``start`` or its nearest parent that has a mintage.yaml; raises ProjectNotFoundError."""
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / PROJECT_FILE).is_file():
                return cls(folder)
        raise ProjectNotFoundError(
            "there is no Mintage project here",
            expected=f"a {PROJECT_FILE} in this folder or one above it",
            where=str(start),
            hint="run `mintage init` in your project's folder, or `mintage demo` to see one at work",
        )

    def prepare(self) -> None:
        """Make ``.mintage`` with a .gitignore of its own, so that nothing in it can be committed by accident."""
        self.state.mkdir(parents=True, exist_ok=True)
        ignore = self.state / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")

    def project(self, *, allow_unmade: bool = False) -> Project:
        """The parsed mintage.yaml of the work tree; ``allow_unmade`` as for ``parse_project``."""
        path = self.root / PROJECT_FILE
        return parse_project(path.read_bytes(), where=PROJECT_FILE, allow_unmade=allow_unmade)

    def model_entry(self, name: str) -> ModelEntry:
        """The project's entry for a model; raises UnknownNameError with the known names."""
        models = self.project().models
        if name not in models:
            raise UnknownNameError(
                f"the project has no model {name!r}",
                expected=", ".join(models) or "none declared",
                where=PROJECT_FILE,
                hint=nearest_hint(name, models, otherwise="declare it under `models:` in mintage.yaml"),
            )
        return models[name]

    def only_model(self) -> str:
        """The project's model, if it has one and no other; raises UnknownNameError naming them."""
        models = list(self.project().models)
        if len(models) == 1:
            return models[0]
        raise UnknownNameError(
            "which model is meant?" if models else "the project has no model yet",
            expected="the name of one" if models else f"one under `models:` in {PROJECT_FILE}",
            found=", ".join(models) or "none",
            where=PROJECT_FILE,
            hint=f"name it, as in `{models[0]}`" if models else "run `mintage run`, and see what it wrote",
        )

    def model_spec(self, name: str) -> ModelSpec:
        """The parsed models/<name>.yaml of the work tree."""
        entry = self.model_entry(name)
        path = self.root / "models" / f"{name}.yaml"
        if not path.is_file():
            raise FileMissingError(
                f"models/{name}.yaml is not there",
                where=str(path),
                hint="`mintage run` writes it from what the stages make; docs/spec/model-file.md says what it says",
            )
        spec = parse_model_file(path.read_bytes(), where=f"models/{name}.yaml")
        if entry.target is not None and entry.target not in (spec.target, spec.targets):
            raise FileMalformedError(
                f"two files say what the model {name} predicts",
                expected=f"{entry.target}, as {PROJECT_FILE} says",
                found=str(spec.target),
                where=f"models/{name}.yaml",
                hint=f"correct `target:` there, or take it out of {PROJECT_FILE}",
            )
        return spec

    @contextlib.contextmanager
    def lock(
        self,
        name: str,
        *,
        wait_s: float | None = 10.0,
        what: str = "",
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> Iterator[None]:
        """Hold the workspace's lock ``name``; waits, then raises LockedError naming who holds it. None: waits for ever.

        ``what`` says what the holder does, for others; ``on_wait`` is told once who holds it, if that is another. The
        kernel frees it when the process ends, however it ends.
        """
        self.prepare()
        path = self.state / f"{name}.lock"
        deadline = None if wait_s is None else time.monotonic() + wait_s
        told = False
        with path.open("a+") as stream:
            while not _taken(stream):
                stream.seek(0)
                holder = stream.read().strip()
                if holder and not told:
                    told = True
                    on_wait(f"process {holder}")
                if deadline is not None and time.monotonic() >= deadline:
                    raise LockedError(
                        f"another mintage command holds the {name} lock",
                        found=f"process {holder or 'unknown'}",
                        where=str(path),
                        hint="wait for it to end, then run the command again",
                    )
                time.sleep(_LOOK_S)
            stream.seek(0)
            stream.truncate()
            stream.write(f"{os.getpid()}, {what}" if what else str(os.getpid()))
            stream.flush()
            try:
                yield
            finally:
                stream.truncate(0)  # so that nobody is told of who was here before

    def is_held(self, name: str) -> bool:
        """Whether another command holds the lock ``name`` now; it is not waited for, nor taken."""
        try:
            with (self.state / f"{name}.lock").open() as stream:
                return not _taken(stream, shared=True)
        except FileNotFoundError:
            return False

    def clear_scratch(self) -> None:
        """Delete what interrupted runs left in the scratch folder; call it while holding the run lock."""
        shutil.rmtree(self.tmp_dir, ignore_errors=True)


def _taken(stream: IO[str], *, shared: bool = False) -> bool:
    """Take the lock on an open file, if nobody has it; it is free again when the file is closed."""
    try:
        fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
