# SPDX-License-Identifier: BSD-3-Clause
"""ColorVideoVDP, by the package ``cvvdp`` where it is installed.

R. Mantiuk, P. Hanji, M. Ashraf, Y. Asano, A. Chapiro, "ColorVideoVDP: a visual difference predictor for image, video
and display distortions", ACM Transactions on Graphics 2024. Still pictures, seen on the package's ``standard_4k``
display: 30 inches from 0.75 m in an office. It takes about 1 GB a megapixel.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Samples
from ..errors import DependencyError
from .pair import checked_pair

DISPLAY = "standard_4k"
NEEDED = ("pycvvdp", "torch", "torchvision")
ADVICE = "ColorVideoVDP needs the package cvvdp with PyTorch and torchvision: pip install 'calotype[metrics]'"


def has_cvvdp() -> bool:
    """Whether the package and what it needs are installed."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


def cvvdp(a: Samples, b: Samples) -> float:
    """Quality of ``b`` as a copy of ``a`` in just-objectionable differences: 10 is equal, each below is a step worse.

    Grey or RGB, taken as sRGB, 8 or 16 bits. Raises PictureError for pictures that cannot be compared, DependencyError
    without the package.
    """
    a, b, _ = checked_pair(a, b, luma=True)
    original, other = (np.ascontiguousarray(np.broadcast_to(samples, (*samples.shape[:2], 3))) for samples in (a, b))
    with contextlib.redirect_stdout(io.StringIO()):
        value, _ = predictor().predict(other, original, dim_order="HWC")
    return float(value)


@cache
def predictor() -> Any:
    """The package's model, loaded once."""
    try:
        import pycvvdp
    except ImportError as error:
        raise DependencyError(f"{ADVICE} ({error})") from error
    logging.getLogger("pycvvdp").setLevel(logging.ERROR)
    return pycvvdp.cvvdp(display_name=DISPLAY)
