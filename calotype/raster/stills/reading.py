# SPDX-License-Identifier: BSD-3-Clause
"""Reading a still inside within bounds: the size that it must have, and one kind of error for all that goes wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from PIL import Image

from ...arrays import Samples8
from ...errors import DependencyError, FormatError
from ..guard import first_line, pillow_limit


class Size(NamedTuple):
    """What a still must be, as the header of the ``.calo`` file says."""

    width: int
    height: int
    channels: int  # 1 or 3
    depth: int  # 8 or 16

    def __str__(self) -> str:
        colours = "grey" if self.channels == 1 else "RGB"
        return f"{self.width} x {self.height} pixels, {colours} of {self.depth} bits"


@contextmanager
def guarded(title: str) -> Iterator[None]:
    """Whatever goes wrong is a FormatError of one sentence."""
    try:
        yield
    except (FormatError, DependencyError):
        raise
    except MemoryError as error:
        raise FormatError(f"the {title} inside cannot be read: not enough memory") from error
    except Exception as error:  # damaged files make readers raise nearly anything
        raise FormatError(f"the {title} inside is damaged: {first_line(error)}") from error


def pixels(data: bytes, plugin: str, mode: str, size: Size) -> Samples8:
    """The samples of 8 bits that one of Pillow's plug-ins reads, in a mode of Pillow, of a still of this size."""
    title = "WebP" if plugin == "WEBP" else plugin
    limit = pillow_limit(size.width * size.height)
    with guarded(title), limit, Image.open(io.BytesIO(data), formats=[plugin]) as image:
        image.load()
        return np.asarray(image.convert(mode))
