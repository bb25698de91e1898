"""Take a DVC project into Mintage, in place: its stages, its data, its history. DVC is read, not run.

``read`` looks and decides, ``bring`` fills the store, ``write_project`` and ``write_locks`` write, the locks last. Run
again it goes on: what is in the store stays, what could not be had is looked for anew, what people changed in
mintage.yaml since then is theirs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mintage.data.checkout import place
from mintage.data.dvc.bring import Imported, bring_objects
from mintage.data.dvc.config import object_folders, read_config
from mintage.data.dvc.definitions import PARAMS_FILE, Definition, definitions, load_pipeline, load_values
from mintage.data.dvc.history import History, reader_here, tracked_here
from mintage.data.dvc.index import IMPORT_LOCK, Index, read_index, write_index
from mintage.data.dvc.outs import Out, lock_stages
from mintage.data.dvc.render import render_project
from mintage.data.dvc.revision import declared, own_files
from mintage.data.dvc.translate import Note, Translated, data_notes, top_level_notes, translate
from mintage.data.dvc.uptodate import Matcher, why_not_vouched
from mintage.errors import GitError, MintageError, ProjectError
from mintage.pipeline.adopt import Claim, adopt
from mintage.pipeline.closure import closure
from mintage.record.names import name_from
from mintage.repo.ignore import ignore_path
from mintage.repo.locks import Item, Lock, read_lock, read_locks, write_lock
from mintage.repo.project import parse_project
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.repo.yamlfile import load_yaml
from mintage.store.local import Store
from mintage.store.publish import publish_bytes
from mintage.store.statcache import StatCache

__all__ = ["DvcImport", "Outcome"]

_NOTE = "imported from dvc.lock"


@dataclass(kw_only=True)
class Outcome:
    """What an import did: paths of data, stages that dvc.lock vouched for, why others will run, notes."""

    data: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    placed: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class DvcImport:
    """The import of one project."""

    def __init__(self, workspace: Workspace, *, remote: str | None, history: History) -> None:
        self.workspace = workspace
        self.root = workspace.root
        self.git = workspace.git
        self.store = Store(workspace.store_dir)
        self.history = history
        self.read_file = reader_here(self.root)
        self.folders, self.unread = object_folders(self.root, read_config(self.root), remote)
        self.outcome = Outcome()
        self.matcher = Matcher(self.root)
        self._lock_files: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self) -> str:
        """Check that the project can be imported, and translate it; returns the text of mintage.yaml."""
        _refuse_unready(self.workspace)
        in_git = frozenset(self.git.tree("HEAD"))
        files = own_files(in_git)
        found: list[Definition] = []
        notes: list[Note] = []
        for path in files:
            if posixpath.basename(path) == "dvc.yaml":
                notes += top_level_notes(load_pipeline(self.read_file, path), path)
                found += definitions(self.read_file, path)
            elif path.endswith(".dvc"):
                notes += self._data_notes(path)
        params = load_values(self.read_file, PARAMS_FILE) if (self.root / PARAMS_FILE).is_file() else {}
        data = [out.path for out in tracked_here(self.git, self.root).outs if out.path and out.source.endswith(".dvc")]
        self.translation = translate(found, in_git=in_git, params=params, find_code=self._code, data=data)
        if any("${" in (self.read_file(path) or b"").decode(errors="replace") for path in files):
            notes.append(Note(where="dvc.yaml", text="${...} stands as its value here: change it in mintage.yaml"))
        self.outcome.notes = [*notes, *self.translation.notes]
        python = ".venv/bin/python" if (self.root / ".venv/bin/python").exists() else None
        text = render_project(name_from(self.root.name), self.translation, python=python, notes=self.outcome.notes)
        parse_project(text.encode(), where=PROJECT_FILE)
        return text

    def _data_notes(self, path: str) -> list[Note]:
        try:
            value, _ = load_yaml(self.read_file(path) or b"", where=path)
        except MintageError:
            return []  # is listed with what could not be read
        return data_notes(value, path) if isinstance(value, dict) else []

    def _code(self, words: Sequence[str], base: str) -> tuple[list[str], str | None]:
        """Code files that a command uses, from the root; or why that could not be told."""
        folder = self.root / base
        known = [word for word in words if not word.endswith((".py", ".sh")) or (folder / word).is_file()]
        try:
            found = closure(known, [], folder)
        except MintageError as error:
            return [], f"{error.message} ({error.where})"
        return [posixpath.normpath(posixpath.join(base, path)) for path in found], None

    def bring(self, progress: Callable[[int, int], None]) -> Imported:
        """Fill the store; the caller holds the data lock."""
        self.before = read_index(self.workspace, self.store)
        self.imported = bring_objects(
            self.git,
            self.root,
            self.store,
            self.folders,
            history=self.history,
            before=self.before,
            progress=progress,
        )
        self._dvcs = {found.digest for found in self.before.objects.values()} if self.before else set()
        return self.imported

    def write_project(self, text: str) -> bool:
        """Write the index, then mintage.yaml unless it is there; returns whether it wrote that."""
        write_index(self.workspace, self.store, self.imported.index)
        if (self.root / PROJECT_FILE).exists():
            return False
        publish_bytes(self.root / PROJECT_FILE, text.encode())
        return True

    def write_locks(self, *, at: str, actor: str) -> Outcome:
        """Put the data in place and write their locks, then those of the stages that dvc.lock vouches for."""
        index = self.imported.index
        frozen = {path for one in self.translation.frozen for path, _ in declared(one)}
        for out in self.imported.current:
            if not out.source.endswith("dvc.lock") or out.path in frozen:
                self._write_data(out, index)
        for path in sorted(set(self.outcome.data) - self.git.ignored(self.outcome.data)):
            ignore_path(self.root, path)
        with StatCache(self.workspace.cache_database) as cache:
            claims = self._claims(index)
            facts = {"commit": index.commit, "at": at, "actor": actor}
            had = set(read_locks(self.root))
            self.outcome.stale |= adopt(self.workspace, cache, claims, note=_NOTE, facts=facts)
        self.outcome.adopted = [name for name in claims if name not in self.outcome.stale and name not in had]
        return self.outcome

    def _write_data(self, out: Out, index: Index) -> None:
        item = self._item(out, index)
        if item is None:
            return
        lock = read_lock(self.root, item.path)
        if (
            lock is not None
            and lock.outputs
            and lock.outputs[0].digest != item.digest
            and lock.outputs[0].digest not in self._dvcs
        ):
            return  # somebody added another version since
        self._place(item, out)
        write_lock(self.root, Lock(name=item.path, what="data", outputs=(item,)))
        self.outcome.data.append(item.path)

    def _place(self, item: Item, out: Out) -> None:
        """Bring back what is missing, and make files of links into DVC's cache; what differs is left as it is."""
        target = self.root / item.path
        if target.exists() and not _has_links(target):
            return
        if not target.exists() or self.matcher(out):
            if target.is_symlink():
                target.unlink()
            place(self.store, item, target)
            self.outcome.placed.append(item.path)

    def _item(self, out: Out, index: Index) -> Item | None:
        found = index.objects.get(out.name or "")
        if found is not None and out.path is not None:
            return Item(path=out.path, digest=found.digest, size=found.size, folder=found.folder)
        path = self.root / (out.path or "")
        if out.path is None or not self.matcher(out):
            return None
        if path.is_dir():
            digest = self.store.put_tree(path)
            return Item(path=out.path, digest=digest, size=self.store.get_tree(digest).size, folder=True)
        return Item(path=out.path, digest=self.store.put_file(path), size=path.stat().st_size)

    def _claims(self, index: Index) -> dict[str, Claim]:
        """Claims for the stages that dvc.lock vouches for and that mintage.yaml still has as they were translated."""
        stages = self.workspace.project().stages
        claims = {}
        for one in self.translation.stages:
            if stages.get(one.name) != one.stage:
                self.outcome.stale[one.name] = "mintage.yaml has it otherwise"
                continue
            claim = self._claim(one, index)
            if isinstance(claim, str):
                self.outcome.stale[one.name] = claim
            else:
                claims[one.name] = claim
        return claims

    def _locked(self, pipeline: str) -> dict[str, dict[str, Any]]:
        """The stages in the dvc.lock beside a dvc.yaml, read once."""
        if pipeline not in self._lock_files:
            folder = posixpath.dirname(pipeline)
            where = posixpath.join(folder, "dvc.lock")
            wdirs = {
                one.origin.name: posixpath.relpath(one.origin.base or ".", folder or ".")
                for one in self.translation.stages
                if one.origin.where == pipeline
            }
            data = self.read_file(where)
            self._lock_files[pipeline] = lock_stages(data, where=where, wdirs=wdirs) if data is not None else {}
        return self._lock_files[pipeline]

    def _claim(self, one: Translated, index: Index) -> Claim | str:
        locked = self._locked(one.origin.where).get(one.origin.name)
        why = why_not_vouched(one.origin, locked, matcher=self.matcher, read=self.read_file, index=index)
        if why or locked is None:
            return why
        items = []
        for out in locked["outs"]:
            item = self._item(out, index)
            if item is None:
                return f"{out.path} is not to be had"
            self._place(item, out)
            items.append(item)
        return Claim(outputs=tuple(items), said=_said(locked))


def _said(locked: Mapping[str, object]) -> dict[str, object]:
    """DVC's own entry, in short: command and MD5s."""
    outs: dict[str, object] = {"cmd": locked["cmd"]}
    for key in ("deps", "outs"):
        entries = locked[key]
        assert isinstance(entries, list)
        outs[key] = {out.path: out.name for out in entries}
    return outs


def _has_links(path: Path) -> bool:
    return path.is_symlink() or (path.is_dir() and any(inner.is_symlink() for inner in path.rglob("*")))


def _refuse_unready(workspace: Workspace) -> None:
    git = workspace.git
    if not git.is_repository() or git.head() is None:
        raise GitError(
            "the DVC project has no commit",
            expected="a Git repository with its .dvc files and dvc.yaml committed",
            where=str(workspace.root),
            hint="commit them first: `git add -A && git commit`",
        )
    if (workspace.root / PROJECT_FILE).exists() and read_lock(workspace.root, IMPORT_LOCK) is None:
        raise ProjectError(
            "there is a Mintage project here already",
            found=PROJECT_FILE,
            where=str(workspace.root),
            hint="nothing is merged: move it away, import, then add to the new one what it had",
        )
    prefix = git.run("rev-parse", "--show-prefix")
    dirty = [path.removeprefix(prefix) for path in git.dirty_paths()]
    names = ("dvc.yaml", "dvc.lock", PARAMS_FILE)
    changed = [path for path in dirty if posixpath.basename(path) in names or path.endswith((".dvc", ".dvc/config"))]
    if changed:
        raise ProjectError(
            "files of the DVC project are not committed",
            found=", ".join(changed[:5]),
            where=str(workspace.root),
            hint="commit or stash them, so that the import is of a commit that can be found again",
        )
