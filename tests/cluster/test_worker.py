# SPDX-License-Identifier: BSD-3-Clause
"""What an actor does, without a cluster around it."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import calotype
from calotype.cli import app
from calotype.cluster import manifest
from calotype.cluster.listing import Listing, units
from calotype.cluster.order import Order
from calotype.cluster.store import Store
from calotype.cluster.worker import Tally, Worker
from tests.cluster.pictures import folder, opened, picture, shard

pa = pytest.importorskip("pyarrow", reason="calotype batch needs PyArrow, of pip install 'calotype[cluster]'")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("fsspec", reason="calotype batch needs fsspec, of pip install 'calotype[cluster]'")

SUFFIXES = frozenset([".png", ".jpg"])
LOSSLESS = Order("encode", {"codec": "lossless"})


def work(
    source: Path, target: Path, order: Order = LOSSLESS, column: str | None = None, suffix: str = ".calo",
    suffixes: frozenset[str] = SUFFIXES,
) -> tuple[Tally, list[dict[str, Any]]]:  # fmt: skip
    worker = Worker(order, str(source), str(target), 1, column, suffixes, suffix)
    total = Tally()
    for unit in units(iter(Listing(Store(str(source)), suffixes, suffix))):
        total.add(worker.do(unit))
    place = Store(str(target))
    return total, [row for part in manifest.parts(place) for row in manifest.read(place, part)]


def test_files_are_those_of_encode(tmp_path: Path) -> None:
    folder(tmp_path / "in", 2, side=40)
    order = Order("encode", {"codec": "talbot", "quality": 30.0})
    tally, rows = work(tmp_path / "in", tmp_path / "out", order)
    arguments = ["encode", str(tmp_path / "in"), "-o", str(tmp_path / "other"), "--quality", "30", "-q"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (tally.done, tally.failed) == (2, 0)
    for row in rows:
        made = (tmp_path / "out" / row["output"]).read_bytes()
        assert made == (tmp_path / "other" / row["output"]).read_bytes()
        assert row["bytes"] == len(made) and row["output_hash"] == hashlib.blake2b(made, digest_size=16).hexdigest()
        source = (tmp_path / "in" / row["source"]).read_bytes()
        assert row["hash"] == hashlib.blake2b(source, digest_size=16).hexdigest() and row["size"] == len(source)
        assert (row["width"], row["height"], row["error"], row["settings"]) == (43, 40, None, order.settings)


def test_a_bad_picture_is_a_row(tmp_path: Path) -> None:
    folder(tmp_path / "in", 3)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    (tmp_path / "in" / "empty.png").write_bytes(b"")
    tally, rows = work(tmp_path / "in", tmp_path / "out")
    assert (tally.done, tally.failed) == (3, 2) and len(rows) == 5
    errors = {row["source"]: row["error"] for row in rows if row["error"]}
    assert errors == {
        "bad.png": "cannot read the picture: not a picture in a known format",
        "empty.png": "it is empty: no bytes at all",
    }
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix == ".tmp"]


def test_a_picture_that_is_gone_is_a_row(tmp_path: Path) -> None:
    folder(tmp_path / "in", 2)
    listing = list(units(iter(Listing(Store(str(tmp_path / "in")), SUFFIXES, ".calo"))))
    (tmp_path / "in/a/0000.png").unlink()
    worker = Worker(LOSSLESS, str(tmp_path / "in"), str(tmp_path / "out"), 1, None, SUFFIXES, ".calo")
    tally = worker.do(listing[0])
    assert (tally.done, tally.failed) == (1, 1) and "no such file" in tally.errors[0][1]


def test_a_score_on_request(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/large.png").write_bytes(picture(1, 240))
    (tmp_path / "in/small.png").write_bytes(picture(1, 10))
    rows = work(tmp_path / "in", tmp_path / "out", Order("encode", {"codec": "lossless"}, score=True))[1]
    assert {row["source"]: row["ssimulacra2"] for row in rows} == {"large.png": 100.0, "small.png": None}


def test_there_and_back(tmp_path: Path) -> None:
    folder(tmp_path / "in", 2)
    work(tmp_path / "in", tmp_path / "small")
    order = Order("decode", format="PNG")
    tally, _ = work(tmp_path / "small", tmp_path / "back", order, suffix=".png", suffixes=frozenset([".calo"]))
    assert tally.done == 2
    assert calotype.encode(opened((tmp_path / "back/b/0001.png").read_bytes()), lossless=True) == calotype.encode(
        opened((tmp_path / "in/b/0001.png").read_bytes()), lossless=True
    )


def test_a_shard_keeps_its_captions(tmp_path: Path) -> None:
    members = {
        "s/0001.png": picture(1), "s/0001.txt": b"one", "0002.png": b"bad", "0002.json": b"{}",
        "0003.png": picture(3), "0003.jpg": picture(4), "0004.seg.png": picture(5),
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    shard(tmp_path / "in/0.tar", members)
    tally, rows = work(tmp_path / "in", tmp_path / "out")
    with tarfile.open(tmp_path / "out/0.tar") as tar:
        made = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert list(made) == [
        "s/0001.calo", "s/0001.txt", "0002.json", "0003.png.calo", "0003.jpg.calo", "0004.seg.calo",
    ]  # fmt: skip
    assert made["s/0001.calo"] == calotype.encode(opened(members["s/0001.png"]), lossless=True)
    assert made["s/0001.txt"] == b"one"
    assert (tally.done, tally.failed) == (4, 1)
    assert [row["member"] for row in rows if row["error"]] == ["0002.png"]
    whole = [row for row in rows if not row["member"]]
    assert len(rows) == 6 and whole[0]["bytes"] == (tmp_path / "out/0.tar").stat().st_size


def test_a_shard_made_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = shard(
        tmp_path / "in/0.tar", {"./1.png": picture(1), "./1.txt": b"one", "./2.png": picture(2), "./2.calo": b"2"}
    )
    with tarfile.open(path, "a") as tar:
        for name, kind in (("./3.png", tarfile.LNKTYPE), ("./4.txt", tarfile.SYMTYPE), ("./5", tarfile.DIRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "./1.png"
            tar.addfile(member)
    tally, rows = work(tmp_path / "in", tmp_path / "out")
    with tarfile.open(tmp_path / "out/0.tar") as tar:
        assert tar.getnames() == ["./1.calo", "./1.txt", "./2.png.calo", "./2.calo"]  # keys stay, and nothing is lost
    assert (tally.done, tally.failed) == (2, 2)
    assert [row["member"] for row in rows if "it is a link" in (row["error"] or "")] == ["./3.png", "./4.txt"]


def test_a_shard_that_is_cut_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = shard(tmp_path / "in/0.tar", {f"{n}.png": picture(n) for n in range(9)})
    path.write_bytes(path.read_bytes()[:5000])
    tally, rows = work(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out/0.tar").exists()
    assert len(rows) == 1 and "not a tar that can be read to its end" in rows[0]["error"] and tally.failed == 1


def test_a_table_keeps_its_columns(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cells = [{"bytes": picture(1), "path": "x/1.png"}, None, {"bytes": b"bad", "path": "2.png"}]
    table = pa.table({"label": [1, 2, 3], "image": cells, "other": [b"a", b"b", b"c"]})
    table = table.replace_schema_metadata({"huggingface": "{}"})
    pq.write_table(table, tmp_path / "in/t.parquet")
    tally, rows = work(tmp_path / "in", tmp_path / "out")
    made = pq.read_table(tmp_path / "out/t.parquet", partitioning=None)
    assert made.schema.metadata[b"huggingface"] == b"{}" and made["label"].to_pylist() == [1, 2, 3]
    first, *rest = made["image"].to_pylist()
    assert first == {"bytes": calotype.encode(opened(picture(1)), lossless=True), "path": "x/1.calo"}
    assert rest == [None, None] and (tally.done, tally.failed) == (1, 1) and len(rows) == 3
    tally, rows = work(tmp_path / "in", tmp_path / "second", column="other")
    assert tally.failed == 3 and tally.done == 0
    tally, rows = work(tmp_path / "in", tmp_path / "third", column="none")
    assert "no column 'none' that holds files; it has: label, image, other" in rows[0]["error"]
