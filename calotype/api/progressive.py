# SPDX-License-Identifier: BSD-3-Clause
"""Pictures while their file arrives: one after each layer of a progressive file."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import raster
from ..codecs import Growing
from ..container import HEADER_BYTES, Container, Parts
from ..container.header import parse_header
from ..errors import DamageWarning, FormatError
from .decode import check_pixels, codec_of, decode_container, decode_raster

if TYPE_CHECKING:
    from ..raster import Raster

CHUNK = 2**14  # bytes that are asked for at once


class Readable(Protocol):
    """A source of bytes: a file, a pipe, what ``socket.makefile("rb")`` gives."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Progressive(NamedTuple):
    """A picture on its way.

    Attributes:
        image: a Pillow image, or an array.
        iteration: layers that it is made of, 1 or more; 1 for a file that has no layers.
        size: bytes read so far.
    """

    image: Any
    iteration: int
    size: int


def progressive(
    source: Readable | Iterable[bytes] | bytes,
    *,
    threads: int | None = None,
    max_pixels: int | None = None,
    as_array: bool = False,
) -> Iterator[Progressive]:
    """The picture after each layer, as soon as its bytes have arrived; of other files, one picture at their end.

    Args:
        source: a binary file object (a file, a pipe, what ``socket.makefile("rb")`` gives), or an iterable of bytes.
        threads: of the computation; all cores, eight at most, by default.
        max_pixels: refuse larger pictures, as soon as the header says so.
        as_array: arrays instead of Pillow images.

    If the bytes end early, the last picture is as good as they allow, and comes with a DamageWarning. Nothing is read
    behind the end of the picture.

    Raises:
        FormatError: the bytes are not those of a file, damaged, or end before there is something to show.
        BundleError: the weights that the file names are not installed.
        PictureError: the picture has more than max_pixels.
    """

    def shown(picture: Raster, iteration: int = 1) -> Progressive:
        return Progressive(raster.to_array(picture) if as_array else raster.to_image(picture), iteration, len(buffer))

    buffer = bytearray()
    arriving: _Arriving | None = None
    for chunk in _chunks(source):
        buffer += chunk
        if arriving is None and len(buffer) >= HEADER_BYTES:
            arriving = _Arriving(buffer, threads, max_pixels)
        if arriving is None:
            continue
        for content in arriving.layers(buffer):
            if arriving.layered:
                yield shown(*arriving.picture(content))
        if arriving.parts.ended:
            break
    if arriving is None or not arriving.layered:
        end = arriving.offset if arriving and arriving.parts.ended else None  # what else has come is not the picture's
        yield shown(decode_raster(bytes(buffer[:end]), threads=threads, max_pixels=max_pixels))
        return
    rest = arriving.rest(buffer)
    if rest is not None:
        for sentence in rest.warnings:
            warnings.warn(sentence, DamageWarning, stacklevel=2)
        if rest.tiles[arriving.shown :]:
            yield shown(*arriving.picture(rest))


def _chunks(source: Readable | Iterable[bytes] | bytes) -> Iterator[bytes]:
    """Bytes as they come."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield bytes(source)
        return
    read = getattr(source, "read1", None) or getattr(source, "read", None)  # read1 does not wait for more
    if read is not None:
        while (chunk := read(CHUNK)) or chunk is None:
            if chunk is None:
                raise FormatError("progressive waits for bytes, and this source does not block: let it, or pass chunks")
            yield _bytes(chunk)
    elif isinstance(source, Iterable) and not isinstance(source, str):
        for chunk in source:
            yield _bytes(chunk)
    else:
        raise FormatError(f"progressive takes a binary file or an iterable of bytes, not {type(source).__name__}")


def _bytes(chunk: object) -> bytes:
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise FormatError(f"progressive takes bytes, not {type(chunk).__name__}")
    return bytes(chunk)


class _Arriving:
    """A file of which more and more is there.

    Attributes:
        shown: boxes T that the last picture was made of.
    """

    def __init__(self, buffer: bytearray, threads: int | None, max_pixels: int | None) -> None:
        header, self.offset = parse_header(memoryview(bytes(buffer)))
        check_pixels(header, max_pixels)
        self.parts, self.shown = Parts(header), 0
        self.layered = bool(header.layers)
        self.decode: Callable[[Sequence[bytes | None]], Any] | None = None
        if self.layered:
            codec = codec_of(header, threads)
            if isinstance(codec, Growing):
                shape = (header.height, header.width, header.channels)
                self.decode = codec.growing(shape, header.depth, header.quality)

    def picture(self, content: Container) -> tuple[Raster, int]:
        """The picture, and the number of layers."""
        samples = self.decode(content.tiles) if self.decode else None
        return decode_container(content, samples=samples), -(-len(content.tiles) // content.header.tile_count)

    def layers(self, buffer: bytearray) -> Iterator[Container]:
        """The picture after each complete layer; FormatError for damage."""
        while not self.parts.ended:
            with memoryview(buffer) as view:
                found = self.parts.arrived(view, self.offset)
                if found is None:
                    break
                self.parts.take(view, found, self.parts.next)
                self.offset = found.end
            if found.kind == "T" and not self.parts.next % self.parts.header.tile_count:
                self.shown = self.parts.next
                yield self.parts.container()

    def rest(self, buffer: bytearray) -> Container | None:
        """All that is there when no more comes; None if it has been shown. FormatError if there is nothing to show."""
        with memoryview(buffer) as view:
            if self.parts.ended:
                self.parts.finish(self.offset)  # what else has come is not the picture's
                return self.parts.container() if self.parts.next > self.shown else None
            if not self.parts.stops(view, self.offset):
                self.parts.follow(view, self.offset)  # says what is wrong
            return self.parts.container([self.parts.prefix(len(view))], truncated=True)
