"""Seal a page: it carries its signed statements and checks them itself, in a browser, without network.

``seal_page`` adds to a rendered page the certificate's bundle, a signed statement about the page, the public key, and a
script that checks all three with WebCrypto and turns the page red if one byte that a reader sees was changed. It shows
accidents and clumsy forgeries. Who changes the script too, or signs with a key of their own, deceives who does not
compare the key: what counts is the certificate, and ``mintage verify``. See docs/spec/page.md.

>>> page_digest("<p  class=a>one\\n two</p>") == page_digest('<p class="a">one two</p>')
True
>>> page_digest("<p>one</p>") == page_digest("<p>two</p>")
False
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

from cryptography.hazmat.primitives import serialization

from mintage.attest.keys import Signer
from mintage.attest.seal import seal
from mintage.attest.statement import Statement, Subject
from mintage.record.digest import sha256_bytes

__all__ = ["PAGE_TYPE", "page_digest", "seal_page"]

PAGE_TYPE = "https://mintage.dev/page/v0"
_BLANK = re.compile(r"[ \t\n\r\f]")
_MARKS = re.compile(r"[\x01-\x03]")
_LEFT_OUT = ("seal", "seal-data")
_STYLE = (
    "#seal { padding: .6rem 1.5rem; font-size: .9rem; color: var(--muted); background: var(--heat-0); }"
    " #seal.good { color: var(--good); background: var(--good-soft); }"
    " #seal.attention { color: var(--attention); background: var(--attention-soft); }"
    " #seal.bad { color: #fff; background: #b00020; font-weight: 700; font-size: 1.1rem; }"
    " html.changed body { background: #ffd6d6; outline: 10px solid #b00020; outline-offset: -10px; color: #400; }"
)
_BANNER = (
    '<div id="seal">This page checks its own signature where scripts may run; mintage verify checks it anywhere.</div>'
)


def seal_page(page: str, *, name: str, certificate: bytes, signer: Signer) -> str:
    """The sealed page. ``name`` is its file's, ``certificate`` the certificate's bundle as it was signed."""
    code = files("mintage.report").joinpath("templates", "seal.js").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    page = page.replace("default-src 'none';", f"default-src 'none'; script-src 'sha256-{allowed}';", 1)
    page = page.replace("</head>", f"<style>{_STYLE}</style>\n</head>", 1)
    page = page.replace("<body>", f"<body>\n{_BANNER}", 1)
    hole = '<script type="application/json" id="seal-data"></script>'
    page = page.replace("</body>", f"{hole}\n<script>{code}</script>\n</body>", 1)
    statement = Statement(
        subjects=(Subject(name=name, digest={"sha256": page_digest(page)}),),
        predicate_type=PAGE_TYPE,
        predicate={"kind": "page", "version": 0, "certificate": sha256_bytes(certificate)},
    )
    der = serialization.load_pem_public_key(signer.public_pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    carried = {
        "certificate": certificate.decode(),
        "page": seal(statement, signer).decode(),
        "key": base64.b64encode(der).decode(),
    }
    data = json.dumps(carried).replace("<", "\\u003c")
    return page.replace(hole, hole.replace("></", f">{data}</", 1), 1)


def page_digest(page: str) -> str:
    """SHA-256 (hex) of what a reader sees: elements with their attributes, and texts without white space, in order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return hashlib.sha256("".join(reader.parts).encode()).hexdigest()


class _Reader(HTMLParser):
    """Writes the same as ``parts`` of seal.js does from the browser's own tree."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.left_out: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.left_out is not None:
            return
        self.parts.append(f"\x01{tag}")
        if dict(attrs).get("id") in _LEFT_OUT:
            self.left_out = tag
            return
        for name, value in sorted(attrs):
            self.parts.append(f"\x02{name}\x03{_MARKS.sub('?', value or '')}")
        self.parts.append("\x02")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.left_out:
            self.left_out = None

    def handle_data(self, data: str) -> None:
        if self.left_out is None:
            self.parts.append(_BLANK.sub("", _MARKS.sub("?", data)))
