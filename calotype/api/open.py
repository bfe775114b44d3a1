# SPDX-License-Identifier: BSD-3-Clause
"""Open a picture of any kind: a ``.calo`` file or whatever Pillow reads, told apart by their first bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..container import EXTENSION, SIGNATURE
from ..errors import PictureError

if TYPE_CHECKING:
    from ..raster import Raster


def open_picture(source: str | Path | IO[bytes], *, threads: int | None = None) -> Raster:
    """The picture in a file, with full depth and metadata.

    Args:
        source: a path, or a binary file object.
        threads: of the computation for a ``.calo`` file; all cores, eight at most, by default.

    Raises:
        CalotypeError: of the kinds that :func:`calotype.decode` and :func:`calotype.raster.load` raise.
    """
    from .. import raster

    if not isinstance(source, str | Path):
        data = source.read()
        return _decode(data, threads) if data.startswith(SIGNATURE) else raster.load(io.BytesIO(data))
    path = Path(source)
    try:
        with open(path, "rb") as file:
            start = file.read(len(SIGNATURE))
            # By its name as well: the reader of .calo files knows best what became of a damaged signature.
            if start == SIGNATURE or path.suffix.lower() == EXTENSION:
                return _decode(start + file.read(), threads)
    except FileNotFoundError as error:
        raise PictureError(f"cannot read {source}: no such file") from error
    except OSError as error:
        raise PictureError(f"cannot read {source}: {(error.strerror or str(error)).lower()}") from error
    return raster.load(path)


def _decode(data: bytes, threads: int | None) -> Raster:
    from .decode import decode_raster

    return decode_raster(data, threads=threads)
