"""``mintage export MODEL --to PLATFORM``: what a developer on that platform needs, with an example and its test."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from mintage.cli.console import emit, emit_json, human_size, say, table
from mintage.cli.model_target import find_model
from mintage.errors import RefusedError
from mintage.model.export.registry import known_exports
from mintage.record.digest import short
from mintage.record.manifest import safe_path
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    exports = known_exports()
    parser.add_argument("model", help="a model of mintage.yaml, or a model's folder")
    parser.add_argument(
        "--to",
        required=True,
        choices=list(exports),
        help="; ".join(f"{name}: {exporter.about}" for name, exporter in exports.items()),
    )
    parser.add_argument("--out", metavar="FOLDER", help="where to (default: MODEL-PLATFORM here)")
    parser.add_argument(
        "--trust",
        metavar="PUBKEY.pem",
        type=Path,
        help="the key that must have signed it (docker needs it for a folder)",
    )
    parser.add_argument("--force", action="store_true", help="replace the folder if it is there")


def run(arguments: argparse.Namespace) -> int:
    target = find_model(arguments.model, trust=arguments.trust)
    package = target.package
    out = Path(arguments.out or f"{package.signature.model}-{arguments.to}")
    files = known_exports()[arguments.to].files(package)
    if out.exists():
        if not arguments.force:
            raise RefusedError(
                f"{out} is there already", where=str(out), hint="name another folder with --out, or say --force"
            )
        _remove(out)
    for name, data in sorted(files.items()):
        publish_bytes(out / safe_path(name), data)
    if arguments.json:
        emit_json(
            {
                "model": package.signature.model,
                "root": package.root,
                "to": arguments.to,
                "folder": str(out),
                "files": {name: len(data) for name, data in sorted(files.items())},
            }
        )
        return 0
    emit(f"{package.signature.model} {short(package.root)} for {arguments.to} in {out}/")
    emit(table([(name, human_size(len(data))) for name, data in sorted(files.items())], indent="  "))
    say(f"Start with {out / 'README.md'}")
    return 0


def _remove(out: Path) -> None:
    """A folder of an earlier export, and nothing else."""
    if out.is_symlink() or not out.is_dir() or not (out / "README.md").is_file():
        raise RefusedError(
            f"{out} is not an earlier export",
            expected="a folder with a README.md",
            hint="name another folder with --out",
        )
    shutil.rmtree(out)
