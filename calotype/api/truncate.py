# SPDX-License-Identifier: BSD-3-Clause
"""A progressive file made smaller by dropping trailing layers, without encoding it again."""

from __future__ import annotations

from .. import container
from ..arguments import whole
from ..container.boxes import frame
from ..container.header import parse_header
from ..errors import FormatError, PictureError


def truncate(data: bytes, size: int) -> bytes:
    """The first layers of a progressive file: as much of it as ``size`` bytes hold, a whole and sound file again.

    Args:
        data: a file of a progressive codec (``toderici2017`` or ``rippel2017``); it may have been cut already.
        size: in bytes; what comes back has at most so many, and usually some less.

    Raises:
        FormatError: the data is damaged, or of a codec that is not progressive.
        PictureError: not even the first tile of the first layer fits.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FormatError(f"truncate takes the bytes of a file, not {type(data).__name__}")
    given, size = size, whole(size) or 0
    if size < 1:
        raise PictureError(f"size {given!r} should be a number of bytes, from 1 on")
    data = bytes(data)
    content = container.unpack(data)
    header = content.header
    if not header.layers:
        raise FormatError(
            f"the file was made by codec '{header.codec}', which is not progressive: encode the picture anew"
        )
    if len(data) <= size and not content.truncated:
        return data
    view = memoryview(data)
    offset = parse_header(view)[1]
    ends: list[int] = []
    while len(ends) < len(content.tiles):  # all of these boxes are sound
        found = frame(view, offset)
        assert found is not None
        offset = found.end
        if found.kind == "T":
            ends.append(offset)
    fitting = [end for end in ends if end + len(container.END) <= size]
    if not fitting:
        least = ends[0] + len(container.END)
        raise PictureError(
            f"a size of {size:,} B cannot be reached: with the first tile alone the file takes {least:,} B"
        )
    return data[: fitting[-1]] + container.END
