"""A team that shares results: the first clone, others with keys of their own, one remote, all by command."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mintage.attest.keys import FileSigner
from mintage.attest.trust import Role, Trust, read_trust, render_trust
from small_project import SmallProject

FILES = {
    "mintage.yaml": """\
project: team
remote: ~/remote
stages:
  clean: {run: python clean.py, in: [data.csv], out: [clean.csv]}
  fit: {run: python fit.py, in: [clean.csv], out: [model/], metrics: [metrics.json], params: [depth]}
""",
    "params.yaml": "depth: 3\n",
    "data.csv": "a,b\n1,2\n",
    "clean.py": 'open("clean.csv", "w").write(open("data.csv").read().upper())\n',
    "fit.py": """\
import json, os, pathlib
depth = json.load(open(os.environ["MINTAGE_PARAMS"]))["depth"]
folder = pathlib.Path("model")
folder.mkdir()
(folder / "weights.bin").write_text(open("clean.csv").read() * depth)
(folder / "shape.txt").write_text(str(depth))
json.dump({"depth": depth}, open("metrics.json", "w"))
print("fitting")
""",
}


class Team:
    """The clones of one project in one folder; ``ana`` is the first, whose key trust.yaml names ``local``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.ana = SmallProject(folder / "ana", self.home)

    @property
    def remote(self) -> Path:
        return self.home / "remote"

    def statements(self) -> list[Path]:
        """The files of all statements in the remote."""
        return sorted((self.remote / "results").rglob("*.json"))

    def statement(self, key: str) -> Path:
        """The only statement about a key."""
        (found,) = (self.remote / "results" / key[3:5] / key[5:]).glob("*.json")
        return found

    def blob(self, digest: str) -> Path:
        """A blob of the remote."""
        return self.remote / "b3" / digest[3:5] / digest[5:]

    def clone(self, name: str) -> SmallProject:
        """A clone with what Git carries and the raw data, which each has from its source."""
        made = SmallProject(self.folder / name, self.home)
        self.ana.git("clone", "-q", f"file://{self.ana.root}", str(made.root))
        made.git("config", "pull.rebase", "false")
        shutil.copy(self.ana.root / "data.csv", made.root / "data.csv")
        return made

    def trust(self, project: SmallProject, **members: tuple[SmallProject, Sequence[Role]]) -> None:
        """Give clones names and roles in the trust.yaml of ``project``; roles of a name that is there are replaced."""
        known: Trust = read_trust(project.root / "trust.yaml")
        keys = {each.name: (each.key.pem, each.roles) for each in known.keys}
        for name, (clone, roles) in members.items():
            signer = FileSigner.load(clone.root / ".mintage/keys/project.pem")
            keys[name] = (signer.public_pem, tuple(roles))
        project.write("trust.yaml", render_trust(keys))


def make_key(project: SmallProject) -> None:
    """Have the clone make its key, as its first signature would."""
    FileSigner.create(project.root / ".mintage/keys/project.pem", name="project")


def make_team(folder: Path) -> Team:
    """Ana's project: it ran, was pushed with its results, and is committed."""
    team = Team(folder)
    team.home.mkdir(parents=True)
    team.ana.root.mkdir()
    team.ana.git("init", "-q", "-b", "main")
    for name, text in FILES.items():
        team.ana.write(name, text)
    team.ana.run("init")
    team.ana.run("add", "data.csv")
    team.ana.commit("a project")
    team.ana.run("run")
    assert team.ana.run("push", "--json").json["shared"] == ["clean", "fit"]
    team.ana.commit("it ran")
    return team
