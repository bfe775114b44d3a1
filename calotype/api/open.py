# SPDX-License-Identifier: BSD-3-Clause
"""Open a picture of any kind: a ``.calo`` file or whatever Pillow reads, told apart by their first bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..container import EXTENSION, SIGNATURE
from ..errors import PictureError

if TYPE_CHECKING:
    from ..raster import Raster


def open_picture(source: str | os.PathLike[str] | IO[bytes], *, threads: int | None = None) -> Raster:
    """The picture in a file, with full depth and metadata.

    Args:
        source: a path, or a binary file object, which is read from its beginning if that can be.
        threads: of the computation for a ``.calo`` file; all cores, eight at most, by default.

    Raises:
        CalotypeError: of the kinds that :func:`calotype.decode` and :func:`calotype.raster.load` raise.
    """
    from .. import raster
    from ..raster.files import seekable
    from ..raster.guard import reading

    if not isinstance(source, str | os.PathLike):
        with reading("the picture"):
            file = seekable(source)
            start = file.read(len(SIGNATURE))
            data = start + file.read() if start == SIGNATURE else None
        return raster.load(file) if data is None else _decode(data, threads)
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
    except ValueError as error:  # a name that no file can have
        raise PictureError(f"cannot read {str(source)!r}: {error}") from error
    return raster.load(path)


def _decode(data: bytes, threads: int | None) -> Raster:
    from .decode import decode_raster

    return decode_raster(data, threads=threads)
