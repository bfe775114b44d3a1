# SPDX-License-Identifier: BSD-3-Clause
"""docs/web.md: a site as it says, behind nginx configured as it says."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "web.md").read_text(encoding="utf-8")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands of the page make."""
    monkeypatch.chdir(tmp_path)
    x, y = np.meshgrid(np.arange(96), np.arange(64))
    Image.fromarray(np.stack([2 * x, 3 * y, x + y], 2).astype(np.uint8)).save("photo.png")
    section = PAGE.partition("## Put pictures on a web site")[2]
    commands = re.search(r"```console\n(.*?)```", section, re.S)
    assert commands
    for line in commands[1].splitlines():
        result = CliRunner().invoke(app, line.removeprefix("$ calotype ").split())
        assert result.exit_code == 0, (line, result.output)
    Image.open("photo.png").save("public/photo.jpg")
    return tmp_path / "public"


@contextlib.contextmanager
def nginx(folder: Path, public: Path) -> Iterator[int]:
    """Port of nginx with the configuration of the page."""
    assert NGINX
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    block = re.search(r"```nginx\n(.*?)```", PAGE, re.S)
    assert block
    written = block[1].replace("root public;", f"root {public};").replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"user root; daemon off; pid {folder}/pid; events {{}} http {{ access_log off; {paths} {written} }}",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], stderr=subprocess.PIPE
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        else:
            process.terminate()
            raise AssertionError(process.communicate()[1])
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_nginx_serves_the_site_as_the_page_says(public: Path, tmp_path: Path) -> None:
    if not NGINX:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    tag = next(path.name for path in (public / "weights").iterdir() if path.is_dir())
    with nginx(tmp_path, public) as port:

        def ask(path: str, accept: str) -> tuple[int, str, str, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            kind, cache = answer.headers.get("Content-Type", ""), answer.headers.get("Cache-Control", "")
            return answer.status, kind, cache, answer.read()

        status, kind, _, content = ask("/photo.calo", "image/avif,image/webp,image/*,*/*;q=0.8")
        assert (status, kind, content[:2]) == (200, "image/jpeg", b"\xff\xd8")
        for accept in ("image/x-calotype", "*/*"):
            status, kind, _, content = ask("/photo.calo", accept)
            assert (status, kind) == (200, "image/x-calotype")
            assert content == (public / "photo.calo").read_bytes()
        assert ask("/src/engine.wasm", "*/*")[1] == "application/wasm"
        assert ask("/src/index.js", "*/*")[1:3] == ("text/javascript", "no-cache")
        status, _, cache, content = ask(f"/weights/{tag}/SHA256SUMS", "*/*")
        assert status == 200 and "immutable" in cache and b"g_s.onnx" in content


def test_its_elements_and_functions_are_there(public: Path) -> None:
    for address in re.findall(r'(?:src|from|register\w*\()\s*[=(]?\s*["\'](/[\w./-]+\.js)', PAGE):
        assert (public / address.lstrip("/")).exists(), address
    types = (public / "src" / "index.d.ts").read_text(encoding="utf-8")
    for name in re.findall(r"^\| `(\w+)\(", PAGE, re.M):
        assert f"export function {name}(" in types, name
