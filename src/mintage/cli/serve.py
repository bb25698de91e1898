"""``mintage serve MODEL``: serve one signed model in the foreground, without a project; what a container runs."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import logging
import sys
import tempfile
from pathlib import Path

import msgspec

from mintage.cli.console import emit, say
from mintage.cli.model_target import ModelTarget, find_model
from mintage.database.connection import transaction
from mintage.errors import UsageError
from mintage.model.package import Package
from mintage.record.digest import short
from mintage.serve.desired import Desired, Placement, Target
from mintage.serve.gateway import Fixed
from mintage.serve.gateway import run as run_gateway
from mintage.serve.routes import Route, load_route, prove
from mintage.serve.tokens import read_tokens

__all__ = ["configure", "run"]

_FLUSH_S = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model's folder, or a model of mintage.yaml")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", default=8080, type=_port, metavar="N", help="port to listen on; 0 takes a free one (default: 8080)"
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="tokens, one a line; callers must send one. Needed to listen on anything but loopback",
    )
    parser.add_argument("--trust", metavar="PUBKEY.pem", type=Path, help="the public key that must have signed it")
    parser.add_argument(
        "--state", metavar="FOLDER", type=Path, help="keep the prediction log here (default: predictions are not kept)"
    )


def run(arguments: argparse.Namespace) -> int:
    tokens = read_tokens(arguments.token_file) if arguments.token_file is not None else None
    state = _state_folder(arguments.state)
    target = find_model(_followed(arguments.model), trust=arguments.trust)
    route, desired = _loaded(target.package)
    _say_what_was_checked(target.package, is_logged=state is not None)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("mintage.serve").setLevel(logging.INFO)

    def listening(url: str) -> None:
        if arguments.json:
            found = {"url": url, "model": route.model, "root": target.package.root, "key": target.package.key_id}
            emit(msgspec.json.encode(found).decode())
        else:
            emit(url)
        sys.stdout.flush()

    fixed = Fixed(desired=desired, routes={route.model: route}, is_logged=state is not None, on_listening=listening)
    with contextlib.ExitStack() as stack:
        envdir = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mintage-serve-")))
        _enter(target, arguments)
        run_gateway(envdir, arguments.host, arguments.port, flush_s=_FLUSH_S, tokens=tokens, fixed=fixed)
    return 0


def _loaded(package: Package) -> tuple[Route, Desired]:
    """The route for the bytes that were verified, and the desired state that says the same."""
    served = prove(package)
    placement = Placement(champion=Target(root=package.root, folder=str(package.folder.absolute())))
    model = package.signature.model
    now = datetime.datetime.now(datetime.UTC)
    route = load_route(model, placement, now=now, current=Route(model=model, champion=served))
    return route, Desired(generation=1, models={model: placement})


def _followed(text: str) -> str:
    """The folder that a link leads to, one step at a time: KServe links to a folder below /proc/PID/root, and what
    ``Path.resolve`` makes of that is a path of this file system."""
    path = Path(text)
    for _ in range(40):
        if not (path.is_symlink() and path.is_dir()):
            break
        path = path.parent / path.readlink()
    return text if path == Path(text) else str(path)


def _say_what_was_checked(package: Package, *, is_logged: bool) -> None:
    name = f"{package.signature.model} {short(package.root)}"
    rows = len(package.golden.values)
    if package.key_id is None:
        say(f"warning: {name}: only digests were checked, which shows accidents but not attacks; give --trust")
    else:
        say(f"{name}: signed by key {short(package.key_id)}")
    say(f"{rows} golden rows give what they must; predictions are {'kept in the log' if is_logged else 'not kept'}")


def _state_folder(folder: Path | None) -> Path | None:
    """The folder for the log; never one of a project's environments, which `mintage reconcile` writes."""
    if folder is None:
        return None
    if ".mintage" in folder.resolve().parts:
        raise UsageError(
            "the state of a project's environment is not this command's",
            expected="a folder outside .mintage",
            found=str(folder),
            hint="`mintage reconcile` serves an environment",
        )
    return folder.resolve()


def _enter(target: ModelTarget, arguments: argparse.Namespace) -> None:
    """A model of a project is entered in its audit log before it is served."""
    if target.context is None:
        return
    target.context.open_audit_log()
    with transaction(target.context.connection):
        details = {"root": target.package.root, "host": arguments.host, "port": arguments.port}
        target.context.record_access("model.serve", target.package.signature.model, details)
    target.context.close()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return int(text)
