"""``mintage serve [MODEL]``: serve one signed model in the foreground, with a page to try it; what a container runs."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import logging
import shlex
import sys
import tempfile
from pathlib import Path

import msgspec

from mintage.cli.console import emit, say
from mintage.cli.model_target import ModelTarget, find_model
from mintage.cli.standing import proof_of, standing_of
from mintage.database.connection import transaction
from mintage.errors import UsageError
from mintage.model.package import Package
from mintage.record.digest import short
from mintage.serve.desired import Desired, Placement, Target
from mintage.serve.gateway import Fixed
from mintage.serve.gateway import run as run_gateway
from mintage.serve.routes import Route, load_route, prove
from mintage.serve.tokens import read_tokens
from mintage.serve.trial import Trial, example_row

__all__ = ["configure", "run"]

_FLUSH_S = 10.0
_PORT, _SPARE_PORTS = 8080, 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", help="a model of mintage.yaml, or a model's folder (default: the project's only model)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="port to listen on; 0 takes a free one (default: 8080, or if that is taken the next free one)",
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
    named = None if arguments.model is None else _followed(arguments.model)
    target = find_model(named, trust=arguments.trust)
    route, desired = _loaded(target.package)
    trial = _trial(target, is_logged=state is not None)
    _say_what_is_served(target, trial)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)
    if target.context is None:  # in a container the log is all that one sees
        logging.getLogger("mintage.serve").setLevel(logging.INFO)

    def listening(url: str) -> None:
        if arguments.json:
            found = {"url": url, "model": route.model, "root": target.package.root, "key": target.package.key_id}
            emit(msgspec.json.encode(found | {"verdict": trial.standing.verdict}).decode())
        else:
            emit(url)
        sys.stdout.flush()
        _say_how_to_ask(url, trial, wanted=arguments.port, has_tokens=tokens is not None)

    fixed = Fixed(
        desired=desired,
        routes={route.model: route},
        is_logged=state is not None,
        on_listening=listening,
        spare_ports=_SPARE_PORTS if arguments.port is None else 0,
        trial=trial,
    )
    port = _PORT if arguments.port is None else arguments.port
    with contextlib.ExitStack() as stack:
        envdir = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mintage-serve-")))
        _enter(target, arguments.host, port)
        run_gateway(envdir, arguments.host, port, flush_s=_FLUSH_S, tokens=tokens, fixed=fixed)
    say("ended")
    return 0


def _trial(target: ModelTarget, *, is_logged: bool) -> Trial:
    """What the page says of the model."""
    package = target.package
    return Trial(
        model=package.signature.model,
        place="A trial on this machine, not a release" if target.context else "Served from its folder",
        purpose=str(package.card.get("purpose", "")),
        proof=proof_of(package),
        standing=standing_of(target),
        example=example_row(package.golden, package.signature),
        is_logged=is_logged,
    )


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


def _say_what_is_served(target: ModelTarget, trial: Trial) -> None:
    """What was checked, how far it is certified, and that this is no release."""
    package = target.package
    name = f"{trial.model} {short(package.root)}"
    if package.key_id is None:
        say(f"warning: {name}: only digests were checked, which shows accidents but not attacks; give --trust")
    else:
        say(f"{name}: {trial.proof}")
    say(f"{len(package.golden.values)} golden rows give what they must; predictions are {_kept(trial)}")
    verdict, sentence = trial.standing.verdict, trial.standing.sentence
    if verdict == "FAIL":
        say(f"warning: certified FAIL: {sentence}")
    elif verdict is not None:
        say(f"certified {verdict}: {sentence}")
    elif target.context is not None:
        say(sentence)
    if target.context is not None:
        say(f"this is a trial, not a release: `mintage release {trial.model} --to ENVIRONMENT` makes one")


def _kept(trial: Trial) -> str:
    return "kept in the log" if trial.is_logged else "not kept"


def _say_how_to_ask(url: str, trial: Trial, *, wanted: int | None, has_tokens: bool) -> None:
    """The page, and a line for a shell that gets an answer."""
    if wanted is None and not url.endswith(f":{_PORT}"):
        say(f"port {_PORT} is taken, so it is {url.rpartition(':')[2]}")
    if not has_tokens:
        say(f"a page to try it: {url}/")
    token = " -H 'authorization: Bearer TOKEN'" if has_tokens else ""
    row = shlex.quote(json.dumps(trial.example, ensure_ascii=False))
    say(f"curl -s{token} -H 'content-type: application/json' -d {row} {url}/predict/{trial.model}")
    say("Ctrl-C ends it")


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


def _enter(target: ModelTarget, host: str, port: int) -> None:
    """A model of a project is entered in its audit log before it is served."""
    if target.context is None:
        return
    target.context.open_audit_log()
    with transaction(target.context.connection):
        details = {"root": target.package.root, "host": host, "port": port}
        target.context.record_access("model.serve", target.package.signature.model, details)
    target.context.close()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return int(text)
