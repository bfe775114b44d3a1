# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import math

import pytest
import skimage.metrics

from calotype.metrics import rmse

from .copies import PHOTOGRAPH, jpeg_copy


def test_rmse_is_the_root_of_what_skimage_says() -> None:
    decoded = jpeg_copy(PHOTOGRAPH, 40)
    theirs = math.sqrt(skimage.metrics.mean_squared_error(PHOTOGRAPH, decoded))
    assert rmse(PHOTOGRAPH, decoded) == pytest.approx(theirs, rel=1e-12)
    assert rmse(PHOTOGRAPH, PHOTOGRAPH) == 0
