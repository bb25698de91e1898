"""A PostgreSQL server of our own: a new cluster in a temporary folder, on a socket there, without a port.

PostgreSQL refuses to run as root; then its programs run as the user postgres, or nobody, who owns the folder. The
server is ended by its own process id, and the folder is deleted.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mintage.errors import RuntimeFailedError

__all__ = ["find_programs", "serve"]

USER = "mintage"
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 10
"""


def find_programs() -> Path | None:
    """The folder of the newest server's programs: on the PATH, or where Debian's packages put them."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    debian = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    folders += sorted(debian, key=lambda path: int(path.parent.name), reverse=True)
    needed = ("initdb", "pg_ctl", "postgres")
    return next((folder for folder in folders if all((folder / name).exists() for name in needed)), None)


@contextlib.contextmanager
def serve(programs: Path) -> Iterator[str]:
    """Start a server; gives what psycopg connects to. Raises RuntimeFailedError with the end of the log."""
    folder = Path(tempfile.mkdtemp(prefix="mintage-pg-"))
    account = _account()
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
        data, log = folder / "data", folder / "log.txt"
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        _run([programs / "initdb", "-D", data, *options], folder, account, log)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS.format(folder=folder))
        control = [programs / "pg_ctl", "-D", data, "-w", "-t", "60"]
        _run([*control, "-l", log, "start"], folder, account, log)
        try:
            yield f"host={folder} user={USER} dbname=postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder, account, log)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> dict[str, Any]:
    """Who runs the server, as subprocess takes it: nobody else, unless we are root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeFailedError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _run(command: list[Any], folder: Path, account: dict[str, Any], log: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}
    printed = folder / "printed.txt"
    try:
        with printed.open("wb") as out:  # a file: the server keeps it open, so a pipe would never end
            subprocess.run(
                [str(part) for part in command],
                **account,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=120,
                check=True,
                start_new_session=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        said = "".join(path.read_text(errors="replace") for path in (printed, log) if path.exists())
        raise RuntimeFailedError(
            "PostgreSQL's server did not start or end", found=f"{error}: {said[-800:].strip()}"
        ) from error
