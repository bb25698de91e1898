"""The sealed page: it finds itself unchanged in a real browser, and turns red when a byte of it is changed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from report_views import make_certificate

from mintage.attest.keys import FileSigner, PublicKey
from mintage.attest.seal import open_sealed, seal
from mintage.attest.statement import Statement, Subject
from mintage.errors import PageTamperedError, SignatureInvalidError
from mintage.record.digest import sha256_bytes
from mintage.report import render_certificate
from mintage.report.seal_page import PAGE_TYPE, check_page, page_digest, seal_page

FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync --dump-dom"
WAIT = "--virtual-time-budget=10000"


def certificate_of(signer: FileSigner) -> bytes:
    subject = Subject(name="late", digest={"sha256": "0" * 64})
    statement = Statement(
        subjects=(subject,), predicate_type="https://mintage.dev/certificate/v0", predicate={"verdict": "FAIL"}
    )
    return seal(statement, signer)


def sealed_by(folder: Path) -> tuple[str, FileSigner]:
    signer = FileSigner.create(folder / "key.pem", name="ana")
    page = render_certificate(make_certificate())
    return seal_page(page, name="certificate.html", certificate=certificate_of(signer), signer=signer), signer


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, FileSigner]:
    return sealed_by(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def banner(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, str]]:
    """Open a page in Chromium; gives class and text of its banner, once the page has checked itself."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")

    def open_page(text: str) -> tuple[str, str]:
        folder = tmp_path_factory.mktemp("browser")
        (folder / "page.html").write_text(text, encoding="utf-8")
        command = [program, *FLAGS.split(), WAIT, f"--user-data-dir={folder / 'p'}", (folder / "page.html").as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        found = re.search(r'<div id="seal"([^>]*)>(.*?)</div>', dom, re.DOTALL)
        assert found, dom[:500]
        tone = re.search(r'class="(\w+)"', found[1])
        return (tone[1] if tone else "none"), found[2]

    return open_page


def carried(page: str) -> dict[str, str]:
    found = re.search(r'id="seal-data">(.*?)</script>', page, re.DOTALL)
    assert found
    value: dict[str, str] = json.loads(found[1])
    return value


def test_page_carries_the_certificate_as_it_was_signed_and_a_statement_about_itself(
    sealed: tuple[str, FileSigner],
) -> None:
    page, signer = sealed
    data = carried(page)
    assert data["certificate"].encode() == certificate_of(signer)
    statement = open_sealed(data["page"].encode(), [signer.public]).statement
    assert statement.predicate_type == PAGE_TYPE
    assert statement.subjects[0].digest == {"sha256": page_digest(page)}
    assert statement.predicate["certificate"] == sha256_bytes(data["certificate"].encode())


def test_digest_changes_with_every_part_that_a_reader_sees_and_not_with_white_space(
    sealed: tuple[str, FileSigner],
) -> None:
    page, _ = sealed
    whole = page_digest(page)
    for old, new in ((">PASS", ">FAIL"), ('class="pill good"', 'class="pill bad"'), (' d="M', ' d="L'), ("0.6", "0.7")):
        assert old in page
        assert page_digest(page.replace(old, new, 1)) != whole
    assert page_digest(page.replace("\n<", "\n\n  <")) == whole
    assert page_digest(page.replace("</section>", "<p>and more</p></section>", 1)) != whole


def test_only_the_pages_own_script_may_run(sealed: tuple[str, FileSigner]) -> None:
    page, _ = sealed
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}';", policy[1])
    assert "default-src 'none'" in policy[1] and "connect-src" not in policy[1]
    assert not re.search(r"<script[^>]*\ssrc", page)


@pytest.mark.slow
def test_untouched_page_says_so_in_a_browser_and_names_its_key(
    sealed: tuple[str, FileSigner], banner: Callable[[str], tuple[str, str]]
) -> None:
    page, signer = sealed
    tone, text = banner(page)
    assert tone == "good"
    assert text.startswith("✓ Unchanged since it was signed.") and signer.key_id in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" PASS</span>", " PASS.</span>"),
        ('class="pill good"', 'class="pill bad"'),
        (' d="M', ' d="m'),
        ("</h1>", " at once</h1>"),
        ("--good-soft", "--good-sofa"),
        ("default-src 'none'; ", "default-src 'self'; "),
        ("</footer>", '</footer><div id="seal">Unchanged since it was signed.</div>'),
        ('<div id="seal">', '<div id="seal" style="display: none">gone</div><div hidden>'),
    ],
)
def test_page_turns_red_when_a_byte_is_changed(
    sealed: tuple[str, FileSigner], banner: Callable[[str], tuple[str, str]], old: str, new: str
) -> None:
    page, _ = sealed
    assert old in page
    tone, text = banner(page.replace(old, new, 1))
    assert tone == "bad"
    assert text.startswith("✕ This page was changed after it was signed")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["certificate", "page", "key"])
def test_page_turns_red_with_another_certificate_statement_or_key(
    sealed: tuple[str, FileSigner], banner: Callable[[str], tuple[str, str]], part: str, tmp_path: Path
) -> None:
    page, _ = sealed
    other, _ = sealed_by(tmp_path)
    data = carried(page)
    mixed = {**data, part: carried(other)[part]}
    assert mixed != data
    swapped = page.replace(json.dumps(data).replace("<", "\\u003c"), json.dumps(mixed).replace("<", "\\u003c"), 1)
    assert swapped != page
    tone, text = banner(swapped)
    assert (tone, "a signature does not fit" in text) == ("bad", True)


def checked(page: str, signer: FileSigner) -> None:
    check_page(page.encode(), [PublicKey.from_pem(signer.public_pem)], where="certificate.html")


def test_page_as_it_was_sealed_is_proven_without_a_browser(sealed: tuple[str, FileSigner]) -> None:
    checked(*sealed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("late", "early"),
        ('<div id="seal">This page', '<div id="seal">PASS. This page'),
        ('<div id="seal">', '<div id="seal" id="x">'),
        ("<body>", '<body><div class="a" id="seal">It passed.</div>'),
        ("</body>", '<script type="application/json" id="seal-data">{}</script></body>'),
        ('id="seal-data">', 'id="seal-date">'),
        ('<div id="seal">', '<!-- <div id="seal"> -->'),
    ],
)
def test_page_that_was_changed_is_told_without_a_browser(sealed: tuple[str, FileSigner], old: str, new: str) -> None:
    page, signer = sealed
    assert page.count(old) >= 1
    with pytest.raises(PageTamperedError):
        checked(page.replace(old, new, 1), signer)


def test_page_with_another_certificate_or_by_another_key_is_told_without_a_browser(
    sealed: tuple[str, FileSigner], tmp_path: Path
) -> None:
    page, signer = sealed
    other, stranger = sealed_by(tmp_path)
    value = carried(page) | {"certificate": carried(other)["certificate"]}
    data = json.dumps(value).replace("<", "\\u003c")
    swapped = re.sub(r'(id="seal-data">).*?(</script>)', lambda m: m[1] + data + m[2], page, count=1, flags=re.DOTALL)
    with pytest.raises(PageTamperedError, match="another certificate"):
        checked(swapped, signer)
    with pytest.raises(SignatureInvalidError):
        checked(page, stranger)
