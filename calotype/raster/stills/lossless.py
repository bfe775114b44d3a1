# SPDX-License-Identifier: BSD-3-Clause
"""The formats of tiles, told apart by their first bytes: written, and read in bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...arrays import Samples
from ...errors import FormatError, PictureError
from . import jxl, png, webp
from .reading import Size


@dataclass(frozen=True)
class Still:
    """A lossless format.

    Attributes:
        id: as the options name it.
        title: for people.
        suffix: of the names of its files.
        begins: what its files can begin with.
        depths: bits a sample that it holds.
        needs: DependencyError if what reads and writes it is not there.
        write: samples to the bytes of a file.
        check: FormatError unless a file is a plain still of a size; decodes nothing.
        read: samples of a file that was checked.
    """

    id: str
    title: str
    suffix: str
    begins: tuple[bytes, ...]
    depths: tuple[int, ...]
    needs: Callable[[], None]
    write: Callable[[Samples], bytes]
    check: Callable[[bytes, Size], None]
    read: Callable[[bytes, Size], Samples]


FORMATS = {
    still.id: still
    for still in (
        Still("webp", "WebP", ".webp", (b"RIFF",), (8,), webp.needs, webp.write, webp.check, webp.read),
        Still("png", "PNG", ".png", (b"\x89PNG\r\n\x1a\n",), (8, 16), png.needs, png.write, png.check, png.read),
        Still(
            "jxl", "JPEG XL", ".jxl", (jxl.CODESTREAM, jxl.BOXES), (8, 16), jxl.needs, jxl.write, jxl.check, jxl.read
        ),
    )
}


def chosen(still: str | None, depth: int) -> Still:
    """The format to write samples of so many bits in; PictureError if the one that was asked for cannot hold them."""
    found = FORMATS[still or ("webp" if depth == 8 else "png")]
    if depth not in found.depths:
        raise PictureError(f"{found.title} has 8 bits a sample, and the picture has {depth}: choose png or jxl")
    found.needs()
    return found


def kind(data: bytes) -> Still | None:
    """Format of a file, by its first bytes."""
    return next((still for still in FORMATS.values() if data.startswith(still.begins)), None)


def read(data: bytes, size: Size, among: str = "WebP, PNG or JPEG XL") -> Samples:
    """Samples ``(H, W, channels)`` of a tile; FormatError unless it is a still of just that size.

    ``among`` names the formats that could be there, for messages.
    """
    found = kind(data)
    if found is None:
        raise FormatError(f"the file inside is not a {among}")
    found.check(data, size)
    found.needs()
    samples = found.read(data, size)
    if samples.shape != (size.height, size.width, size.channels) or samples.dtype.itemsize * 8 != size.depth:
        raise FormatError(f"the {found.title} inside is {samples.shape} of {samples.dtype}, not {size}")
    return samples
