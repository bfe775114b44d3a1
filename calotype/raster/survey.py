# SPDX-License-Identifier: BSD-3-Clause
"""What a picture file holds beside what Pillow gives: colour code points, and what will not be kept."""

from __future__ import annotations

import re
import struct
import warnings
from bisect import bisect_left
from dataclasses import dataclass

from PIL import Image, ImageFile

from ..container import CodePoints
from ..errors import LossWarning
from . import colour
from .modes import raw_mode
from .ppm import ppm_header

_HEAD = 2**18  # bytes of a file in which its structure stands
_LONGEST_XMP = 2**17  # bytes: what does not fit into the one segment of a JPEG announces nothing, and takes time
_PAGES = ("TIFF",)
_SAMPLES_PER_PIXEL = 277  # tag of TIFF
_PNG_LUMINANCE = {b"mDCV", b"cLLI", b"mDCv", b"cLLi"}  # the last two from before the third edition of PNG
_AVIF_LUMINANCE = re.compile(rb"\0\0\0(?:\x20mdcv|\x0cclli)")
# What announces other pictures, a video or further metadata, none of which follow the picture.
_ANNOUNCED = rb"(?:hdrgm|HDRGainMap|apdi|GDepth|GImage|GContainer|Container|Item|GCamera:(?:Motion|Micro)\w*|xmpNote)"
_ATTRIBUTES = re.compile(rb"\s(?:xmlns:)?" + _ANNOUNCED + rb"(?::[\w-]+)?\s*=\s*(?:\"[^\"<]*\"|'[^'<]*')")
_OPENING = re.compile(rb"<(" + _ANNOUNCED + rb"(?::[\w-]+)?)(?=[\s>/])[^<>]*>")
_CLOSING = re.compile(rb"</(" + _ANNOUNCED + rb"(?::[\w-]+)?)\s*>")
_PASSES = 8  # over elements: what is left after one or two is no XML, and could take one for each of its tags

_VIDEO = re.compile(rb"GCamera:(?:MotionPhoto|MicroVideo)\s*(?:=\s*[\"']|>)1")


@dataclass(frozen=True)
class Survey:
    """What was found in a file."""

    points: CodePoints | None = None
    frames: int = 1
    pages: bool = False
    gain_map: bool = False
    video: bool = False  # of a motion photo
    bits: int = 8  # a sample, as far as the file says it here
    luminance: bool = False  # of HDR: the display that it was made on, and the light of its contents
    extra: int = 0  # samples of a pixel that are neither colour nor alpha
    narrowed: bool = False  # to 8 bits, by Pillow, whatever else is installed


def survey(image: Image.Image) -> Survey:
    """Look at an opened image whose file is still open; nothing is found of any other."""
    file = getattr(image, "fp", None)
    if not isinstance(image, ImageFile.ImageFile) or file is None:
        return Survey(frames=_frames(image), pages=image.format in _PAGES)
    place = file.tell()
    try:
        file.seek(0)
        head = file.read(_HEAD)
    finally:
        file.seek(place)
    points, bits = None, 8
    if image.format == "PNG":
        points = _png_points(head)
    elif image.format == "AVIF":
        points, bits = _avif_points(head), _avif_bits(head)
    elif image.format == "JPEG2000":
        bits = _jpeg2000_bits(head)
    elif image.format == "PPM":
        bits = _ppm_bits(head)
    elif image.format == "SGI" and len(head) > 3:
        bits = 8 * head[3]
    elif image.format == "TIFF" and str(raw_mode(image)).startswith("CMYK;16"):
        bits = 16
    narrowed = bits > 8 and image.format in ("SGI", "TIFF")
    gain_map = image.format in ("JPEG", "MPO") and (b"hdrgm:" in head or b"urn:iso:std:iso:ts:21496" in head)
    gain_map = gain_map or (image.format == "AVIF" and b"tmap" in head[:4096])
    video = image.format in ("JPEG", "MPO") and _VIDEO.search(head) is not None
    luminance = image.format == "PNG" and not _PNG_LUMINANCE.isdisjoint(png_chunks(head))
    luminance = luminance or (image.format == "AVIF" and _AVIF_LUMINANCE.search(head[:4096]) is not None)
    return Survey(
        points,
        _frames(image),
        image.format in _PAGES,
        gain_map,
        video,
        bits,
        luminance,
        _extra_samples(image),
        narrowed,
    )


def _extra_samples(image: Image.Image) -> int:
    """Samples of a TIFF that Pillow passes over: spot colours, masks, or what the file gives no meaning."""
    count = getattr(image, "tag_v2", {}).get(_SAMPLES_PER_PIXEL)
    kept = [band for band in image.getbands() if band != "X"]
    return max(count - len(kept), 0) if isinstance(count, int) else 0


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # of a damaged file; reading its first picture will say so, or go well
        return 1


def warn_of_losses(found: Survey) -> None:
    """A LossWarning for each kind of thing that is left out of what was found."""
    left = ["the video behind it (a motion photo) is left out"] if found.video else []
    if found.gain_map:
        left.append("its gain map (HDR) is left out")
    if found.luminance:
        left.append("what it says of the light of its display and contents (HDR) is left out")
    if found.narrowed:
        left.append(f"its {found.bits} bits a sample become 8")
    if found.extra:
        left.append(f"its samples that are neither colour nor alpha, {found.extra} a pixel, are left out")
    if found.frames > 1 and found.gain_map:
        left += [f"{found.frames - 2} more pictures in the file are left out"] if found.frames > 2 else []
    elif found.frames > 1:
        what = "pages" if found.pages else "pictures"
        left.append(f"it has {found.frames} {what}, of which one is kept")
    for sentence in left:
        warnings.warn(sentence, LossWarning, stacklevel=4)


def without_announcements(xmp: bytes) -> bytes:
    """XMP that does not announce gain maps, depth maps, motion photos or a second part, which do not follow it."""
    if len(xmp) > _LONGEST_XMP:
        return xmp
    cleaned = _ATTRIBUTES.sub(b"", xmp)
    for _ in range(_PASSES):
        before, cleaned = cleaned, _without_elements(cleaned)
        if cleaned == before:
            break
    return cleaned


def _without_elements(xmp: bytes) -> bytes:
    """XMP without the elements that announce something, each from its tag to the next one that closes such an element.

    Closing tags are found first, all at once: to search one for each of thousands of tags that lack it takes minutes.
    """
    closing: dict[bytes, list[tuple[int, int]]] = {}
    for tag in _CLOSING.finditer(xmp):
        closing.setdefault(tag[1], []).append(tag.span())
    kept, stop = [], 0
    for tag in _OPENING.finditer(xmp):
        if tag.start() < stop:
            continue
        end = tag.end()
        if not tag[0].endswith(b"/>"):
            ends = closing.get(tag[1], [])
            place = bisect_left(ends, (end, end))
            if place == len(ends):
                continue
            end = ends[place][1]
        kept.append(xmp[stop : tag.start()])
        stop = end
    return b"".join([*kept, xmp[stop:]])


def png_chunks(head: bytes) -> dict[bytes, bytes]:
    """Chunks before the pixels, by kind."""
    chunks: dict[bytes, bytes] = {}
    offset = 8
    while offset + 8 <= len(head) and head[offset + 4 : offset + 8] != b"IDAT":
        (size,) = struct.unpack_from(">I", head, offset)
        chunks[head[offset + 4 : offset + 8]] = head[offset + 8 : offset + 8 + size]
        offset += 12 + size
    return chunks


def _png_points(head: bytes) -> CodePoints | None:
    data = png_chunks(head).get(b"cICP", b"")
    return colour.meaningful(data[0], data[1]) if len(data) == 4 and data[2:] == b"\0\1" else None


def _avif_points(head: bytes) -> CodePoints | None:
    place = head.find(b"colrnclx")
    if place < 0 or len(head) < place + 14:
        return None
    primaries, transfer = struct.unpack_from(">HH", head, place + 8)
    return colour.meaningful(primaries, transfer)


def _avif_bits(head: bytes) -> int:
    place = head.find(b"av1C")
    flags = head[place + 6] if place >= 0 and place + 6 < len(head) else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _jpeg2000_bits(head: bytes) -> int:
    place = head.find(b"\xff\x4f\xff\x51")
    if place < 0 or len(head) < place + 45:
        return 8
    (count,) = struct.unpack_from(">H", head, place + 40)
    depths = head[place + 42 : place + 42 + 3 * count : 3]
    return max(((depth & 0x7F) + 1 for depth in depths), default=8)


def _ppm_bits(head: bytes) -> int:
    header = ppm_header(head)
    return 16 if header is not None and header.peak > 255 else 8
