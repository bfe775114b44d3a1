# SPDX-License-Identifier: BSD-3-Clause
"""Formats of picture files that can be written. It imports nothing, so that the command line starts quickly."""

from __future__ import annotations

FORMATS = {  # by suffix: Pillow's name, but for PGM, the grey half of PPM
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jp2": "JPEG2000",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PGM",
}
