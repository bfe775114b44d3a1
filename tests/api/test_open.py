# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.api.open import open_picture
from calotype.errors import CalotypeError, FormatError, PictureError
from tests.make_golden import GOLDEN

pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.mark.parametrize("name", ["colour.calo", "misleading.png"])
def test_calo_files_by_their_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((GOLDEN / "colour.calo").read_bytes())
    expected = open_picture(GOLDEN / "colour.calo", threads=1).samples
    assert (open_picture(path, threads=1).samples == expected).all()
    assert (open_picture(str(path)).samples == expected).all()
    with open(path, "rb") as file:
        assert (open_picture(file).samples == expected).all()


def test_what_pillow_reads(tmp_path: Path) -> None:
    samples = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    Image.fromarray(samples).save(tmp_path / "a.png")
    assert (open_picture(tmp_path / "a.png").samples == samples).all()
    assert (open_picture(io.BytesIO((tmp_path / "a.png").read_bytes())).samples == samples).all()


def test_what_nobody_reads(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        open_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match="null"):
        open_picture("a\0b")
    with pytest.raises(PictureError, match="not NoneType"):
        open_picture(None)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="cannot read"):
        open_picture(tmp_path)
    (tmp_path / "text.png").write_text("hello", encoding="utf-8")
    with pytest.raises(PictureError, match="not a picture"):
        open_picture(tmp_path / "text.png")
    (tmp_path / "text.calo").write_text("hello", encoding="utf-8")
    with pytest.raises(FormatError):
        open_picture(tmp_path / "text.calo")
    with pytest.raises(CalotypeError):
        open_picture(io.BytesIO((GOLDEN / "colour.calo").read_bytes()[:-20]))
