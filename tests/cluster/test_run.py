# SPDX-License-Identifier: BSD-3-Clause
"""What a run says before any cluster is needed."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from calotype.cli import app
from calotype.cluster import manifest, run, store
from calotype.cluster.listing import Listing, Piece, digest
from calotype.cluster.order import Order
from calotype.errors import CalotypeError


def batch(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["batch", *arguments])
    return result.exit_code, result.stderr


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store, "find_spec", lambda name: None)
    code, said = batch(str(tmp_path), str(tmp_path / "out"))
    assert code == 1 and "pip install 'calotype[cluster]'" in said and "ray, pyarrow, fsspec" in said


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("fsspec")
    (tmp_path / "in/in/in").mkdir(parents=True)
    (tmp_path / "alias").symlink_to("in")
    files = [tmp_path / name for name in ("in/a.png", "in/in/in/a.png", "in/b.tar")]
    for file in files:
        file.write_bytes(b"as it was")
    for source, destination in (("in", "alias"), ("in/b.tar", "in"), ("in/b.tar", "alias"), ("in/in", "in")):
        arguments = (str(tmp_path / source), str(tmp_path / destination), "--do", "upscale", "--overwrite")
        code, said = batch(*arguments)
        assert code == 1 and "name another" in " ".join(said.split()), (source, destination, said)
    assert all(file.read_bytes() == b"as it was" for file in files)


def test_folders_that_cannot_be_listed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "fsspec", "pyarrow"):
        pytest.importorskip(name)
    (tmp_path / "in/closed").mkdir(parents=True)
    listed = store.Store._list

    def refusing(self: store.Store, folder: str, ignored: Counter[str]) -> tuple[list[str], list[store.Stored]]:
        if folder == "closed":
            raise CalotypeError("permission denied")
        return listed(self, folder, ignored)

    monkeypatch.setattr(store.Store, "_list", refusing)
    code, said = batch(str(tmp_path / "in"), str(tmp_path / "out"))
    assert code == 1 and "calotype: closed: permission denied" in said and "no pictures" not in said


def test_an_interrupted_overwrite_goes_on_without_it(tmp_path: Path) -> None:
    for name in ("fsspec", "pyarrow"):
        pytest.importorskip(name)
    old, new = (Order("encode", {"quality": quality}) for quality in (40, 60))
    place = store.Store(str(tmp_path))
    for name, made in (("a", old), ("b", old), ("a", new)):
        place.write(f"{name}.calo", b"12345")
        piece = Piece(name, f"{name}.calo", 10, "1")
        rows = [manifest.row(piece, bytes=5, settings=made.settings, run=1 if made is old else 2)]
        manifest.write(place, f"{name}-{made is new}", rows)
    work = run.Work("source", str(tmp_path), new, frozenset([".png"]), ".calo")
    assert run._account(work, place).run == 3
    with pytest.raises(CalotypeError, match=r"made with other settings, .*60.*, and not with .*40"):
        run._account(replace(work, order=old), place)


def test_a_run_that_was_interrupted_before_its_first_unit_goes_on(tmp_path: Path) -> None:
    for name in ("fsspec", "pyarrow"):
        pytest.importorskip(name)
    place = store.Store(str(tmp_path))
    place.write("a.calo", b"12345")
    work = run.Work("source", str(tmp_path), Order("encode"), frozenset([".png"]), ".calo")
    with pytest.raises(CalotypeError, match="no account of a batch"):
        run._account(work, place)
    manifest.begin(place)
    assert (run._account(work, place).run, run._account(work, place).settings) == (1, None)


def test_outputs_do_not_meet_where_the_destination_ignores_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fsspec", "pyarrow"):
        pytest.importorskip(name)
    (tmp_path / "probe").touch()
    place = store.Store(str(tmp_path / "new/out"))
    assert place.ignores_case() is (tmp_path / "PROBE").exists() and not (tmp_path / "new").exists()
    work = run.Work("in", place.url, Order("encode"), frozenset([".png"]), ".calo")
    listing = Listing(store.Store(str(tmp_path)), work.suffixes, work.suffix)
    pieces = [("", Piece(name, name, 1, "1")) for name in ("a.calo", "A.calo", "B/a.calo", "b/a.calo", "c.calo")]
    monkeypatch.setattr(Listing, "__iter__", lambda self: iter(pieces))
    account = manifest.Account()
    assert len(list(run._todo(work, listing, place, account, run.Totals()))) == 5 or place.ignores_case()
    monkeypatch.setattr(store.Store, "ignores_case", lambda self: True)
    listing.problems.clear()
    todo = [item.output for _, item in run._todo(work, listing, place, account, run.Totals())]
    assert todo == ["a.calo", "B/a.calo", "c.calo"] and [name for name, _ in listing.problems] == ["A.calo", "b/a.calo"]


def test_the_output_of_another_file_stays(tmp_path: Path) -> None:
    for name in ("fsspec", "pyarrow"):
        pytest.importorskip(name)
    place, order = store.Store(str(tmp_path / "out")), Order("encode")
    place.write("a.calo", b"12345")
    manifest.write(place, "part", [manifest.row(Piece("a.png", "a.calo", 1, "1"), bytes=5, settings="", run=1)])
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"1")
    work = run.Work(str(tmp_path / "in"), place.url, order, frozenset([".jpg", ".png"]), ".calo")
    account = manifest.load(place, {digest("a.calo"): 5})
    listing = Listing(store.Store(work.source), work.suffixes, work.suffix)
    assert list(run._todo(work, listing, place, account, run.Totals())) == []
    assert [(name, "made from another file" in message) for name, message in listing.problems] == [("a.jpg", True)]
    (tmp_path / "in/a.jpg").rename(tmp_path / "in/a.png")  # the same that was edited is made anew
    assert len(list(run._todo(work, listing, place, account, run.Totals()))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--do", "decode", "--quality", "50"], "and this is --do decode"),
        (["--format", "png"], "and this is --do encode"),
        (["--option", "effort"], "is not NAME=VALUE"),
        (["--option", "effort=99"], "effort"),
        (["--lossless", "--quality", "50"], "gives back every sample"),
        (["--do", "upscale", "--scale", "3"], "3 is not one of"),
        (["--do", "upscale", "--model", "none"], "is not one of"),
        (["--quality", "50", "--target-size", "80kB"], "cannot be combined"),
        (["--target-psnr", "30", "--target-ssim", "0.9"], "cannot be combined"),
        (["--target-ssim", "2"], "2 is not between"),
        (["--do", "restore", "--verify"], "and this is --do restore"),
        (["--do", "decode", "--codec", "tao2017"], "and this is --do decode"),
        (["--scale", "2"], "and this is --do encode"),
        (["--do", "restore", "--model", "srgan"], "and this is --do restore"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    code, said = batch("in", "out", *arguments)
    assert code == 2 and message in " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--target-psnr", "38", "--verify"], {"target_psnr": 38.0, "verify": True}),
        (["--target-ssim", "0.95", "--strip"], {"target_ssim": 0.95, "strip": True}),
        (["--target-ssimulacra2", "80"], {"target_ssimulacra2": 80.0}),
        (["--option", "tune=psnr"], {"tune": "psnr"}),
    ],
)
def test_what_is_asked_of_encode(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], options: dict[str, object]
) -> None:
    orders: list[object] = []

    def listen(work: run.Work, report: object) -> run.Totals:
        orders.append(work.order)
        return run.Totals(done=1)

    monkeypatch.setattr(run, "run", listen)
    assert batch("in", "out", *arguments)[0] == 0
    assert orders == [Order("encode", {"codec": "talbot", **options})]
