# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.cluster.listing import Listing, Piece, Unit, folded, renamed, units
from calotype.cluster.store import Store
from calotype.errors import CalotypeError

pytest.importorskip("fsspec", reason="calotype batch needs fsspec, of pip install 'calotype[cluster]'")

NAMES = st.sampled_from(["a", "A", "b", "a.png", "a.jpg", "b.calo", "a.png.jpg"])


def listed(source: Path, skip: str = "") -> tuple[list[tuple[str, str, str]], Listing]:
    listing = Listing(Store(str(source)), {".png", ".jpg"}, ".calo", skip)
    return [(kind, item.source, item.output) for kind, item in listing], listing


def test_a_folder_is_mirrored_and_the_rest_is_counted(tmp_path: Path) -> None:
    for name in ("b.PNG", "a/x.png", "a/x.jpg", "a/.hidden.png", ".git/y.png", "_manifest/p.parquet", "n.txt", "s.tar"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "z.png").write_bytes(b"1")
    found, listing = listed(tmp_path, skip=str(tmp_path / "out"))
    assert found == [
        ("", "b.PNG", "b.calo"),
        (".tar", "s.tar", "s.tar"),
        ("", "a/x.jpg", "a/x.jpg.calo"),
        ("", "a/x.png", "a/x.png.calo"),
    ]
    assert listing.ignored == {".txt": 1, "linked folders": 1}


def test_a_folder_that_cannot_be_listed_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.png", "b/2.png", "c/3.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"1")
    scan, closed = os.scandir, [str(tmp_path / "b")]

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if path in closed:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found, listing = listed(tmp_path)
    assert [source for _, source, _ in found] == ["a/1.png", "c/3.png"]
    assert listing.problems == [("b", f"cannot list {tmp_path / 'b'}: permission denied")]
    closed.append(str(tmp_path))
    with pytest.raises(CalotypeError, match=r"cannot list .*: permission denied"):
        listed(tmp_path)


def test_a_single_file_and_a_url(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"12")
    assert [item.output for _, item in Listing(Store(tmp_path.as_uri()), {".png"}, ".calo")] == ["p.calo"]
    assert listed(tmp_path / "p.png")[0] == [("", "", "p.calo")]


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CalotypeError, match="there is no such file"):
        listed(tmp_path / "none")
    with pytest.raises(CalotypeError, match="not shared between processes"):
        Store("memory://a").exists()
    with pytest.raises(CalotypeError):
        Store("nothing-known://a").exists()


def test_row_groups_are_items(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"image": [b"1", b"2", b"3"]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    pq.write_table(table, tmp_path / "u.parquet")
    assert [output for _, _, output in listed(tmp_path)[0]] == [
        "t-00000-of-00002.parquet", "t-00001-of-00002.parquet", "u.parquet",
    ]  # fmt: skip
    (tmp_path / "v.parquet").write_bytes(b"no")
    found, listing = listed(tmp_path)
    assert len(found) == 3  # the others go on
    assert [name for name, message in listing.problems if "not a Parquet file" in message] == ["v.parquet"]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_links_that_lead_nowhere_and_pipes_do_not_end_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    found, listing = listed(tmp_path)
    assert [source for _, source, _ in found] == ["a.png", "circle.png", "gone.png"]  # who reads them is told
    assert listing.ignored == {"special files": 1}


@given(st.sets(st.builds("{}.{}".format, NAMES, st.sampled_from(["png", "jpg", "calo"]))))
def test_no_two_outputs_meet(names: set[str]) -> None:
    chosen = renamed(sorted(names), ".calo")
    assert len(set(chosen.values())) == len(names)
    assert len({folded(new) for new in chosen.values()}) == len({folded(name) for name in names})
    assert all(new in (f"{PurePosixPath(n).stem}.calo", f"{n}.calo") for n, new in chosen.items())


def test_outputs_do_not_meet_where_case_counts_for_nothing() -> None:
    assert renamed(["a.png", "A.jpg", "b.png"], ".calo") == {
        "a.png": "a.png.calo", "A.jpg": "A.jpg.calo", "b.png": "b.calo",
    }  # fmt: skip
    assert renamed(["a.png"], ".calo", ["A.CALO"]) == {"a.png": "a.png.calo"}
    assert renamed(["\xe9.png", "e\u0301.jpg"], ".calo")["\xe9.png"] == "\xe9.png.calo"  # one name, composed or not


@given(st.lists(st.tuples(st.sampled_from(["", "", ".tar"]), st.integers(0, 40_000_000)), max_size=40))
def test_units_hold_every_item_once(given: list[tuple[str, int]]) -> None:
    items = [(kind, Piece(f"{n}", f"{n}.calo", size, "v")) for n, (kind, size) in enumerate(given)]
    made = list(units(iter(items), most_files=5))
    assert sorted(item.source for unit in made for item in unit.items) == sorted(item.source for _, item in items)
    for unit in made:
        assert len(unit.items) <= (1 if unit.kind else 5)
        assert len(unit.items) == 1 or unit.size <= 32_000_000
        assert Unit.from_json(unit.to_json()) == unit
    assert len({unit.id for unit in made}) == len(made)
