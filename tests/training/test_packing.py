# SPDX-License-Identifier: BSD-3-Clause
"""Photographs travel in archives of a largest size, and come back byte for byte."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from calotype.training import packing


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for name, size in (("a/1.jpg", 9000), ("a/2.jpg", 400), ("b.webp", 20_000), ("c.avif", 15_000)):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(rng.bytes(size))
    (tmp_path / "photos" / "README.md").write_text("no photograph", encoding="utf-8")
    return tmp_path / "photos"


def test_they_come_back(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed, back = tmp_path / "packed", tmp_path / "back"
    assert packing.main(["pack", str(photos), str(packed), "--megabytes", "0.031"]) == 0
    archives = sorted(packed.iterdir())
    assert len(archives) == 3 and all(a.stat().st_size <= 31_000 for a in archives)
    assert packing.main(["unpack", str(packed), str(back)]) == 0
    assert capsys.readouterr().out.endswith(f"4 photographs in {back}\n")
    for file in packing.find_pictures(photos):
        assert (back / file.relative_to(photos)).read_bytes() == file.read_bytes()
    again = tmp_path / "again"
    packing.pack(back, again, 31_000)
    assert [a.read_bytes() for a in sorted(again.iterdir())] == [a.read_bytes() for a in archives]  # repeatable


def test_what_does_not_work_is_said(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "packed"
    assert packing.main(["pack", str(photos), str(packed), "--megabytes", "0.0205"]) == 1
    assert "b.webp does not fit" in capsys.readouterr().err and not packed.exists()
    assert packing.main(["unpack", str(photos), str(tmp_path / "back")]) == 1
    assert "no archives" in capsys.readouterr().err
    packing.pack(photos, packed, 10**6)
    with pytest.raises(packing.CalotypeError, match="holds archives"):
        packing.pack(photos, packed, 10**6)
    with pytest.raises(packing.CalotypeError, match="not empty"):
        packing.unpack(packed, photos)
    (packed / "photos-001.tar").write_bytes(b"no archive")
    with pytest.raises(packing.CalotypeError, match=r"photos-001\.tar cannot be unpacked"):
        packing.unpack(packed, tmp_path / "back")


def test_nothing_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "a.tar", "w") as tar:
        info = tarfile.TarInfo("../outside.jpg")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    with pytest.raises(packing.CalotypeError, match="outside"):
        packing.unpack(tmp_path / "packed", tmp_path / "photos")
    assert not (tmp_path / "outside.jpg").exists()
