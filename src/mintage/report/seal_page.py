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
from collections.abc import Iterable
from html.parser import HTMLParser
from importlib.resources import files

import msgspec
from cryptography.hazmat.primitives import serialization

from mintage.attest.keys import PublicKey, Signer
from mintage.attest.seal import open_sealed, seal
from mintage.attest.statement import Statement, Subject
from mintage.errors import PageTamperedError, StatementInvalidError
from mintage.record.digest import sha256_bytes

__all__ = ["PAGE_TYPE", "Carried", "carried_by", "check_page", "page_digest", "seal_page"]

PAGE_TYPE = "https://mintage.dev/page/v1"
_READ = (PAGE_TYPE, "https://mintage.dev/page/v0")
_BLANK = re.compile(r"[ \t\n\r\f]")
_MARKS = re.compile(r"[\x01-\x03]")
_CARRIED = re.compile(rb'<script type="application/json" id="seal-data">(.*?)</script>', re.DOTALL)
_LEFT_OUT = ("seal", "seal-data")
_STYLE = (
    "#seal { padding: .6rem 1.5rem; font-size: .9rem; color: var(--muted); background: var(--heat-0); }"
    " #seal.good { color: var(--good); background: var(--good-soft); }"
    " #seal.attention { color: var(--attention); background: var(--attention-soft); }"
    " #seal.bad { color: #fff; background: #b00020; font-weight: 700; font-size: 1.1rem; }"
    " html.changed body { background: #ffd6d6; outline: 10px solid #b00020; outline-offset: -10px; color: #400; }"
)
_SAID = "This page checks its own signature where scripts may run; mintage verify checks it anywhere."
_BANNER = f'<div id="seal">{_SAID}</div>'


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """The two signed bundles that a page carries: the certificate, and what is said of the page. Nothing is proven."""

    certificate: bytes
    page: bytes


def carried_by(data: bytes, *, where: str) -> Carried:
    """What a sealed page carries; raises PageTamperedError if it is none."""
    found = _CARRIED.findall(data)
    try:
        if len(found) != 1:
            raise ValueError(f"{len(found)} seals in it")
        value = json.loads(found[0])
        return Carried(certificate=value["certificate"].encode(), page=value["page"].encode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PageTamperedError(
            "this is not a sealed page",
            expected="a page that `mintage certify` wrote, with its one seal",
            found=str(error)[:200],
            where=where,
            hint="get it again from where it was made, or verify the certificate itself",
        ) from None


def check_page(data: bytes, keys: Iterable[PublicKey], *, where: str) -> None:
    """Raise unless one of ``keys`` signed this page as it is, and the certificate that it carries.

    PageTamperedError says that the page was changed; SignatureInvalidError that no such key signed its seal.
    """
    carried = carried_by(data, where=where)
    statement = open_sealed(carried.page, keys, where=f"seal of {where}").statement
    if statement.predicate_type not in _READ:
        raise StatementInvalidError(
            "the seal is not about a page", expected=PAGE_TYPE, found=statement.predicate_type, where=where
        )
    signed = str(statement.subjects[0].digest.get("sha256"))
    reader = _read(data.decode(errors="replace"))
    found = reader.digest()
    if found != signed or not reader.hides_nothing():
        raise PageTamperedError(
            "the page was changed after it was sealed",
            expected=f"sha256:{signed}",
            found=f"sha256:{found}",
            where=where,
            hint="do not believe what it says; get it again from where it was made",
        )
    named = str(statement.predicate.get("certificate"))
    if named != sha256_bytes(carried.certificate):
        raise PageTamperedError(
            "the page carries another certificate than it was sealed with",
            expected=named,
            found=sha256_bytes(carried.certificate),
            where=where,
            hint="do not believe what it says; get it again from where it was made",
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
        predicate={"kind": "page", "version": 1, "certificate": sha256_bytes(certificate)},
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
    return _read(page).digest()


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Writes the same as ``parts`` of seal.js does from the browser's own tree, and keeps what is left out of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.left_out: str | None = None
        self.hidden: list[tuple[str, list[tuple[str, str | None]], list[str]]] = []

    def digest(self) -> str:
        """SHA-256 (hex) of what was read."""
        return hashlib.sha256("".join(self.parts).encode()).hexdigest()

    def hides_nothing(self) -> bool:
        """Whether the parts that do not count are the bar as it was written, and the data: nobody reads more there."""
        bar = ("div", [("id", "seal")], [_SAID])
        data = [(tag, attrs) for tag, attrs, _ in self.hidden[1:]]
        return self.hidden[:1] == [bar] and data == [("script", [("type", "application/json"), ("id", "seal-data")])]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.left_out is not None:
            self.hidden[-1][2].append(f"\x01{tag}")
            return
        self.parts.append(f"\x01{tag}")
        if dict(attrs).get("id") in _LEFT_OUT:
            self.left_out = tag
            self.hidden.append((tag, attrs, []))
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
        else:
            self.hidden[-1][2].append(data)
