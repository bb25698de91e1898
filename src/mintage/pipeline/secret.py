"""Which names and texts look secret, and masking them. Pure, but for ``mask_file``.

Nothing here proves that a value is harmless: it is the care of a colleague who looks over your shoulder.

>>> is_secret_name("db.password"), is_secret_name("API_KEY"), is_secret_name("max_tokens"), is_secret_name("pad_token")
(True, True, False, False)
>>> masked(b"Authorization: hunter2hunter2", secret_values({"API_TOKEN": "hunter2hunter2", "REGION": "eu-central"}))
b'Authorization: ***'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = [
    "MASK",
    "holds_private_key",
    "is_secret_name",
    "looks_secret",
    "mask_file",
    "masked",
    "secret_names",
    "secret_values",
]

MASK = b"***"
_SHORTEST = 6
_FILE = re.compile(
    r"(^|/)(\.env(\..*)?|\.netrc|\.pgpass|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|jks)|"
    r"(credentials|secrets?|service[-_]account.*)(\.(json|ya?ml|toml|ini|txt))?)$",
    re.IGNORECASE,
)
_FILE_LINE = re.compile(_FILE.pattern.replace("(^|/)", "^", 1), re.IGNORECASE | re.MULTILINE)
"""The same for one of several names, a line each."""
_NAME = re.compile(
    r"(^|[-_.:])(pass(word|wd|phrase|code)?|pwd|secrets?|credentials?|dsn|"
    r"(api|access|auth|bearer|session|refresh|secret|private|account)[-_]?(key|token|secret)s?|key[-_]?id)($|[-_.])",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"(^|_)(.*(PASS|PWD|SECRET|TOKEN|CREDENTIAL|AUTH|DSN).*|.*KEY(_ID)?)$", re.IGNORECASE)
_IN_URL = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


def looks_secret(path: str) -> bool:
    """Whether a file's name is one that passwords and keys are kept under.

    >>> looks_secret("conf/.env"), looks_secret("keys.csv"), looks_secret("server.key")
    (True, False, True)
    """
    return _FILE.search(path) is not None


def secret_names(names: Sequence[str]) -> list[str]:
    """Those names of files that look secret. Each stage asks for all of the project, so one search looks whether there
    are any.

    >>> secret_names(["a.csv", ".env", "data.txt"]), secret_names(["a.csv", "data.txt"])
    (['.env'], [])
    """
    return [name for name in names if looks_secret(name)] if _FILE_LINE.search("\n".join(names)) else []


def is_secret_name(name: str) -> bool:
    """Whether what is kept under a name of a configuration or an option looks secret."""
    return _NAME.search(name) is not None


def holds_private_key(text: bytes) -> bool:
    """Whether a text has a private key in it, as the files of cloud accounts do."""
    return b"PRIVATE KEY-----" in text


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """Values to mask: of variables whose name looks secret, and passwords within addresses; the longest first."""
    from urllib.parse import quote

    found = {value for name, value in variables.items() if _VARIABLE.search(name)}
    found |= {match[1] for value in variables.values() for match in _IN_URL.finditer(value)}
    found |= {line.strip() for value in found for line in value.splitlines()}
    found |= {quote(value, safe="") for value in found}
    return sorted((value for value in found if len(value) >= _SHORTEST), key=lambda value: (-len(value), value))


def masked(text: bytes, secrets: list[str]) -> bytes:
    """``text`` without any of ``secrets``."""
    for value in secrets:
        text = text.replace(value.encode(), MASK)
    return text


def mask_file(path: Path, secrets: list[str]) -> None:
    """Take ``secrets`` out of a log; line by line, since it may be long."""
    if not secrets or not path.is_file():
        return
    temporary = path.with_name(f"{path.name}.masked")
    with path.open("rb") as reader, temporary.open("wb") as writer:
        for line in reader:
            writer.write(masked(line, secrets))
    temporary.replace(path)
