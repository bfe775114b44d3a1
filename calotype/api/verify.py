# SPDX-License-Identifier: BSD-3-Clause
"""Decode what was just made, before it may stand for the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import codecs
from ..container import read_header
from ..errors import CalotypeError, FormatError
from .decode import decode_raster

if TYPE_CHECKING:
    from ..raster import Raster


def check_decodes(data: bytes, picture: Raster, *, threads: int | None = None) -> None:
    """FormatError unless a file decodes whole, with alpha and metadata as they were; if lossless, with all samples.

    Args:
        data: the file.
        picture: what it was made from.
        threads: of the computation.
    """
    try:
        decoded = decode_raster(data, threads=threads)
    except CalotypeError as error:
        raise FormatError(
            f"verification failed: the file that was made does not decode ({error}); please report it"
        ) from error
    entry = codecs.find(read_header(data).codec)
    same = {
        "size, colours or depth": (decoded.samples.shape, decoded.depth) == (picture.samples.shape, picture.depth),
        "metadata": decoded.metadata == picture.metadata,
        "alpha channel": _equal(decoded.alpha, picture.alpha),
        "samples": not (entry and entry.lossless) or _equal(decoded.samples, picture.samples),
    }
    wrong = [what for what, found in same.items() if not found]
    if wrong:
        raise FormatError(
            f"verification failed: the file that was made gives back other {' and '.join(wrong)}; please report it"
        )


def _equal(one: object, other: object) -> bool:
    return (one is None) == (other is None) and bool(np.array_equal(one, other))  # type: ignore[arg-type]
