# SPDX-License-Identifier: BSD-3-Clause
"""Pictures, metadata and profiles that the tests draw."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from calotype.raster import png16

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="1" note="gr\xc3\xbcn"/></x:xmpmeta>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_MODES = ["1", "L", "LA", "La"]
COLOUR_MODES = ["RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"]


def pattern(height: int = 9, width: int = 13, channels: int = 3, dtype: Any = np.uint8) -> Any:
    """Numbers that differ at every place and use the whole range."""
    top = np.iinfo(dtype).max
    values = np.linspace(0, top, height * width * channels).round().astype(dtype)
    return values.reshape(height, width, channels)[..., :: -1 if channels == 3 else 1]


def image_of(mode: str) -> Image.Image:
    base = Image.fromarray(pattern(channels=1)[..., 0] if mode in GREY_MODES else pattern())
    if mode in ("LA", "La", "RGBA", "RGBa"):
        base.putalpha(Image.fromarray(pattern(channels=1)[::-1, :, 0]))
    if mode == "LAB":
        chain = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        return ImageCms.applyTransform(base, chain)  # type: ignore[return-value]
    return base if base.mode == mode else base.convert(mode)


def exif_bytes(orientation: int = 1, order: str = "<") -> bytes:
    """IFD0 with a maker, an orientation and a copyright."""
    text = b"Fox Talbot\0"
    tags = [(271, 2, len(text), struct.pack(order + "I", 50)), (274, 3, 1, struct.pack(order + "HH", orientation, 0))]
    tags.append((33432, 2, 4, b"CC0\0"))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 3)
    body = b"".join(struct.pack(order + "HHI", *tag[:3]) + tag[3] for tag in tags)
    return head + body + struct.pack(order + "I", 0) + text + b"\0"


def profile(space: str, gamma: float = 2.2) -> bytes:
    """A small ICC profile: RGB with swapped primaries, grey, or CMYK through a table of 2 x 2 x 2 x 2."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags: list[tuple[bytes, bytes]] = [(b"wtpt", b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249))]
    pcs = b"XYZ "
    if space == "RGB ":
        primaries = {b"rXYZ": (0.61, 0.31, 0.02), b"gXYZ": (0.205, 0.626, 0.061), b"bXYZ": (0.149, 0.064, 0.744)}
        tags += [(name, b"XYZ \0\0\0\0" + fixed(*xyz)) for name, xyz in primaries.items()]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    elif space == "GRAY":
        tags.append((b"kTRC", curve))
    else:
        pcs = b"Lab "
        grid = bytearray()
        for corner in range(16):
            c, m, y, k = (corner >> bit & 1 for bit in (3, 2, 1, 0))
            grid += bytes([0 if k else 255 - 60 * (c + m + y), 128 + 40 * (m - c), 128 + 40 * (y - c)])
        identity = bytes(range(256))
        table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        tags.append((b"A2B0", table + identity * 4 + bytes(grid) + identity * 3))
    offset = 132 + 12 * len(tags)
    directory, data = struct.pack(">I", len(tags)), b""
    for name, content in tags:
        content += b"\0" * (-len(content) % 4)
        directory += name + struct.pack(">II", offset + len(data), len(content))
        data += content
    kind = b"prtr" if space == "CMYK" else b"mntr"
    head = struct.pack(">I4sI", offset + len(data), b"\0\0\0\0", 0x02100000) + kind + space.encode() + pcs
    return head + b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1, 0.8249) + b"\0" * 48 + directory + data


def png(width: int, height: int, idat: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    file = io.BytesIO(png16.SIGNATURE)
    file.seek(0, 2)
    for kind, data in ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), *extra, (b"IDAT", idat)):
        png16.chunk(file, kind, data)
    png16.chunk(file, b"IEND", b"")
    return file.getvalue()
