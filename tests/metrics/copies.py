# SPDX-License-Identifier: BSD-3-Clause
"""A photograph and copies of it that have lost something."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

Samples = NDArray[Any]
PHOTOGRAPH: Samples = np.asarray(skimage.data.astronaut())


def jpeg_copy(samples: Samples, quality: int) -> Samples:
    file = BytesIO()
    Image.fromarray(samples).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def deep(samples: Samples) -> Samples:
    return samples.astype(np.uint16) * 257
