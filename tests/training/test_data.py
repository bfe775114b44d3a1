# SPDX-License-Identifier: BSD-3-Clause
"""Folders of pictures as people have them: with broken files, small ones, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.talbot import Talbot, TalbotConfig  # noqa: E402
from calotype.training.crops import CropConfig  # noqa: E402
from calotype.training.data import PictureCache, find_pictures, readable  # noqa: E402
from calotype.training.talbot.task import TalbotTask, initialise  # noqa: E402

TINY = TalbotConfig(c1=8, c2=8, m=8, blocks=1, hyper=8, z=4, context=(8, 8, 8), levels=8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """One good picture of 90 x 200 between two broken ones and a folder with a picture's name."""
    folder = tmp_path / "photos"
    (folder / "folder.png").mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 256, (90, 200, 3), np.uint8)
    Image.fromarray(picture).save(folder / "b.png")
    (folder / "a.png").write_bytes(b"no picture")
    (folder / "c.png").write_bytes((folder / "b.png").read_bytes()[:3000])
    return folder


def test_broken_pictures_are_named_and_left_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for expected in (1, 0):  # the second time, the cache is there
        pictures = PictureCache(photos, tmp_path / "cache")
        assert len(pictures) == 1
        np.testing.assert_array_equal(pictures[0], np.asarray(Image.open(photos / "b.png")))
        said = capsys.readouterr().err
        assert said.count("a.png") == said.count("c.png") == expected and "b.png" not in said
    assert sorted(p.suffix for p in (tmp_path / "cache").iterdir()) == [".json", ".rgb"]
    assert readable(find_pictures(photos)) == [photos / "b.png"]


def test_a_folder_of_broken_pictures_is_refused(photos: Path, tmp_path: Path) -> None:
    (photos / "b.png").unlink()
    with pytest.raises(CalotypeError, match="none of the 2 pictures"):
        PictureCache(photos, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    with pytest.raises(CalotypeError, match="none of the 2 pictures"):
        readable(find_pictures(photos))
    with pytest.raises(CalotypeError, match="no pictures below"):
        find_pictures(tmp_path / "nowhere")


def test_small_pictures_validate(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [photos / "b.png", photos / "a.png"]  # the second was overwritten after the start
    pictures = PictureCache(photos, tmp_path / "cache")
    task = TalbotTask(Talbot(TINY).eval(), pictures, CropConfig(size=128), files)
    capsys.readouterr()
    with torch.inference_mode():
        figures = task.validate()
    assert len(figures) == 8 and all(np.isfinite(v) for v in figures.values())
    assert "a.png" in capsys.readouterr().err


def test_a_perfect_reconstruction_has_a_finite_psnr(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Talbot(TINY).eval()
    monkeypatch.setattr(network, "forward", lambda x, level: (x, torch.zeros(len(x)), torch.zeros(len(x))))
    pictures = PictureCache(photos, tmp_path / "cache")
    task = TalbotTask(network, pictures, CropConfig(size=128), [photos / "b.png"])
    assert task.validate()["psnr@1"] == pytest.approx(100)
    assert task.loss(task.batch(np.random.default_rng(0), 2))[1]["psnr"] == pytest.approx(100)


def test_weights_to_start_from_are_checked(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = Talbot(TINY)
    with pytest.raises(CalotypeError, match=r"no file of weights at .*nope"):
        initialise(network, tmp_path / "nope")
    (tmp_path / "bad").write_bytes(b"not weights")
    with pytest.raises(CalotypeError, match=r"bad cannot be read"):
        initialise(network, tmp_path / "bad")
    weights = {name: p.detach().clone().contiguous() for name, p in network.named_parameters()}
    save_file({**weights, "finer": torch.zeros(4, 9)}, tmp_path / "other")
    with pytest.raises(CalotypeError, match=r"other: the weights are those of another network"):
        initialise(network, tmp_path / "other")
    save_file({**weights, "finer": torch.ones(4, 8)}, tmp_path / "same")
    initialise(network, tmp_path / "same")
    assert (network.finer == 1).all()


def test_a_cache_whose_samples_were_deleted_is_made_anew(photos: Path, tmp_path: Path) -> None:
    before = PictureCache(photos, tmp_path / "cache")[0].copy()
    (samples,) = (tmp_path / "cache").glob("*.rgb")
    for damage in (samples.unlink, lambda: samples.write_bytes(b""), lambda: samples.write_bytes(b"half")):
        damage()
        assert (PictureCache(photos, tmp_path / "cache")[0] == before).all()
