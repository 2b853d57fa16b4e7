"""A headless Chromium, driven through a pipe by the DevTools protocol: for the benchmark of the page, and for its tests.

No package is needed: `--remote-debugging-pipe` takes JSON, ended by a zero byte, on file descriptor 3 and answers on 4.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)

KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    " ": ("Space", 32, " "),
    "End": ("End", 35, ""),
    "Home": ("Home", 36, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}
"""Keys by name: their place on the keyboard, their number, and what they type."""


class Browser:
    """One page of a running browser."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._read = to, back, b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self.complaints: list[str] = []
        """Errors on the console, uncaught exceptions, and whatever the content security policy refused."""

    def start(self) -> None:
        """Opens the page that is driven."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout_s: float = 120, **parameters: Any) -> dict[str, Any]:
        """The answer to a command of the protocol."""
        number = next(self._numbers)
        asked: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while True:
            said = self._next(timeout_s)
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                found: dict[str, Any] = said["result"]
                return found
            self._note(said)

    def open(self, page: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> float:
        """Loads a page and waits until it has; returns how long that took in seconds."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        began = time.perf_counter()
        self.call("Page.navigate", url=page.absolute().as_uri())
        self.evaluate("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))")
        return time.perf_counter() - began

    def evaluate(self, script: str) -> Any:
        """What an expression gives in the page, promises awaited. The page's own policy does not bind what is evaluated here."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"].get("exception", {}).get("description", found["exceptionDetails"]["text"])))
        return found["result"].get("value")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Presses and lets go of a key, as a person does: what it does is left to the browser."""
        code, number, text = KEYS[key]
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 * shift}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **about, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def part(self, left: float, top: float, wide: float, high: float) -> bytes:
        """What a part of the window looks like, as PNG."""
        clip = {"x": left, "y": top, "width": wide, "height": high, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"])

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Writes what the page looks like, as PNG."""
        made = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(made["data"]))

    def printed(self, file: Path) -> None:
        """Writes the page as it prints, as PDF."""
        file.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"]))

    def _next(self, timeout_s: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            if not select.select([self._back], [], [], timeout_s)[0]:
                raise TimeoutError(f"the browser did not answer in {timeout_s:g} s")
            piece = os.read(self._back, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._read += piece
        line, _, self._read = self._read.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        return said

    def _note(self, said: dict[str, Any]) -> None:
        event, about = said.get("method"), said.get("params", {})
        if event == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"].get("exception", {}).get("description", about["exceptionDetails"]["text"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(one.get("value")) for one in about["args"]))
        elif event == "Network.requestWillBeSent" and not about["request"]["url"].startswith(("file:", "about:", "blob:", "data:")):
            self.complaints.append(f"a request to {about['request']['url']}")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser of its own, without any profile or network of the user's."""
    if PROGRAM is None:
        raise RuntimeError("there is no chromium on this machine")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()

    def place() -> None:
        # Out of the way first: one of them may be 3 or 4 itself.
        first, second = os.dup(theirs_in), os.dup(theirs_out)
        spare, other = os.dup(first), os.dup(second)
        os.dup2(spare, 3)
        os.dup2(other, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = ["--headless", "--disable-gpu", "--no-sandbox", "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            [PROGRAM, *words, "about:blank"],
            close_fds=False,
            preexec_fn=place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        made = Browser(ours_out, ours_in)
        try:
            made.start()
            yield made
        finally:
            os.close(ours_out)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(ours_in)
