# SPDX-License-Identifier: BSD-3-Clause
"""Pillow's limit is lent, and given back."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from calotype.container import MAX_PIXELS, Metadata
from calotype.errors import LossWarning
from calotype.raster import Raster, from_picture, to_file
from calotype.raster.guard import pillow_limit


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_has_the_limit_that_its_parent_had_before() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pillow_limit():  # as another thread may be in
        assert before != Image.MAX_IMAGE_PIXELS
        child = os.fork()
        if child == 0:
            kept = before == Image.MAX_IMAGE_PIXELS
            with pillow_limit():
                raised = before != Image.MAX_IMAGE_PIXELS
            os._exit(0 if kept and raised and before == Image.MAX_IMAGE_PIXELS else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert before == Image.MAX_IMAGE_PIXELS


def test_warnings_that_were_made_errors_stay_what_they_are() -> None:
    image = Image.new("CMYK", (3, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossWarning)
        with pytest.raises(LossWarning, match="CMYK"):
            from_picture(image)
        about = Metadata(text=(("Author", "N. N."),))
        with pytest.raises(LossWarning, match="text"):
            to_file(Raster(np.zeros((2, 3, 3), np.uint8), None, about), "webp")


def test_a_picture_within_the_limit_leaves_it_to_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pillow_limit(10):
        assert Image.MAX_IMAGE_PIXELS == 10
    with pillow_limit(11), pillow_limit(10):
        assert Image.MAX_IMAGE_PIXELS == MAX_PIXELS
    seen: set[int | None] = set()
    monkeypatch.setattr("calotype.raster.bands.fill", lambda *_: seen.add(Image.MAX_IMAGE_PIXELS))
    from_picture(Image.new("RGB", (5, 2)))
    assert seen == {10} and Image.MAX_IMAGE_PIXELS == 10
