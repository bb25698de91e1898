"""``.dvc/config``: where a DVC project keeps its objects. Read as data; ``.dvc/config.local`` counts too, as with DVC.

>>> text = "[core]\\n    remote = up\\n['remote \\"up\\"']\\n    url = s3://bucket/data\\n"
>>> config = parse_config([text])
>>> config.default, config.remotes
('up', {'up': 's3://bucket/data'})
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import FileMalformedError, ProjectNotFoundError, UnknownNameError
from mintage.repo.nearest import nearest_hint

__all__ = ["DvcConfig", "find_dvc", "object_folders", "parse_config", "read_config"]


@dataclass(frozen=True, kw_only=True)
class DvcConfig:
    """The cache folder (None: ``.dvc/cache``), the remotes' addresses by name, and which is the default."""

    cache: str | None
    remotes: Mapping[str, str]
    default: str | None


def find_dvc(start: Path) -> Path:
    """The folder of the DVC project around ``start``; raises ProjectNotFoundError."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / ".dvc").is_dir():
            return folder
    raise ProjectNotFoundError(
        "there is no DVC project here",
        expected="a folder .dvc in this folder or one above it",
        where=str(start),
        hint="go to the folder in which `dvc init` was run",
    )


def read_config(root: Path) -> DvcConfig:
    """The configuration of the DVC project at ``root``; an absent file is an empty one."""
    files = [root / ".dvc" / "config", root / ".dvc" / "config.local"]
    return parse_config([path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()])


def parse_config(texts: Sequence[str]) -> DvcConfig:
    """Texts of configuration files, later ones win; raises FileMalformedError."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        for text in texts:
            parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except configparser.Error as error:
        raise FileMalformedError("not a DVC configuration", found=str(error), where=".dvc/config") from error
    remotes = {}
    for section in parser.sections():
        kind, _, name = section.strip("'").partition(" ")
        if kind == "remote" and (url := _option(parser, section, "url")):
            remotes[name.strip('"')] = url
    return DvcConfig(cache=_option(parser, "cache", "dir"), remotes=remotes, default=_option(parser, "core", "remote"))


def _option(parser: configparser.RawConfigParser, section: str, name: str) -> str | None:
    return parser[section].get(name) or None if parser.has_section(section) else None


def object_folders(root: Path, config: DvcConfig, remote: str | None) -> tuple[list[Path], list[str]]:
    """Folders on this machine that hold the project's objects, nearest first, and notes on what is not read.

    ``remote`` names one instead of the default. Only folders are read in place: objects of a bucket or a server must be
    fetched with DVC first.
    """
    home = root / ".dvc"
    folders = [home / os.path.expanduser(config.cache) if config.cache else home / "cache"]  # noqa: PTH111
    chosen = remote or config.default
    if chosen is None:
        return folders, []
    if chosen not in config.remotes:
        raise UnknownNameError(
            f"DVC's configuration has no remote {chosen!r}",
            expected=", ".join(config.remotes) or "none configured",
            where=".dvc/config",
            hint=nearest_hint(chosen, config.remotes, otherwise="leave --remote out to read the cache alone"),
        )
    url = config.remotes[chosen]
    scheme, mark, rest = url.partition("://")
    if mark and scheme != "file":
        return folders, [
            f"remote {chosen} ({scheme}): only a folder is read in place; `dvc fetch --all-commits` brings its "
            "objects into the cache, then this command reads them there"
        ]
    folder = home / Path(rest if mark else url).expanduser()
    if not folder.is_dir():
        return folders, [f"remote {chosen}: its folder is not on this machine"]
    return [*folders, folder], []
