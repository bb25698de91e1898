"""Play the example in a new folder: two people, one repository, four certificates.

``python examples/employment/build.py FOLDER`` makes FOLDER/ana (who trains), FOLDER/bo (who judges), what lies between
them (hub.git and store), and FOLDER/pages: the four reports, and verdicts.md, which lists what they decide. It types
what the two would type, and shows it. Keys and commits are new each time, so digests differ from one build to the next;
the verdicts do not. README.md tells what to look at.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent / "project"
SOLDIER = {"AGEP": 41, "SCHL": 21, "MAR": 1, "RELP": 1, "MIL": 1, "SEX": 1, "RAC1P": 1, "ANC": 2, "CIT": 1, "MIG": 1}
SOLDIER |= {"NATIVITY": 1, "DIS": 2, "DEAR": 2, "DEYE": 2, "DREM": 2, "ESP": 0}
OVERFIT = {"leaves: 15": "leaves: 63", "learning_rate: 0.1": "learning_rate: 0.5"}
WAIVED = "students' answers are right about how unsure they are: slices.alike and calibration pass"
INSTEAD = "tables of towns with a college carry a footnote, and a clerk calls 50 of their forms each month"


@dataclass(frozen=True)
class Person:
    """Who types commands in a clone of their own."""

    name: str
    folder: Path

    @property
    def mail(self) -> str:
        """As Git knows the person."""
        return f"{self.name}@example.org"

    def mintage(self, *words: str, expect: int = 0, quiet: bool = False) -> str:
        """Type ``mintage words``; ends the build if it does not exit as expected."""
        return self._type("mintage", words, expect=expect, quiet=quiet)

    def git(self, *words: str) -> str:
        """Type ``git words``."""
        return self._type("git", words, expect=0, quiet=True)

    def commit(self, subject: str, *, by: str | None = None) -> None:
        """Commit all that was changed, and hand it over: commits by Git, bytes by the store."""
        self.git("add", "-A")
        self.git("commit", "-qm", subject, *([f"--author={by} <{by}@example.org>"] if by else []))
        self.git("push", "-q", "-u", "origin", "HEAD")
        self.mintage("push", quiet=True)

    def take(self, branch: str = "main") -> None:
        """Take over what the other one did."""
        self.git("fetch", "-q", "origin")
        self.git("switch", "-q", branch)
        self.git("merge", "-q", "--ff-only", f"origin/{branch}")
        self.mintage("pull", quiet=True)

    def write(self, path: str, change: Callable[[str], str]) -> None:
        """Edit a file, as in an editor."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(change(file.read_text() if file.exists() else ""))

    def _type(self, program: str, words: tuple[str, ...], *, expect: int, quiet: bool) -> str:
        command = [sys.executable, "-m", "mintage"] if program == "mintage" else [program]
        tell(f"{self.name}$ {shlex.join([program, *words])}")
        done = subprocess.run([*command, *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != expect:
            sys.exit(f"{done.stdout}{done.stderr}\nexpected exit code {expect}, found {done.returncode}")
        if not quiet:
            tell("".join(f"    {line}\n" for line in (done.stdout + done.stderr).splitlines()).rstrip())
        return done.stdout


@dataclass
class Pages:
    """The reports, and the list of what they decide."""

    folder: Path
    lines: list[str] = field(default_factory=list)

    def certify(self, person: Person, name: str, title: str, *, expect: int) -> dict[str, Any]:
        """Have the model judged; keep the report and a table of its verdicts."""
        found: dict[str, Any] = json.loads(person.mintage("certify", "--json", expect=expect, quiet=True))
        tell(f"    {found['verdict']}: {found['sentence']}")
        self.folder.mkdir(exist_ok=True)
        shutil.copyfile(person.folder / found["report"], self.folder / f"{name}.html")
        self.lines += [f"## {title}", "", f"{found['verdict']}: {found['sentence']}", ""]
        self.lines += ["| requirement | check | severity | verdict | measured |", "|---|---|---|---|---|"]
        waived = {item["requirement"] for item in found["waivers"]}
        for each in found["results"]:
            verdict = each["verdict"].replace("_", " ") + (", waived" if each["requirement"] in waived else "")
            cells = (each["requirement"], each["check"], each["severity"], verdict, _measured(each))
            self.lines.append(f"| {' | '.join(cells)} |")
        self.lines += ["", *(f"- {item['control']}: {item['state']}" for item in found["clauses"]), ""]
        text = "# What the four certificates decide\n\nWritten by build.py.\n\n" + "\n".join(self.lines)
        (self.folder / "verdicts.md").write_text(text.rstrip() + "\n")
        return found


def build(folder: Path) -> None:
    """Play the whole example in ``folder``, which must be new."""
    folder.mkdir(parents=True)
    ana, bo = Person("ana", folder / "ana"), Person("bo", folder / "bo")
    pages = Pages(folder / "pages")
    start(folder, ana, bo)
    first_try(ana, bo, pages)
    mend(ana, bo, pages)
    waive(bo, pages)
    overfit(ana, bo, pages)
    tell(f"\nThe pages are in {pages.folder}; bo's clone is {bo.folder}")


def start(folder: Path, ana: Person, bo: Person) -> None:
    """Data and code by Ana; who may sign what, and the policy, by Bo. Nothing is trained yet."""
    tell("== 1. The policy, before the first training")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "hub.git")], check=True)
    for person in (ana, bo):
        subprocess.run(["git", "clone", "-qq", str(folder / "hub.git"), str(person.folder)], check=True)
        person.git("switch", "-q", "-c", "main") if person is ana else person.git("switch", "-q", "main")
        for key, value in (("user.name", person.name), ("user.email", person.mail), ("commit.gpgsign", "false")):
            person.git("config", key, value)
        if person is ana:
            shutil.copytree(PROJECT, ana.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("policies", "__*"))
            ana.mintage("init")
            ana.mintage("add", "data/employment-ma.parquet")
            ana.commit("Data, code, and what the model shall be")
    bo.mintage("pull")
    bo.mintage("init", quiet=True)
    bo.mintage("audit", "verify", quiet=True)  # makes the key of bo's audit log
    roles = {ana: "model", bo: "certificate, release"}
    bo.write("trust.yaml", lambda _: "keys:\n" + "".join(_keys(person, role) for person, role in roles.items()))
    shutil.copytree(PROJECT / "policies", bo.folder / "policies")
    bo.mintage("policy", "check")
    bo.commit("What the model must prove, and whose signature counts for what")


def first_try(ana: Person, bo: Person, pages: Pages) -> None:
    """The first model; a third person, Cleo, finds a row that it gets wrong; the certificate fails."""
    tell("\n== 2. The first model, a finding, and its certificate")
    ana.take()
    ana.mintage("run")
    ana.commit("The first model")
    bo.take()
    about = "people on active duty have no civilian work, which is what the column means"
    expect = ("--expect", "probability(1)<=0.1", "--about", about, "--author", "cleo@example.org")
    row = [f"{name}={value}" for name, value in SOLDIER.items()]
    bo.mintage("finding", "add", "employed", "--row", *row, *expect)
    bo.commit("A soldier is counted as half a working person", by="cleo")
    pages.certify(bo, "1-first-model", "1. The first model", expect=1)
    bo.commit("Certificate of the first model")


def mend(ana: Person, bo: Person, pages: Pages) -> None:
    """Ana lets the trees look at fewer than 200 people at once; Bo signs what no command can decide."""
    tell("\n== 3. The finding is mended; one failure is left")
    ana.take()
    ana.write("params.yaml", lambda text: text.replace("rows_per_leaf: 200", "rows_per_leaf: 20"))
    ana.mintage("why", "train")
    ana.commit("Leaves of 20 people: 115 soldiers are a group of their own")
    ana.mintage("run")
    ana.commit("The mended model")
    bo.take()
    finding = json.loads(bo.mintage("finding", "list", "employed", "--json", quiet=True))[0]["finding"]
    bo.mintage("finding", "close", "employed", finding, "--author", "cleo@example.org", "--why", "smaller leaves")
    bo.commit("The soldiers are mended", by="cleo")
    says = "clerks can take back each filled-in answer, and the head of the desk can stop it; I was shown both"
    bo.mintage("attest", "employed", "oversight", "--says", says, "--document", "oversight.md")
    bo.commit("Oversight is in place")
    pages.certify(bo, "2-mended", "2. The mended model", expect=1)
    bo.commit("Certificate of the mended model")


def waive(bo: Person, pages: Pages) -> None:
    """What fails is so, and Bo, who did not train, lets it stand for two months."""
    tell("\n== 4. A waiver, and the certificate that rests on it")
    said = ("--reason", WAIVED, "--compensating", INSTEAD, "--approver", bo.mail, "--days", "60")
    bo.mintage("waiver", "propose", "employed", "slices.all", *said, "--write")
    bo.commit("The students may stand for two months")
    pages.certify(bo, "3-waived", "3. The same model, one failure waived", expect=0)
    bo.commit("Certificate with a waiver")
    bo.mintage("verify", "employed")
    bo.mintage("release", "employed", "--to", "production", "--why", "certified, one failure waived")
    bo.git("push", "-q")


def overfit(ana: Person, bo: Person, pages: Pages) -> None:
    """On a branch: more trees, larger and faster. Better on the years it learnt from, and refused."""
    tell("\n== 5. A variant that fails")
    ana.take()
    ana.git("switch", "-q", "-c", "variant")
    for old, new in OVERFIT.items():
        ana.write("params.yaml", lambda text, old=old, new=new: text.replace(old, new))  # type: ignore[misc]
    ana.commit("Larger trees: the loss on the training years falls")
    ana.mintage("run")
    ana.commit("The variant")
    bo.take("variant")
    pages.certify(bo, "4-variant", "4. The variant", expect=1)
    bo.commit("Certificate of the variant")
    bo.mintage("release", "employed", "--to", "production", "--why", "lower loss", expect=1)
    bo.take("main")


def tell(text: str) -> None:
    """One piece of the story."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _keys(person: Person, roles: str) -> str:
    """The lines of trust.yaml for a person's two keys."""
    text = ""
    for name, file, what in ((person.name, "project", roles), (f"{person.name}-log", "audit", "checkpoint")):
        pem = (person.folder / f".mintage/keys/{file}.pem.pub").read_text().splitlines()
        text += f"  {name}:\n    public: |\n" + "".join(f"      {line}\n" for line in pem) + f"    roles: [{what}]\n"
    return text


def _measured(result: dict[str, Any]) -> str:
    """The number to four digits; not of wall times, which are never the same twice."""
    if result["estimate"] is None or result["check"] == "T1":
        return ""
    interval = result["interval"]
    text = f"{result['estimate']:.4g}"
    if interval is not None and interval["low"] != interval["high"]:
        text += f" [{interval['low']:.4g}, {interval['high']:.4g}]"
    return text


if __name__ == "__main__":
    if len(sys.argv) != 2 or Path(sys.argv[1]).exists():
        sys.exit("usage: python build.py FOLDER, which must be new")
    build(Path(sys.argv[1]).resolve())
