"""A small DVC project written file by file in DVC's own format, with a cache named by MD5: no DVC is needed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from small_project import SmallProject

PREPARE = """\
import pathlib
import yaml
skip = yaml.safe_load(open("params.yaml"))["prepare"]["skip"]
rows = open("data/raw.csv").read().splitlines()
pathlib.Path("work/clean.csv").write_text("\\n".join(rows[skip:]) + "\\n")
"""
PIPELINE = {
    "stages": {
        "prepare": {
            "cmd": "python prepare.py",
            "deps": ["prepare.py", "data/raw.csv"],
            "params": ["prepare.skip"],
            "outs": ["work/clean.csv"],
        }
    }
}


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class DvcProject(SmallProject):
    """Writes what `dvc add`, `dvc repro` and `dvc push` would leave behind."""

    layout = "files/md5"  # of DVC 3; "" is that of DVC 1 and 2

    def __init__(self, root: Path, home: Path) -> None:
        super().__init__(root, home)
        self.cache = root / ".dvc/cache"

    def begin(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        inside = subprocess.run(["git", "rev-parse"], cwd=self.root, capture_output=True, check=False).returncode == 0
        if not inside:
            self.git("init", "-q")
        self.write(".dvc/config", "[core]\n    analytics = false\n")
        self.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")

    def entry(self, path: str, name: str, size: int) -> dict[str, Any]:
        return {"md5": name, "size": size, "path": path} | ({"hash": "md5"} if self.layout else {})

    def object_path(self, name: str) -> Path:
        return self.cache / self.layout / name[:2] / name[2:]

    def keep(self, data: bytes, *, name: str | None = None) -> str:
        """Put bytes into the cache; returns their name."""
        name = name or md5(data)
        path = self.object_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    def keep_folder(self, files: dict[str, bytes]) -> str:
        members = [{"md5": self.keep(data), "relpath": path} for path, data in sorted(files.items())]
        data = json.dumps(members, sort_keys=True).encode()
        return self.keep(data, name=md5(data) + ".dir")

    def put(self, path: str, data: bytes) -> None:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data)

    def dvc_add(self, path: str, content: bytes | dict[str, bytes]) -> str:
        """Version a file or a folder: the work tree, the cache, the .dvc file, .gitignore."""
        if isinstance(content, bytes):
            name, size = self.keep(content), len(content)
            self.put(path, content)
        else:
            name, size = self.keep_folder(content), sum(map(len, content.values()))
            for inner, data in content.items():
                self.put(f"{path}/{inner}", data)
        folder, _, last = path.rpartition("/")
        self.write(f"{path}.dvc", yaml.safe_dump({"outs": [self.entry(last, name, size)]}))
        self.write(f"{folder}/.gitignore" if folder else ".gitignore", f"/{last}\n")
        return name

    def pipeline(self, value: dict[str, Any] = PIPELINE) -> None:
        self.write("dvc.yaml", yaml.safe_dump(value, sort_keys=False))

    def dvc_lock(self, stages: dict[str, dict[str, Any]]) -> None:
        self.write("dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))

    def here(self, path: str) -> dict[str, Any]:
        data = (self.root / path).read_bytes()
        return self.entry(path, md5(data), len(data))

    def record_of_import(self) -> dict[str, Any]:
        """The body of the index that the import left."""
        body: dict[str, Any] = self.record(self.lock("import:dvc")["record"])["body"]
        return body

    def reproduce(self, skip: int) -> None:
        """Run the one stage as `dvc repro` would: its output, its cache, dvc.lock."""
        self.write("params.yaml", f"prepare: {{skip: {skip}}}\n")
        self.write("prepare.py", PREPARE)
        rows = (self.root / "data/raw.csv").read_text().splitlines()
        clean = ("\n".join(rows[skip:]) + "\n").encode()
        self.put("work/clean.csv", clean)
        self.keep(clean)
        self.write("work/.gitignore", "/clean.csv\n")
        self.dvc_lock(
            {
                "prepare": {
                    "cmd": "python prepare.py",
                    "deps": [self.here("data/raw.csv"), self.here("prepare.py")],
                    "params": {"params.yaml": {"prepare.skip": skip}},
                    "outs": [self.here("work/clean.csv")],
                }
            }
        )


def three_revisions(project: DvcProject) -> None:
    """Commits tagged v1, v2, v3: data of one file and one folder, a stage, a parameter that changes."""
    project.begin()
    project.pipeline()
    project.dvc_add("data/raw.csv", b"x\n1\n2\n")
    project.dvc_add("images", {"a.txt": b"one", "in/b.txt": b"two"})
    project.reproduce(1)
    project.commit("one")
    project.git("tag", "v1")
    project.dvc_add("data/raw.csv", b"x\n1\n2\n3\n")
    project.dvc_add("images", {"a.txt": b"one", "in/b.txt": b"two", "c.txt": b"three"})
    project.reproduce(1)
    project.commit("two")
    project.git("tag", "-a", "-m", "second", "v2")
    project.reproduce(2)
    project.commit("three")
    project.git("tag", "v3")
