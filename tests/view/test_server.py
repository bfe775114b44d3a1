# SPDX-License-Identifier: BSD-3-Clause
"""The album's server: what it serves, and whom it refuses."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype.cli import app
from calotype.engine import bundles
from calotype.errors import PictureError
from calotype.view import assets
from calotype.view.album import Album
from calotype.view.server import Server
from tests.make_golden import GOLDEN

pytestmark = pytest.mark.usefixtures("golden_weights")
NAME = "a b#?" if os.name == "posix" else "a b#%"  # what has to be quoted in addresses, and may be in names
QUOTED = quote(NAME)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An album, and a secret beside it."""
    album = tmp_path / "album"
    (album / "more").mkdir(parents=True)
    (album / ".hidden").mkdir()
    (album / ".hidden" / "x.calo").write_bytes(b"x")
    shutil.copy(GOLDEN / "colour.calo", album / f"{NAME}.calo")
    shutil.copy(GOLDEN / "grey.calo", album / "more" / "grey.calo")
    shutil.copy(GOLDEN / "toderici2017.calo", album / "more" / "layers.calo")
    Image.new("RGB", (100, 70)).save(album / f"{NAME}.png")
    (album / "broken.calo").write_bytes(b"nothing of the kind")
    (album / "notes.txt").write_text("private", encoding="utf-8")
    (tmp_path / "secret.calo").write_text("secret", encoding="utf-8")
    with contextlib.suppress(OSError):  # Windows lets few people make links
        (album / "link.calo").symlink_to(tmp_path / "secret.calo")
    return album


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server(Album(folder), 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": f"127.0.0.1:{server.server_port}", **named})
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def test_it_lists_what_is_there(server: Server) -> None:
    status, content, _ = ask(server, "/album.json")
    listing = json.loads(content)
    assert status == 200 and listing["name"] == "album"
    entries = {entry["path"]: entry for entry in listing["entries"]}
    names = [name for name in entries if name != "link.calo"]
    assert names == [f"{NAME}.calo", "broken.calo", "more/grey.calo", "more/layers.calo"]
    first = entries[f"{NAME}.calo"]
    assert (first["width"], first["height"], first["quality"], first["original"]) == (100, 70, 60, f"{NAME}.png")
    assert "not a .calo file" in entries["broken.calo"]["problem"]
    assert entries["more/layers.calo"]["codec"] == "toderici2017"


def test_it_serves_pictures_pages_and_weights(server: Server) -> None:
    status, content, headers = ask(server, f"/files/{QUOTED}.calo")
    assert (status, headers["Content-Type"]) == (200, "image/x-calotype")
    assert content == (GOLDEN / "colour.calo").read_bytes()
    assert ask(server, f"/files/{QUOTED}.png")[2]["Content-Type"] == "image/png"
    status, content, headers = ask(server, "/decoded/more/layers.calo")
    assert status == 200 and content.startswith(b"\x89PNG")
    assert ask(server, "/decoded/broken.calo")[0] == 422
    for path in ("/", "/src/index.js", "/src/engine.wasm", "/demo/style.css", "/demo/album.js"):
        assert ask(server, path)[0] == 200, path
    assert "wasm-unsafe-eval" in ask(server, "/")[2]["Content-Security-Policy"]

    tag = json.loads(ask(server, "/weights/index.json")[1])["small"]
    bundle = bundles.find("talbot", name="small")
    sums = ask(server, f"/weights/{tag}/SHA256SUMS")[1]
    assert hashlib.sha256(sums).hexdigest() == bundle.hash and tag == bundle.hash[:8]
    status, content, headers = ask(server, f"/weights/{tag}/g_s.onnx")
    assert f"g_s.onnx {hashlib.sha256(content).hexdigest()}\n".encode() in sums
    assert "immutable" in headers["Cache-Control"]
    status, content, headers = ask(server, "/album.json", "HEAD")
    assert (status, content) == (200, b"") and int(headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret.calo", "/files/%2e%2e/secret.calo", "/files/..%2fsecret.calo", "/files//etc/passwd",
        "/files/link.calo", "/files/notes.txt", "/files/.hidden/x.calo", "/files/more", "/files/", "/files/%00.calo",
        "/files/none.calo", "/files/%ff.calo", "/src/../../pyproject.toml", "/src/%2e%2e/package.json", "/package.json",
        "/weights/00000000/g_s.onnx", "/weights/../../secret.calo", "/tests/local.js", f"/decoded/{QUOTED}.png",
    ],
)  # fmt: skip
def test_it_serves_nothing_else(path: str, server: Server) -> None:
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Host": ""}, {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_it_answers_this_machine_and_its_own_pages_alone(headers: dict[str, str], server: Server) -> None:
    assert ask(server, "/album.json", **headers)[0] == 403
    own = {"Host": f"localhost:{server.server_port}", "Origin": f"http://localhost:{server.server_port}"}
    assert ask(server, "/album.json", **own, Sec_Fetch_Site="same-origin")[0] == 200


def test_it_is_read_only(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/album.json", method)[0] == 501


def test_one_file_is_an_album_too(folder: Path) -> None:
    album = Album(folder / "more" / "grey.calo")
    assert [item.path for item in album.items()] == ["grey.calo"]
    assert album.find("grey.calo") == folder / "more" / "grey.calo"
    with pytest.raises(PictureError, match="no file or folder"):
        Album(folder / "none")


def test_the_original_of_a_whole_name_is_found(folder: Path) -> None:
    for name in ("x.png", "x.jpg", "x.png.png"):
        (folder / name).write_bytes(b"1")
    for name in ("x.png.calo", "x.jpg.calo", "x.calo"):
        shutil.copy(GOLDEN / "grey.calo", folder / name)
    originals = {item.path: item.original for item in Album(folder).items()}
    assert (originals["x.png.calo"], originals["x.jpg.calo"], originals["x.calo"]) == ("x.png", "x.jpg", "x.png")


def test_what_cannot_be_shown_says_why(folder: Path) -> None:
    if os.name != "posix":
        pytest.skip("names and kinds of files of POSIX")
    os.mkfifo(folder / "pipe.calo")
    shutil.copy(GOLDEN / "grey.calo", folder / "back\\slash.calo")
    with contextlib.suppress(OSError):  # some file systems take UTF-8 alone
        shutil.copy(GOLDEN / "grey.calo", os.fsencode(folder) + b"/latin\xe9.calo")
    found = {item.path: item.problem for item in Album(folder).items()}
    assert found["pipe.calo"] == "it is not a file"
    assert "outside of the album" in str(found["link.calo"])
    assert "not UTF-8" in found.get("latin\N{REPLACEMENT CHARACTER}.calo", "not UTF-8")  # type: ignore[operator]
    album = Album(folder)
    assert all(album.find(path) for path, problem in found.items() if problem is None)
    assert "back\\slash.calo" in found


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_the_command(folder: Path) -> None:
    command = [sys.executable, "-m", "calotype", "view", str(folder), "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = process.stderr.readline()
            assert "http://127.0.0.1:" in line
            port = int(line.split("127.0.0.1:")[1].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/")
            assert b"album.js" in connection.getresponse().read()
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert time.monotonic() - began < 10
        finally:
            process.kill()  # or the test would wait for one that goes on


def test_a_site_can_be_written_again_but_not_over_something_else(tmp_path: Path) -> None:
    site = tmp_path / "site"
    assets.export(site)
    assets.export(site)
    assert (site / "demo" / "index.html").exists() and (site / "weights" / "index.json").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PictureError, match="not empty"):
        assets.export(other)
    result = CliRunner().invoke(app, ["view", "--site", str(other / "thesis.txt")])
    assert result.exit_code == 1
    assert "".join(result.stderr.split()) == f"calotype:{other / 'thesis.txt'}:notadirectory"
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
