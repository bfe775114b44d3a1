# SPDX-License-Identifier: BSD-3-Clause
"""What ``--data`` can name: Parquet files, data sets, and what is said where they cannot be had."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

pytest.importorskip("torch")

from calotype.errors import CalotypeError, DependencyError
from calotype.training.sources import NAMED, open_pictures
from tests.make_golden import drawing


def picture(i: int) -> npt.NDArray[np.uint8]:
    return drawing(40 + i, 50, 3, 8)


def png(i: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture(i)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The library, kept from the network and from the user's own cache."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True, raising=False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    return datasets


def write_parquet(path: Path, cells: list[Any]) -> None:
    table = pytest.importorskip("pyarrow").table({"label": list(range(len(cells))), "photo": cells})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)


@pytest.mark.parametrize("plain", [True, False])
def test_parquet(tmp_path: Path, quiet: Any, plain: bool, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [png(0), b"broken", png(1), png(2)]
    (tmp_path / "data").mkdir()
    write_parquet(tmp_path / "data/a.parquet", cells if plain else [{"bytes": c, "path": None} for c in cells])
    for source in ("data/a.parquet", "data"):
        pictures = open_pictures(str(tmp_path / source), tmp_path / "cache")
        assert len(pictures) == 3
        for i in range(3):
            np.testing.assert_array_equal(pictures[i], picture(i))
    assert capsys.readouterr().err.count("cannot read picture 2 of") == 1  # decoded once
    assert (
        len(open_pictures(str(tmp_path / "data"), tmp_path / "cache", 40 * 50 / 1e6)) == 1
    )  # as many as were asked for


def test_a_data_set_with_the_library_s_own_columns(tmp_path: Path, quiet: Any) -> None:
    rows = {"image": [{"bytes": png(i), "path": None} for i in range(2)], "label": [0, 1]}
    features = quiet.Features({"label": quiet.Value("int64"), "image": quiet.Image()})
    (tmp_path / "set").mkdir()
    quiet.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "set/train-0.parquet")
    pictures = open_pictures(f"hf:{tmp_path / 'set'}:train", tmp_path / "cache")
    np.testing.assert_array_equal(pictures[1], picture(1))


def test_a_folder_of_classes_through_the_library(tmp_path: Path, quiet: Any) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(picture(0)).save(tmp_path / "set" / name / "a.png")
    assert len(open_pictures(f"hf:{tmp_path / 'set'}", tmp_path / "cache")) == 2
    # Without hf: it is a plain folder of pictures, and a folder goes before a name.
    assert len(open_pictures(str(tmp_path / "set"), tmp_path / "cache")) == 2


def test_folders_go_before_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cifar10").mkdir()
    Image.fromarray(picture(0)).save("cifar10/a.png")
    assert len(open_pictures("cifar10", tmp_path / "cache")) == 1


def test_no_column_of_pictures(tmp_path: Path, quiet: Any) -> None:
    write_parquet(tmp_path / "a.parquet", ["text", "more"])
    with pytest.raises(CalotypeError, match="no column of pictures; it has: label, photo"):
        open_pictures(str(tmp_path / "a.parquet"), tmp_path / "cache")
    write_parquet(tmp_path / "b.parquet", [b"broken"])
    with pytest.raises(CalotypeError, match="no pictures that can be read"):
        open_pictures(str(tmp_path / "b.parquet"), tmp_path / "cache")
    (tmp_path / "c.parquet").write_bytes(b"no Parquet")
    with pytest.raises(CalotypeError, match=r"cannot read .*c\.parquet"):
        open_pictures(str(tmp_path / "c.parquet"), tmp_path / "cache")


@pytest.mark.parametrize("name", sorted(NAMED))
def test_names_are_fetched_by_the_library(
    name: str, tmp_path: Path, quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def unreachable(**options: Any) -> None:
        asked.update(options)
        raise ConnectionError("no route\nto anywhere")

    monkeypatch.setattr(quiet, "load_dataset", unreachable)
    with pytest.raises(CalotypeError, match=rf"cannot fetch {name} \(ConnectionError: no route\); .*--data FOLDER"):
        open_pictures(name, tmp_path / "cache")
    assert asked == {"path": NAMED[name], "split": "train", "streaming": True}
    with pytest.raises(CalotypeError, match="cannot fetch hf:someone/photos:test"):
        open_pictures("hf:someone/photos:test", tmp_path / "cache")
    assert asked["path"] == "someone/photos" and asked["split"] == "test"
    assert not list((tmp_path / "cache").iterdir())


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DependencyError, match=r"reading cifar10 needs .*calotype\[datasets\]"):
        open_pictures("cifar10", tmp_path / "cache")
    with pytest.raises(CalotypeError, match="should name a data set"):
        open_pictures("hf:", tmp_path / "cache")
    with pytest.raises(CalotypeError, match="no pictures below"):
        open_pictures("nowhere", tmp_path / "cache")
