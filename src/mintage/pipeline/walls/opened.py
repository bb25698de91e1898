"""What is open to a stage behind walls: the system, its interpreter, the programs on its PATH, and its scratch folder.

Never open, whatever of the above lies around or in them: the project (but for an environment in it, and large inputs
that the scratch folder links to), Mintage's own state, and the home folder as a whole. The rest of the machine is not
named here, and so it is closed.

>>> cover(["/usr", "/usr/lib/python3.12", "/opt", "/usr"])
['/opt', '/usr']
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.pipeline.environment import Environment
from mintage.pipeline.recording.protect import _around
from mintage.pipeline.sandbox import Scratch

__all__ = ["Opened", "cover", "opened", "projects", "redirected"]

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/etc", "/sys", "/snap"),
    *("/nix/store", "/gnu/store", "/run/current-system", "/run/opengl-driver", "/var/cache/fontconfig"),
    *("/var/lib/ca-certificates", "/var/lib/sss", "/var/lib/dbus/machine-id", "/run/systemd/resolve"),
    *("/run/resolvconf", "/run/nscd", "/run/NetworkManager/resolv.conf", "/mnt/wsl/resolv.conf"),
)
_DEVICES = (
    *("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "dri", "kfd", "dxg", "infiniband", "vfio"),
    *("nvidia*", "accel*", "davinci*", "hisi_hdc", "devmm_svm", "neuron*", "apex_*"),
)
_PARTS = ("bin", "sbin", "lib", "lib64", "libexec", "pyvenv.cfg")
_MORE_PARTS = ("share", "etc", "ssl", "include", "conda-meta")
_NAMED = ("LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
_SITES = ("site-packages", "dist-packages")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Paths to be read and started, and paths to be read and written; what lies in a folder is open with it."""

    read: tuple[str, ...]
    write: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Everything that can be read."""
        return (*self.read, *self.write)


def opened(
    scratch: Scratch,
    *,
    root: Path,
    state: Path,
    environment: Environment,
    variables: Mapping[str, str],
    command: Sequence[str],
    links: Iterable[Path],
    reads: Iterable[Path],
    log: Path | None,
) -> Opened:
    """What is open to ``command`` in ``scratch``; ``links`` are files that its inputs lead to, ``reads`` what it names
    outside the project, ``log`` where its output goes."""
    root, state = root.resolve(), state.resolve()
    known = [name for name in (*_NAMED, "PATH") if name in variables]
    found = _standing(environment, root, state, Path.home(), tuple((name, variables[name]) for name in known))
    program = Path(command[0])
    own = [program, program.resolve()] if program.is_absolute() and program.is_file() else []
    more = [*own, *links, *(found for path in reads for found in (path, path.resolve()))]
    base = [scratch.base, *([log] if log is not None else _own_output())]
    return Opened(
        read=tuple(cover([*found, *map(str, more)])),
        write=(*map(str, base), "/proc", "/dev/shm", *_devices()),
    )


def cover(paths: Iterable[str]) -> list[str]:
    """The paths without those that lie in others of them, sorted."""
    found: list[str] = []
    for path in sorted(set(paths), key=lambda path: f"{path}/"):
        if not found or not f"{path}/".startswith(f"{found[-1]}/"):
            found.append(path)
    return found


def redirected(environment: Environment, *, root: Path, work: Path) -> list[str]:
    """Folders of ``work`` that take the place of the project's own on the import path, as an editable install has it
    there: the stage imports the declared copy, which is the code that its key names."""
    around = projects(root.resolve())
    found = [(folder, _project_of(folder, around)) for folder in _editable(environment)]
    return list(dict.fromkeys(str(work / folder.relative_to(own)) for folder, own in found if own is not None))


@functools.lru_cache(maxsize=64)
def _standing_of(
    python: str,
    folders: tuple[str, ...],
    prefixes: tuple[str, ...],
    *,
    root: Path,
    state: Path,
    home: Path,
    known: tuple[tuple[str, str], ...],
) -> tuple[str, ...]:
    """What is open to every stage with this interpreter and these variables."""
    variables = dict(known)
    around = [*projects(root), *projects(state)[1:]]
    wanted = [Path(folder) for folder in folders]
    wanted += [link for folder in wanted for link in _links(folder)]
    wanted += [Path(python).resolve(), Path(__file__).parents[1] / "notebook"]
    for name in _NAMED:
        wanted += [Path(path) for path in variables.get(name, "").split(os.pathsep) if path.startswith("/")]
    for entry in variables.get("PATH", "").split(os.pathsep):
        wanted += _programs(Path(entry), home) if entry.startswith("/") else []
    found = [path for path in wanted if path.exists() and _may_open(path, around, home)]
    found += [part for prefix in prefixes for part in _of_prefix(Path(prefix), root, home) if part.exists()]
    shut = {*map(str, around), str(state)}
    above = {str(parent) for path in shut for parent in Path(path).parents}
    system = [path for folder in _SYSTEM for path in _around(os.path.realpath(folder), shut, above)]
    return tuple(cover([*system, *map(str, found)]))


def _standing(
    environment: Environment, root: Path, state: Path, home: Path, known: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    found = environment.python, environment.folders, environment.prefixes
    return _standing_of(*found, root=root, state=state, home=home, known=known)


def _may_open(path: Path, around: Sequence[Path], home: Path) -> bool:
    """Whether a path holds no project and not the home folder, and lies in no project but in an environment there."""
    real = path.resolve()
    if any(kept.is_relative_to(real) for kept in (*around, home)):
        return False
    return _project_of(path, around) is None and _project_of(real, around) is None


def _project_of(path: Path, around: Sequence[Path]) -> Path | None:
    """The innermost project that a path is a part of, an environment in it left out."""
    own = max((root for root in around if path.is_relative_to(root)), key=lambda root: len(root.parts), default=None)
    return own if own is not None and not _is_site(path, own) else None


def _is_site(folder: Path, root: Path) -> bool:
    """Whether packages are installed there, be it within the project at ``root``."""
    within = [path for path in (folder, *folder.parents) if path.is_relative_to(root) and path != root]
    return folder.name in _SITES or any(
        (path / "pyvenv.cfg").is_file() or (path / "conda-meta").is_dir() for path in within
    )


def _of_prefix(prefix: Path, root: Path, home: Path) -> list[Path]:
    """All of an environment; its parts, if the project or the home folder lies in it."""
    real = prefix.resolve()
    if not root.is_relative_to(real) and not home.is_relative_to(real):
        return [prefix]
    return [prefix / part for part in (_PARTS if real == root else (*_PARTS, *_MORE_PARTS))]


def _programs(folder: Path, home: Path) -> Iterator[Path]:
    """A folder of PATH with what its programs need beside them."""
    if not folder.is_dir():
        return
    if str(folder.resolve()).startswith(("/usr/", "/opt/", "/bin", "/sbin", "/snap/", "/nix/store/")):
        return
    yield from _beside(folder, home)
    for link in _links(folder):
        yield from _beside(link.parent, home) if link.parent.name in ("bin", "sbin") else (link,)


def _beside(folder: Path, home: Path) -> Iterator[Path]:
    prefix = folder.parent
    if folder.name == "shims":  # of a version manager, which start what it keeps elsewhere in its folder
        yield prefix
    elif folder.name not in ("bin", "sbin"):
        yield folder
    else:
        more = () if prefix in (home, home / ".local") else _MORE_PARTS
        yield from (prefix / part for part in (*_PARTS, *more))


def _links(folder: Path) -> list[Path]:
    """What the links in a folder lead to."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [Path(os.path.realpath(entry.path)) for entry in entries if entry.is_symlink()]


def projects(root: Path) -> list[Path]:
    """The project at ``root``, and those in whose ``.mintage`` it lies as a work tree."""
    return [root, *(parent.parent for parent in (root, *root.parents) if parent.name == ".mintage")]


def _own_output() -> list[Path]:
    """The files that the standard streams of this process lead to, which a command without a log inherits."""
    found = [Path(os.path.realpath(f"/proc/self/fd/{number}")) for number in range(3)]
    return [path for path in found if path.exists()]


def _devices() -> list[str]:
    return [str(path) for name in _DEVICES for path in sorted(Path("/dev").glob(name))]


def _editable(environment: Environment) -> list[Path]:
    """Folders that installed packages put on the import path, by a ``.pth`` file or by a finder of setuptools."""
    found = []
    for site in map(Path, environment.folders):
        if site.name in _SITES and site.is_dir():
            for plain in sorted(site.glob("*.pth")):
                found += [line.strip() for line in plain.read_text(errors="replace").splitlines() if line[:1] == "/"]
            for finder in sorted(site.glob("__editable___*_finder.py")):
                places = re.findall(r": '(/[^']+)'", finder.read_text(errors="replace"))
                found += [os.path.dirname(place) for place in places]  # noqa: PTH120 a text of somebody else's
    return [Path(os.path.normpath(folder)) for folder in found]
