"""Exports for containers in a folder, and a Dockerfile read by rules of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from serve_tasks import build_task_model

from mintage.model.package import open_package

TOKEN = "a-token-for-tests-0123456789"


def signed_package(task, folder, signer):
    """A hand-made model of the task, proven by the key of the signer."""
    build_task_model(task, folder, signer)
    return open_package(folder, keys=[signer.public])


def write_files(files, folder):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def parse_dockerfile(text):
    """(name, arguments) of each instruction: words of the exec form, pairs of LABEL, else the text."""
    found = []
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        assert name in {
            *("ARG", "FROM", "LABEL", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK"),
            *("ENTRYPOINT", "CMD"),
        }, line
        found.append((name, labels_of(rest) if name == "LABEL" else json.loads(rest) if rest[0] == "[" else rest))
    return found


def labels_of(text):
    """Pairs of quoted words, as Docker reads them: a backslash keeps what follows, a dollar would be replaced."""
    words, at = [], 0
    while at < len(text):
        assert text[at] == '"', text
        word, at = "", at + 1
        while text[at] != '"':
            assert text[at] != "$", "a variable"
            if text[at] == "\\":
                at += 1
            word, at = word + text[at], at + 1
        words.append(word)
        at += 1
        assert text[at : at + 1] in ("=", " ", "")
        at += 1
    return dict(zip(words[::2], words[1::2], strict=True))


def smoke_test(folder, url, *more):
    """The export's own test against a server; exit code and what it printed. It runs without any package."""
    done = subprocess.run(
        [sys.executable, "-I", "smoke_test.py", url, *map(str, more)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout
