# SPDX-License-Identifier: BSD-3-Clause
"""Facts from a file's header; imports nothing that decodes."""

from __future__ import annotations

from dataclasses import dataclass

from .. import container
from ..codecs import LOSSLESS
from ..codecs.quality import QUALITY_STEPS
from ..codecs.talbot import STILLS
from ..container.metadata import write_text
from ..engine.tiling import Rectangle, grid
from ..errors import FormatError
from ..raster.stills.kinds import counted, described, named

AROUND = "tao2017"
ENLARGED = "ledig2017"


@dataclass(frozen=True)
class Info:
    """Facts about a file, read without decoding a pixel.

    Attributes:
        codec: id of the codec.
        bundle: first eight hexadecimal digits of the weights' hash.
        inner_bundle: those of ``talbot``'s weights, in a file of ``ledig2017``; empty for other codecs.
        width, height: in pixels.
        channels: 1 (grey) or 3 (RGB), without alpha.
        depth: 8 or 16 bits a sample.
        alpha: whether there is an alpha channel.
        quality: 1..100, as the encoder was told or found.
        tile: side of a tile in pixels.
        tiles: number of tiles.
        layers: layers of a progressive file that are there, at least in part; 0 for other files.
        most_layers: as many as there could be, for the encoder was told so; 0 for other files.
        truncated: whether a progressive file just stops. It decodes all the same.
        icc, exif, xmp, iptc, text, alpha_bytes: bytes of the colour profile, EXIF, XMP, IPTC, text and the coded
            alpha; 0 where there is none.
        cicp: colour code points (ITU-T H.273): primaries and transfer; None where there are none.
        dpi: resolution across and down, in pixels an inch; None where there is none.
        size: bytes of the file.
        inside: what tiles that hold files are, counted, or the one file that there is; empty for codecs of other tiles.
        kinds: what each tile of ``talbot-stills`` is, in raster order: ``network``, ``WebP``, ``AVIF and network``.
    """

    codec: str
    bundle: str
    width: int
    height: int
    channels: int
    depth: int
    alpha: bool
    quality: float
    tile: int
    tiles: int
    icc: int
    exif: int
    xmp: int
    alpha_bytes: int
    size: int
    layers: int = 0
    most_layers: int = 0
    truncated: bool = False
    iptc: int = 0
    text: int = 0
    cicp: tuple[int, int] | None = None
    dpi: tuple[float, float] | None = None
    inside: str = ""
    kinds: tuple[str, ...] = ()
    inner_bundle: str = ""

    @property
    def bpp(self) -> float:
        """Bits per pixel of the whole file."""
        return 8 * self.size / (self.width * self.height)


def probe(data: bytes) -> Info:
    """Facts about a whole file; FormatError if it is not one. A progressive one may be cut."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FormatError(f"probe takes the bytes of a file, not {type(data).__name__}")
    data = bytes(data)
    content = container.unpack(data)
    header, about = content.header, content.metadata
    kinds = _kinds(content) if header.codec == STILLS else ()
    return Info(
        codec=header.codec, bundle=header.bundle.hex(), width=header.width, height=header.height,
        channels=header.channels, depth=header.depth, alpha=header.alpha, quality=header.quality / QUALITY_STEPS,
        tile=header.tile, tiles=header.tile_count, icc=len(content.icc or b""), exif=len(content.exif or b""),
        xmp=len(content.xmp or b""), alpha_bytes=len(content.alpha or b""), size=len(data),
        layers=-(-len(content.tiles) // header.tile_count) if header.layers else 0, most_layers=header.layers,
        truncated=content.truncated, iptc=len(about.iptc or b""), text=len(write_text(about.text or ())),
        cicp=about.cicp and (about.cicp.primaries, about.cicp.transfer),
        dpi=about.density and (round(about.density.x * 0.0254, 2), round(about.density.y * 0.0254, 2)),
        inside=_inside(content) or counted(kinds), kinds=kinds, inner_bundle=_inner_bundle(content),
    )  # fmt: skip


def _inside(content: container.Container) -> str:
    codec = content.header.codec
    if codec == AROUND and content.tiles and content.tiles[0]:
        return named(content.tiles[0])
    return described(content.tiles) if codec == LOSSLESS else ""


def _inner_bundle(content: container.Container) -> str:
    first = content.tiles[0] if content.header.codec == ENLARGED and content.tiles else None
    return (first or b"")[:4].hex()  # each tile begins with it


def _kinds(content: container.Container) -> tuple[str, ...]:
    from ..codecs.talbot.tiles import named as kind_of

    header = content.header
    places = grid(Rectangle(0, 0, header.width, header.height), header.tile)
    return tuple(
        kind_of(tile or b"", place.height, place.width)
        for tile, (_, _, place) in zip(content.tiles, places, strict=True)
    )
