# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import pytest

from calotype.cluster import manifest
from calotype.cluster.listing import Piece, digest
from calotype.cluster.store import Store
from calotype.errors import CalotypeError

pytest.importorskip("pyarrow", reason="calotype batch needs PyArrow, of pip install 'calotype[cluster]'")
pytest.importorskip("fsspec", reason="calotype batch needs fsspec, of pip install 'calotype[cluster]'")


def item(name: str, version: str = "1") -> Piece:
    return Piece(name, f"{name}.calo", 10, version)


def row(name: str, run: int = 1, error: str | None = None, member: str = "") -> dict[str, object]:
    return manifest.row(item(name), bytes=5, settings="s", run=run, error=error, member=member)


def there(*names: str) -> dict[bytes, int]:
    return {digest(f"{name}.calo"): 5 for name in names}


def test_what_is_done(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert manifest.load(store, {}).run == 1
    manifest.write(store, "one", [row("a"), row("b"), row("c", error="bad"), row("gone")])
    account = manifest.load(store, there("a", "b"))
    assert [account.has(item(name), "s") for name in ("a", "b", "c", "gone", "new")] == [True, True] + [False] * 3
    assert not account.has(item("a", version="2"), "s") and not account.has(item("a"), "other")
    assert account.run == 2 and account.settings == "s" and len(account.seen) == 4
    manifest.write(store, "two", [row("a", run=2, error="bad"), row("c", run=2)])  # before it could be pruned
    account = manifest.load(store, there("a", "b", "c"))
    assert [account.has(item(name), "s") for name in ("a", "b", "c")] == [False, True, True]


def test_names_that_are_not_utf8_are_known_again(tmp_path: Path) -> None:
    store, names = Store(str(tmp_path)), ["\udcff.png", "\udcfe.png"]
    manifest.write(store, "one", [row(name) for name in names])
    account = manifest.load(store, there(*names))
    assert all(account.has(item(name), "s") for name in names) and len(account.done) == 2


def test_the_last_run_says_the_settings(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    manifest.write(store, "one", [row("a", run=2) | {"settings": "new"}])
    manifest.write(store, "two", [row("a"), row("b")])  # the run that overwrites was interrupted
    account = manifest.load(store, there("a", "b"))
    assert account.settings == "new" and account.run == 3
    assert account.has(item("a"), "new") and not account.has(item("b"), "new")


def test_each_item_has_one_row_in_the_end(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    manifest.write(store, "one", [row("a"), row("b", error="bad")])
    manifest.write(store, "two", [row("c", error="bad"), row("c", member="1.png")])
    account = manifest.load(store, there("a"))
    manifest.write(store, "three", [row("b", run=account.run), row("c", run=account.run)])
    manifest.prune(store, account, {item("b").key, item("c").key})
    rows = [r for part in manifest.parts(store) for r in manifest.read(store, part)]
    assert sorted((r["source"], r["run"]) for r in rows) == [("a", 1), ("b", 2), ("c", 2)]


def test_failures_inside_shards_are_remembered(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    manifest.write(store, "one", [row("s"), row("s", member="1", error="bad"), row("s", member="2")])
    assert manifest.load(store, there("s")).failures == {item("s").key: 1}


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write("_manifest/x.parquet", b"no")
    with pytest.raises(CalotypeError, match=r"_manifest/x.parquet .* cannot be read"):
        manifest.load(store, {})
