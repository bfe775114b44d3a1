# SPDX-License-Identifier: BSD-3-Clause
"""``calotype batch`` on the cluster that it starts itself, which is started once for all of these tests."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import calotype
from calotype.cli import app
from calotype.cluster.session import QUIET, cluster
from calotype.errors import CalotypeError
from tests.cluster.busy import skip_if_busy
from tests.cluster.pictures import folder, opened, picture

if find_spec("ray") is None:  # not imported before there are settings for it
    pytest.skip("calotype batch needs Ray, of pip install 'calotype[cluster]'", allow_module_level=True)
pq = pytest.importorskip("pyarrow.parquet", reason="calotype batch needs PyArrow, of pip install 'calotype[cluster]'")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """URL of an object store on this machine; empty without the packages. It is there before Ray, which inherits it."""
    try:
        import s3fs  # noqa: F401
        from moto.server import ThreadedMotoServer
    except ImportError:
        yield ""
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield "s3://lake"
    server.stop()


@pytest.fixture(scope="module")
def ray(store: str) -> Iterator[Any]:
    skip_if_busy()
    try:
        context = cluster(None, 1)
        started = context.__enter__()
    except CalotypeError as error:  # a machine so busy that Ray gives up waiting for its own parts
        pytest.skip(f"Ray did not start: {error}")
    yield started
    context.__exit__(None, None, None)


def batch(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, sums, and what is said."""
    result = CliRunner().invoke(app, ["batch", *map(str, arguments), "--json", "--actors", "1", "--codec", "lossless"])
    return result.exit_code, json.loads(result.stdout) if result.stdout.strip() else {}, result.stderr


def test_a_run_goes_on_where_it_stopped(ray: Any, tmp_path: Path) -> None:
    folder(tmp_path / "in", 8)
    (tmp_path / "in/bad.png").write_bytes(b"no")
    code, sums, said = batch(tmp_path / "in", tmp_path / "out")
    assert (code, sums["done"], sums["failed"], sums["skipped"]) == (1, 8, 1, 0)
    assert "bad.png: cannot read the picture" in said and "1 not encoded; their errors are in" in said
    assert len(list((tmp_path / "out").rglob("*.calo"))) == 8
    (tmp_path / "in/bad.png").write_bytes(picture(99))
    (tmp_path / "in/b/0001.png").write_bytes(picture(98))
    (tmp_path / "out/a/0000.calo").unlink()
    code, sums, said = batch(tmp_path / "in", tmp_path / "out")
    assert (code, sums["done"], sums["failed"], sums["skipped"]) == (0, 3, 0, 6)
    rows = pq.read_table(tmp_path / "out/_manifest").to_pylist()
    assert len(rows) == len({row["source"] for row in rows}) == 9 and {row["error"] for row in rows} == {None}
    assert sum(row["run"] == 2 for row in rows) == 3
    assert "9 up to date" in batch(tmp_path / "in", tmp_path / "out")[2]


def test_nothing_leaves_the_machine(ray: Any) -> None:
    from ray._common.usage import usage_lib

    assert {name: os.environ.get(name) for name in QUIET} == QUIET and not usage_lib.usage_stats_enabled()
    reached = set(connections())
    if reached or Path("/proc/net/tcp").exists():
        assert reached and not [there for here, there in reached if there != here]


def connections() -> Iterator[tuple[str, str]]:
    """Both ends of each connection that this process and those below it have, on Linux."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            below.setdefault(
                int(stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1]), []
            ).append(int(stat.parent.name))
        except OSError:
            continue  # it has ended
    family = [os.getpid()]
    for process in family:
        family += below.get(process, [])
    sockets = set()
    for process in family:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                sockets.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text(encoding="ascii", errors="replace").splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[9] in sockets and fields[3] == "01":  # established
                here, there = (address(field.partition(":")[0]) for field in fields[1:3])
                yield here, there


def address(digits: str) -> str:
    """An address as Linux writes it, in words of this machine's byte order."""
    packed = bytes.fromhex(digits)
    found = ip_address(b"".join(packed[i : i + 4][::-1] for i in range(0, len(packed), 4)))
    return str(getattr(found, "ipv4_mapped", None) or found)


def test_an_object_store(ray: Any, store: str) -> None:
    if not store:
        pytest.skip("the object store is tested with the packages s3fs and moto[server]")
    import s3fs

    files = s3fs.S3FileSystem(use_listings_cache=False)
    files.mkdir("lake")
    for number in range(4):
        files.pipe_file(f"lake/raw/a/{number}.png", picture(number))
    code, sums, said = batch(f"{store}/raw", f"{store}/small")
    assert (code, sums["done"], sums["failed"]) == (0, 4, 0), said
    names = sorted(name for name in files.find("lake/small") if name.endswith(".calo"))
    assert names == [f"lake/small/a/{number}.calo" for number in range(4)]
    assert files.cat_file("lake/small/a/1.calo") == calotype.encode(opened(picture(1)), lossless=True)
    files.pipe_file("lake/raw/a/1.png", picture(7))
    code, sums, said = batch(f"{store}/raw", f"{store}/small")
    assert (code, sums["done"], sums["skipped"]) == (0, 1, 3), said


def test_a_destination_that_is_not_a_batch_stays(ray: Any, tmp_path: Path) -> None:
    folder(tmp_path / "in", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.calo").write_bytes(b"1")
    code, _, said = batch(tmp_path / "in", tmp_path / "out")
    assert code == 1 and "holds files, and no account of a batch" in said
    code, _, said = batch(tmp_path / "in", tmp_path / "in")
    assert code == 1 and "not a folder of its own" in said
    code, _, said = batch(tmp_path / "none", tmp_path / "new")
    assert code == 1 and "there is no such file or folder" in said
    code, _, said = batch(tmp_path / "in", tmp_path / "out/mine.calo/new")
    assert code == 1 and "a part of this path is a file, not a folder" in said  # as an actor said
    (tmp_path / "in/a/0000.png").unlink()
    (tmp_path / "in/b/0001.png").rename(tmp_path / "in/b/0001.txt")
    code, _, said = batch(tmp_path / "in", tmp_path / "new")
    assert code == 1 and "no pictures in" in said and "1 .txt" in said
