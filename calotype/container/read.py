# SPDX-License-Identifier: BSD-3-Clause
"""Reading a file."""

from __future__ import annotations

from ..errors import FormatError
from .boxes import Bytes
from .content import Container
from .header import Header, parse_header
from .parts import Parts, TooNewError


def read_header(data: Bytes) -> Header:
    """Read the header from a file or from its first HEADER_BYTES (42) bytes. Raises FormatError."""
    return parse_header(memoryview(data).cast("B"))[0]


def read_front(data: Bytes) -> Container:
    """Read what stands ahead of alpha and tiles: the header and, as far as it is whole, the metadata.

    Nothing behind that is looked at. Damage behind the header is no error: it ends the search. Raises FormatError.
    """
    view = memoryview(data).cast("B")
    header, offset = parse_header(view)
    parts = Parts(header)
    while bytes(view[offset : offset + 1]) not in (b"A", b"T", b"E", b""):
        try:
            found = parts.follow(view, offset)
            parts.take(view, found, 0)
        except FormatError:
            break
        offset = found.end
    return Container(header, parts.metadata)


def unpack(data: Bytes, *, salvage: bool = False) -> Container:
    """Read a file and check all of it; time and memory are linear in its size, whatever it claims.

    With `salvage`, damage behind the header costs what is damaged and no more: lost tiles are None, a lost alpha
    channel or piece of metadata is None, and `Container.warnings` says so.

    A layered file that just stops, after its first box T at the earliest, is `Container.truncated` and no error.

    Raises:
        FormatError: not a ``.calo`` file, a newer one, or (without `salvage`) a truncated, damaged or inconsistent one.

    """
    view = memoryview(data).cast("B")
    header, offset = parse_header(view)
    try:
        return _unpack(view, offset, Parts(header))
    except TooNewError:
        raise
    except FormatError:
        if not salvage:
            raise
    from .salvage import collect  # rarely needed

    parts = Parts(header)
    return parts.container(collect(view, offset, parts))


def _unpack(view: memoryview, offset: int, parts: Parts) -> Container:
    """Read the boxes from `offset` on into `parts`. Raises FormatError at the first that is not what should follow."""
    while not parts.ended:
        if parts.stops(view, offset):
            return parts.container([parts.prefix(len(view))], truncated=True)
        found = parts.follow(view, offset)
        parts.take(view, found, parts.next)
        offset = found.end
    parts.finish(offset)
    if offset < len(view):
        raise FormatError(f"{len(view) - offset} bytes follow the end of the picture at byte {offset}")
    return parts.container()
