"""A headless Chromium that is told what to do through a pipe: width, colours, scripts in the page, pictures.

It speaks the browser's DevTools protocol over two file descriptors, so no port is opened and nothing is installed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mintage.model.runtimes.chromium import FLAGS, find_chromium

__all__ = ["Page", "open_browser"]


class Page:
    """One page; ``problems`` are errors and refusals of the content security policy that it reported."""

    def __init__(self, to: Any, back: Any) -> None:
        self._to, self._back, self._number, self._session = to, back, 0, None
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found
                result: dict[str, Any] = found["result"]
                return result

    def open(self, url: str, *, width: int, height: int = 900, is_dark: bool = False) -> None:
        """Go to an address and wait until it is loaded."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of an expression; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression of the page is true, as often as the page is drawn; gives its value."""
        look = f"const look = () => {{ const found = ({expression}); found ? done(found) : setTimeout(look, 20); }};"
        return self.ask(f"new Promise((done) => {{ {look} look(); }})")

    def type(self, place: str, text: str) -> None:
        """Put a text into the field that a CSS selector finds, as a person does."""
        self.ask(f"(e => {{ e.focus(); e.select(); }})(document.querySelector({json.dumps(place)}))")
        self.call("Input.insertText", text=text)

    def picture(self, path: Path, *, is_whole: bool = True) -> None:
        """Write a picture of the page as PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def _next(self) -> dict[str, Any]:
        data = bytearray()
        while (sign := self._back.read(1)) != b"\0":
            assert sign, "the browser ended"
            data += sign
        found: dict[str, Any] = json.loads(data)
        if found.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(found["params"]["exceptionDetails"]))
        if found.get("method") == "Log.entryAdded" and found["params"]["entry"]["source"] == "security":
            self.problems.append(found["params"]["entry"]["text"])
        return found


@contextlib.contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """A browser with one page, gone with all of its processes at the end; skips where there is no Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()
    command = f'exec 3<&{to_read} 4>&{back_write}; exec "$0" "$@"'
    flags = [*FLAGS, "--remote-debugging-pipe", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "chromium.txt").open("wb") as talk:
        process = subprocess.Popen(
            ["bash", "-c", command, program, *flags],
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            env={**os.environ, "HOME": str(folder)},
            pass_fds=(to_read, back_write),
            start_new_session=True,
        )
    os.close(to_read)
    os.close(back_write)
    with os.fdopen(to_write, "wb") as to, os.fdopen(back_read, "rb") as back:
        try:
            yield Page(to, back)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
