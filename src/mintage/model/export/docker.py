"""The export for containers: a Dockerfile, and all that an image of the served model is built from.

The image verifies the model by the key that signed it and replays its golden rows each time it starts. Requirements are
those of ``mintage[serve]`` with hashes, Mintage itself is a wheel of the one that runs. See docs/spec/export-docker.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import yaml

from mintage.attest.keys import PublicKey
from mintage.attest.oms import parse_model_signature
from mintage.attest.resources import SIGNATURE_FILE
from mintage.errors import RefusedError, RootMismatchError
from mintage.model.export.docker_file import Instruction, render
from mintage.model.export.docker_name import dns_name
from mintage.model.export.docker_wheel import own_wheel
from mintage.model.export.golden_json import example_row, resource, template_text
from mintage.model.package import Package
from mintage.record.names import check_name

__all__ = ["EXPORT", "PORT", "Docker", "example_request", "model_folder", "signed_by"]

PORT = 8080
BASE = "python:3.12-slim"
TOKEN = "/run/secrets/mintage-token"
_FOLDER = "docker_files"
_USER = "10001:10001"
_PROBE = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/v2/health/ready', timeout=3)"


class Docker:
    """The export ``docker``."""

    name = "docker"
    about = "whoever runs containers: a Dockerfile, Compose, the signed model and a test"

    def files(self, package: Package) -> Mapping[str, bytes]:
        model = check_name(package.signature.model, what="model")
        key = signed_by(package)
        wheel, data = own_wheel()
        readme = template_text(
            resource(_FOLDER, "README.md.txt").decode(),
            model=model,
            root=package.root,
            key=key.key_id,
            image=f"mintage-{dns_name(model)}",
            port=str(PORT),
            base=BASE,
            wheel=wheel,
            rows=str(len(package.golden.values)),
        )
        return {
            ".dockerignore": _ignore(wheel).encode(),
            "Dockerfile": _dockerfile(package, key, wheel).encode(),
            "README.md": readme.encode(),
            "compose.yaml": _compose(model).encode(),
            "example.json": example_request(package),
            "requirements.txt": resource(_FOLDER, "requirements.txt"),
            "smoke_test.py": resource(_FOLDER, "smoke_test.py.txt"),
            "trust.pem": key.pem,
            wheel: data,
            **model_folder(package),
        }


def signed_by(package: Package) -> PublicKey:
    """The key that proved the model; raises RefusedError if none did."""
    if package.key is None:
        raise RefusedError(
            "the model was not proven by a key, so an image could not prove it either",
            where=str(package.folder),
            hint="say whose signature counts: --trust PUBKEY.pem",
        )
    return package.key


def example_request(package: Package) -> bytes:
    """A golden row as a request of the Open Inference Protocol."""
    row = json.loads(example_row(package))
    inputs = [
        {"name": item.name, "datatype": item.datatype, "shape": [1], "data": [row[item.name]]}
        for item in package.signature.inputs
    ]
    return (json.dumps({"inputs": inputs}, indent=2) + "\n").encode()


def model_folder(package: Package) -> Mapping[str, bytes]:
    """The signed folder as ``model/``; its signature must still be that of the opened model."""
    path = package.folder / SIGNATURE_FILE
    data = path.read_bytes()
    found = parse_model_signature(data, where=str(path))[1]
    if found != package.root:
        raise RootMismatchError(
            "the folder was changed meanwhile", expected=package.root, found=found, where=str(package.folder)
        )
    return {f"model/{name}": content for name, content in {**package.files, SIGNATURE_FILE: data}.items()}


def _dockerfile(package: Package, key: PublicKey, wheel: str) -> str:
    pip = ("python", "-m", "pip", "install", "--no-cache-dir", "--root-user-action=ignore")
    instructions: list[Instruction] = [
        ("ARG", f"BASE={BASE}"),
        ("FROM", "${BASE}"),
        ("LABEL", _labels(package, key)),
        ("ENV", "PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1"),
        ("WORKDIR", "/srv/mintage"),
        ("COPY", ["requirements.txt", wheel, "./"]),
        ("RUN", [*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", "requirements.txt"]),
        ("RUN", [*pip, "--no-deps", "--no-index", f"./{wheel}"]),
        ("COPY", ["trust.pem", "./"]),
        ("COPY", ["model/", "model/"]),
        ("USER", _USER),
        ("EXPOSE", str(PORT)),
        ("HEALTHCHECK", f"--interval=10s --timeout=5s --start-period=30s CMD {json.dumps(['python', '-c', _PROBE])}"),
        ("#", "It verifies the model by trust.pem, replays its golden rows, then answers to callers with a token."),
        ("ENTRYPOINT", ["mintage", "serve"]),
        ("CMD", ["model", "--trust", "trust.pem", "--host", "0.0.0.0", "--port", str(PORT), "--token-file", TOKEN]),
    ]
    return render(instructions)


def _labels(package: Package, key: PublicKey) -> dict[str, str]:
    """Annotations of the OCI image specification, and what proves the model."""
    model = package.signature.model
    labels = {
        "org.opencontainers.image.title": model,
        "org.opencontainers.image.description": f"The model {model}, served over the Open Inference Protocol v2",
        "org.opencontainers.image.version": package.root,
        "mintage.model.root": package.root,
        "mintage.model.key": key.key_id,
    }
    facts = package.card.get("facts")
    commit = facts.get("commit") if isinstance(facts, dict) else None
    if isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        labels["org.opencontainers.image.revision"] = commit
    return labels


def _compose(model: str) -> str:
    service = {
        "build": ".",
        "image": f"mintage-{dns_name(model)}",
        "ports": [f"127.0.0.1:{PORT}:{PORT}"],
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "secrets": ["mintage-token"],
        "restart": "unless-stopped",
    }
    secrets = {"mintage-token": {"file": "./token.txt"}}
    text: str = yaml.safe_dump({"services": {"model": service}, "secrets": secrets}, sort_keys=False)
    return text


def _ignore(wheel: str) -> str:
    """Only what the Dockerfile copies goes to the builder; a token above all does not."""
    return "".join(f"{line}\n" for line in ("*", "!requirements.txt", f"!{wheel}", "!trust.pem", "!model"))


EXPORT = Docker()
