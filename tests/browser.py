# SPDX-License-Identifier: BSD-3-Clause
"""A headless Chromium, driven over the WebDriver protocol with nothing but the standard library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's key of an element's id
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "home": "\ue011", "end": "\ue010"}

needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed")


class Browser:
    """One window."""

    def __init__(self, port: int, width: int, height: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.session = ""
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
            "--disable-dev-shm-usage", f"--window-size={width},{height}",
        ]  # fmt: skip
        options = {"binary": CHROMIUM, "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + self.session + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, page: Path | str) -> None:
        """A file, or an address."""
        self.ask("POST", "/url", {"url": page if isinstance(page, str) else page.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """The value that ``script`` returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def wait(self, condition: str, seconds: float = 120) -> Any:
        """The value of a JavaScript expression, awaited, as soon as it is true; ``True`` for objects."""
        plain = "(value) => done(Object(value) === value && !Array.isArray(value) ? true : value)"
        script = f"const done = arguments[0]; (async () => {condition})().then({plain}, () => done(null))"
        end = time.monotonic() + seconds
        while True:
            value = self.ask("POST", "/execute/async", {"script": script, "args": []})
            if value or time.monotonic() > end:
                assert value, f"{condition} is not true after {seconds} seconds; {self.complaints()}"
                return value
            time.sleep(0.05)

    def upload(self, selector: str, path: Path) -> None:
        """Choose a file in an input."""
        found = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"/element/{found[ELEMENT]}/value", {"text": str(path.resolve())})

    def pointer(self, *actions: dict[str, Any], kind: str = "mouse", more: list[dict[str, Any]] | None = None) -> None:
        source = {"type": "pointer", "id": "first", "parameters": {"pointerType": kind}, "actions": list(actions)}
        second = {"type": "pointer", "id": "second", "parameters": {"pointerType": kind}, "actions": more or []}
        self.ask("POST", "/actions", {"actions": [source, second] if more else [source]})
        self.ask("DELETE", "/actions")

    def drag(self, start: tuple[float, float], stop: tuple[float, float], kind: str = "mouse") -> None:
        self.pointer(*drag(start, stop), kind=kind)

    def click(self, place: tuple[float, float]) -> None:
        self.drag(place, place)

    def wheel(self, place: tuple[float, float], by: int) -> None:
        turn = {"type": "scroll", "x": round(place[0]), "y": round(place[1]), "deltaX": 0, "deltaY": by, "duration": 50}
        self.ask("POST", "/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [turn]}]})

    def press(self, keys: str) -> None:
        """Type characters, or one of KEYS by its name."""
        actions = []
        for key in [KEYS[keys]] if keys in KEYS else keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))

    def complaints(self) -> list[str]:
        """Whatever the page wrote to the console, refused requests included."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]


def drag(start: tuple[float, float], stop: tuple[float, float]) -> list[dict[str, Any]]:
    """Actions of one pointer."""

    def move(place: tuple[float, float], duration: int) -> dict[str, Any]:
        return {"type": "pointerMove", "x": round(place[0]), "y": round(place[1]), "duration": duration}

    down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
    return [move(start, 0), down, move(stop, 80), up] if start != stop else [move(start, 0), down, up]


@contextlib.contextmanager
def browser(width: int = 1280, height: int = 860) -> Iterator[Browser]:
    """A browser for the length of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert DRIVER
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    opened: Browser | None = None
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        opened = Browser(port, width, height)
        yield opened
    finally:
        if opened is not None:
            with contextlib.suppress(Exception):
                opened.ask("DELETE", "")
        driver.terminate()
        driver.wait(10)
