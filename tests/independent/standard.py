# SPDX-License-Identifier: BSD-3-Clause
"""Codecs ``lossless`` and ``tao2017``: standard files inside, which libraries decode."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from .bundle import Weights, planes, samples
from .container import DamageError, File, need
from .rans import Array

FIRST_BYTES = {
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff",
    "JP2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "J2K": b"\xff\x4f\xff\x51",
    "WebP": b"RIFF",
    "AVIF": b"ftyp",
    "JXL": b"\xff\x0a",
    "JXL boxes": b"\0\0\0\x0cJXL \r\n\x87\n",
}


def kind(data: bytes) -> str:
    for name, start in FIRST_BYTES.items():
        if data[4 if name == "AVIF" else 0 :].startswith(start):
            return name
    raise DamageError("format of the file inside")


def pixels(data: bytes) -> Array:
    """Samples of a picture file as they are stored: grey or RGB, 8 or 16 bits."""
    if kind(data).startswith("JXL"):
        import imagecodecs

        return np.asarray(imagecodecs.jpegxl_decode(data))
    if kind(data) == "PNG" and data[24:26] == b"\x10\x02":  # for which Pillow has no mode
        import imagecodecs

        return np.asarray(imagecodecs.png_decode(data))
    with Image.open(io.BytesIO(data)) as image:
        mode = image.mode if image.mode in ("L", "I;16") else "RGB"
        return np.asarray(image if image.mode == mode else image.convert(mode))


def orientation(data: bytes) -> int:
    """EXIF's; Pillow says so too what an AVIF says in boxes of its own."""
    with Image.open(io.BytesIO(data)) as image:
        found: int = image.getexif().get(0x112, 1)
        return found


def upright(x: Array, o: int) -> Array:
    x = x.swapaxes(0, 1) if o >= 5 else x
    return x[:: -1 if o in (3, 4, 7, 8) else 1, :: -1 if o in (2, 3, 6, 7) else 1]


def boxes(data: bytes) -> list[bytes]:
    """Types of the boxes of a JPEG XL file."""
    found, at = [], 0
    while at < len(data) and kind(data) == "JXL boxes":
        size, name = struct.unpack_from(">I4s", data, at)
        found.append(name)
        at += size if size > 1 else struct.unpack_from(">Q", data, at + 8)[0] if size else len(data)
    return found


def jpeg_of(payload: bytes) -> bytes | None:
    """The JPEG that a tile keeps, if it does."""
    if kind(payload) == "JPEG":
        return payload
    if b"jbrd" in boxes(payload):
        import imagecodecs

        return bytes(imagecodecs.jpegxl_decode_jpeg(payload))
    return None


def decode_lossless(file: File) -> Array:
    need(file.quality == 0 and file.bundle == bytes(4), "quality or bundle")
    if len(file.tiles) == 1 and (jpeg := jpeg_of(file.tiles[0])):
        return upright(pixels(jpeg), orientation(jpeg))
    out = np.empty((file.height, file.width, 3 if file.colour else 1), np.uint16 if file.deep else np.uint8)
    for payload, place in zip(file.tiles, file.places(), strict=True):
        out[place] = np.atleast_3d(pixels(payload))[..., : out.shape[2]]
    return out if file.colour else out[..., 0]


def decode_tao2017(file: File, folders: list[Path]) -> Array:
    weights, data = Weights(folders, file.bundle), file.tiles[0]
    x, o = pixels(data), orientation(data)
    height, width = (file.width, file.height) if o >= 5 else (file.height, file.width)
    scale = 1 if x.shape[:2] == (height, width) else 2
    need(x.shape[:2] == (-(-height // scale), -(-width // scale)), "size of the file inside")
    if x.ndim == 3 and not file.colour:
        x = np.rint(x @ [0.299, 0.587, 0.114]).astype(x.dtype)
    if x.dtype == np.uint8 and file.deep:
        x = x.astype(np.uint16) * np.uint16(257)
    network = f"rec{scale}"
    stride = weights.configuration[network]["stride"]
    y = weights.run(network, planes(x, stride), strength(data, x, weights))[0]
    if scale == 2 and "enlarge" in weights.configuration:
        x = samples(y, file, *x.shape[:2])
        y = weights.run("enlarge", planes(x, weights.configuration["enlarge"]["stride"]))[0]
    return upright(samples(y, file, height, width), o)


def strength(data: bytes, x: Array, weights: Weights) -> Array:
    if kind(data) == "JPEG":
        with Image.open(io.BytesIO(data)) as image:  # Pillow has the steps row by row
            tables, components = image.quantization, image.layer  # type: ignore[attr-defined]
        steps = [tables[c[3]] for c in (components[0], components[min(1, len(components) - 1)])]
        return weights.run("tables", np.log2(np.array(steps, np.float64)).reshape(128, 1, 1))[0]
    crops = [x[i : i + 256, j : j + 256] for i in begins(x.shape[0]) for j in begins(x.shape[1])]
    return np.asarray(np.mean([weights.run("estimate", planes(crop, 16))[0] for crop in crops], 0))


def begins(n: int) -> list[int]:
    m, r = min(3, max(1, n // 256)), max(0, n - 256)
    return [(r // 2 if m == 1 else i * r // (m - 1)) // 16 * 16 for i in range(m)]
