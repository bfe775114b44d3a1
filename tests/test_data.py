# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import io
import pickle
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

import calotype
from calotype import data

PICTURE = np.random.default_rng(1).integers(0, 256, (9, 14, 3), np.uint8)


@pytest.fixture(scope="module")
def file() -> bytes:
    return calotype.encode(PICTURE, lossless=True)


def test_arrays_of_bytes_paths_and_cells(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.calo"
    path.write_bytes(file)
    for given in (file, path, str(path), {"bytes": file, "path": "b.calo"}, {"bytes": None, "path": str(path)}):
        assert np.array_equal(data.array(given), PICTURE)


def test_what_is_no_picture_is_a_sentence(file: bytes, tmp_path: Path) -> None:
    for given in (None, {"bytes": None, "path": None}, tmp_path / "none.calo", b"no", file[:-3]):
        with pytest.raises(calotype.CalotypeError):
            data.array(given)
    with pytest.raises(calotype.PictureError, match="max_pixels"):
        data.Decoding(max_pixels=10)({"image": [file]})


def test_pytorch_stays_out(file: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.calo").write_bytes(file)
    root = str(Path(__file__).parent.parent)
    script = (
        f"import sys; sys.path.insert(0, {root!r}); import calotype.data; calotype.data.array('a.calo'); "
        "print('torch' in sys.modules, 'datasets' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.split() == ["False", "False"]


def test_webdataset(file: bytes, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="the handler is tested with the package webdataset")
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for name, content in {"0001.calo": file, "0001.txt": b"a caption", "0002.b.calo": file}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    samples = list(webdataset.WebDataset(str(tmp_path / "0.tar"), shardshuffle=False).decode(data.handler))
    assert np.array_equal(samples[0]["calo"], PICTURE) and samples[0]["txt"] == "a caption"
    assert np.array_equal(samples[1]["b.calo"], PICTURE)


def test_transform(file: bytes) -> None:
    transform = pickle.loads(pickle.dumps(data.Decoding("photo", np.transpose)))  # loaders send it to processes
    batch = transform({"photo": [file, None], "label": [1, 2]})
    assert np.array_equal(batch["photo"][0], PICTURE.T) and batch["photo"][1] is None and batch["label"] == [1, 2]


def test_hugging_face(file: bytes, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the transform is tested with the package datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int32")})
    cells = [{"bytes": file, "path": "a.calo"}, {"bytes": file, "path": "b.calo"}]
    rows = datasets.Dataset.from_dict({"image": cells, "label": [3, 4]}, features)
    rows = data.undecoded(rows).with_transform(data.Decoding())
    assert np.array_equal(rows[1]["image"], PICTURE) and rows[1]["label"] == 4
    assert [cell.shape for cell in rows[:2]["image"]] == [PICTURE.shape] * 2


def test_hugging_face_splits(file: bytes) -> None:
    datasets = pytest.importorskip("datasets", reason="the transform is tested with the package datasets")
    rows = datasets.Dataset.from_dict(
        {"image": [{"bytes": file, "path": "a.calo"}]}, datasets.Features({"image": datasets.Image()})
    )
    splits = data.undecoded(datasets.DatasetDict({"train": rows, "test": rows}))
    assert isinstance(splits, datasets.DatasetDict) and list(splits) == ["train", "test"]
    assert np.array_equal(splits.with_transform(data.Decoding())["test"][0]["image"], PICTURE)
    stream = datasets.IterableDataset.from_generator(lambda: iter([{"image": file}]))
    assert [row["image"] for row in data.undecoded(stream)] == [file]


def test_the_page_parses() -> None:
    page = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 3
    for block in blocks:
        compile(block, "docs/data.md", "exec")
        for name in re.findall(r"calotype\.data\.(\w+)", block):
            assert hasattr(data, name)
