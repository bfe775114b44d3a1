# SPDX-License-Identifier: BSD-3-Clause
"""The verbs behind :mod:`calotype`: pictures to bytes and back, in memory and in files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import codecs, container, raster, rate
from .checks import number, whole, wholes
from .container import Container, Header
from .errors import DamageWarning, FormatError, PictureError
from .quality import QUALITY_MAX, QUALITY_MIN, to_header
from .runtime import choose_threads
from .tiling import Rectangle

if TYPE_CHECKING:
    from PIL import Image

    from .raster import Raster

Progress = Callable[[int, int], None]
Region = tuple[int, int, int, int]
DEFAULT_QUALITY = 60.0
EMPTY_BOX = 6  # bytes of a box without payload


def encode(
    picture: Image.Image | npt.NDArray[Any] | Raster,
    *,
    quality: float | None = None,
    codec: str = codecs.DEFAULT,
    target_size: int | None = None,
    target_psnr: float | None = None,
    target_ssim: float | None = None,
    strip: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> bytes:
    """A picture as the bytes of a ``.calo`` file.

    Args:
        picture: a Pillow image (not mode F), an array ``(H, W)`` or ``(H, W, 1..4)`` of uint8 or uint16, or a Raster.
        quality: 1 (smallest) to 100 (nearly lossless); 60 if no target is given.
        codec: id of the codec.
        target_size: instead of a quality: at most so many bytes, as near to them as it goes.
        target_psnr: instead of a quality: at least so many dB (RGB).
        target_ssim: instead of a quality: at least this SSIM, 0..1.
        strip: leave out colour profile, EXIF and XMP.
        threads: of the computation; all cores, eight at most, by default.
        progress: called with tiles done and tiles in total.
        options: of the codec, as it says in :mod:`calotype.codecs`; None for its default.

    Raises:
        PictureError: the picture or a parameter is outside of what can be stored, or the target cannot be reached.
        BundleError: the codec's weights are not installed.
    """
    quality, size, target_psnr, target_ssim = _request(quality, target_size, target_psnr, target_ssim)
    source = raster.from_picture(picture, strip=strip)
    opened = codecs.get(codec).open(choose_threads(threads))
    opened = opened.with_options(**{name: value for name, value in options.items() if value is not None})
    alpha = None if source.alpha is None else raster.encode_alpha(source.alpha)

    def pack(payloads: list[bytes], stored: int) -> bytes:
        header = Header(
            codec=codec, bundle=opened.bundle.tag, width=source.width, height=source.height, channels=source.channels,
            depth=source.depth, alpha=alpha is not None, quality=stored, tile=opened.tile,
            layers=opened.layers,
        )  # fmt: skip
        return container.pack(Container(header, source.icc, source.exif, source.xmp, alpha, tuple(payloads)))

    if size is None and target_psnr is None and target_ssim is None:
        stored = to_header(DEFAULT_QUALITY if quality is None else quality)
        return pack(opened.encode(source.samples, stored, progress), stored)
    latents = opened.latents(source.samples)
    if size is not None:
        tiles = -(-source.width // opened.tile) * -(-source.height // opened.tile)
        first = [b""] * (1 if opened.layers else tiles)
        overhead = len(pack(first, rate.LOWEST)) - EMPTY_BOX * len(first)
        payloads, stored = _to_size(lambda q: opened.encode_latents(latents, q), overhead, size, progress)
        return pack(payloads, stored)
    shape = (source.height, source.width, source.channels)

    def attempt(stored: int) -> tuple[list[bytes], Raster]:
        payloads = opened.encode_latents(latents, stored)
        return payloads, raster.Raster(opened.decode(payloads, shape, source.depth, stored))

    return pack(*_to_fidelity(attempt, source, target_psnr, target_ssim, progress))


def _request(quality: object, size: object, psnr: object, ssim: object) -> list[float | None]:
    """The four demands as numbers; PictureError for more than one of them, or for one that makes no sense."""
    demands = {
        "quality": (quality, QUALITY_MIN, QUALITY_MAX),
        "target_size": (size, 1, 1 << 40),
        "target_psnr": (psnr, 0, 100),
        "target_ssim": (ssim, 0, 1),
    }
    if sum(value is not None for value, *_ in demands.values()) > 1:
        raise PictureError("give one of quality, target_size, target_psnr and target_ssim, not several")
    numbers = []
    for name, (value, low, high) in demands.items():
        numbers.append(number(value))
        if value is not None and (numbers[-1] is None or not low <= numbers[-1] <= high):
            raise PictureError(f"{name} should be a number from {low:g} to {high:,g}, not {value!r}")
    return numbers


def _to_size(
    encode: Callable[[int], list[bytes]], overhead: int, target: float, progress: Progress | None
) -> tuple[list[bytes], int]:
    """Payloads and stored quality of the best file of at most ``target`` bytes; ``overhead`` of them surround tiles."""

    def evaluate(stored: int) -> tuple[list[bytes], float]:
        payloads = encode(stored)
        # A box's length takes up to three bytes more than that of an empty one.
        sizes = (len(p) + (len(p) > 127) + (len(p) > 16383) + (len(p) > 2097151) for p in payloads)
        size = overhead + EMPTY_BOX * len(payloads) + sum(sizes)
        return payloads, math.log(size)  # about linear in the quality

    found, met = rate.search(evaluate, math.log(target), at_most=True, tolerance=0.003, progress=progress)
    if not met:
        raise PictureError(
            f"{target:,.0f} bytes cannot be reached: at the lowest quality this picture takes "
            f"{round(math.exp(found.value)):,} bytes; scale it down, or strip its metadata"
        )
    return found.result, found.quality


def _to_fidelity(
    attempt: Callable[[int], tuple[list[bytes], Raster]],
    source: Raster,
    psnr: float | None,
    ssim: float | None,
    progress: Progress | None,
) -> tuple[list[bytes], int]:
    """Payloads and stored quality of the smallest file with at least the wanted PSNR or SSIM."""
    from . import metrics

    def evaluate(stored: int) -> tuple[list[bytes], float]:
        payloads, decoded = attempt(stored)
        if psnr is not None:
            return payloads, metrics.psnr(source.samples, decoded.samples)
        return payloads, _ssim_scale(metrics.ssim(source.samples, decoded.samples))

    wanted = psnr if psnr is not None else _ssim_scale(ssim or 0.0)
    found, met = rate.search(evaluate, wanted, at_most=False, tolerance=0.02, progress=progress)
    if not met:
        name, best = ("PSNR", found.value) if psnr is not None else ("SSIM", 1 - 10 ** (-found.value / 10))
        raise PictureError(
            f"{name} {psnr if psnr is not None else ssim:g} cannot be reached: the highest quality gives {best:.4g}"
        )
    return found.result, found.quality


def _ssim_scale(value: float) -> float:
    """SSIM in decibels, which rise about linearly with the quality."""
    return -10 * math.log10(max(1 - value, 1e-9))


def decode_raster(
    data: bytes,
    *,
    region: Region | None = None,
    iterations: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
) -> Raster:
    """Like :func:`decode`, but with full depth and metadata: what the command line writes files from."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FormatError(f"decode takes the bytes of a file, not {type(data).__name__}; read takes its path")
    content = container.unpack(bytes(data), salvage=salvage)
    asked = None if iterations is None else _boxes(iterations, content.header)
    # A file that was cut behind all that is asked for misses nothing.
    enough = content.truncated and asked is not None and asked <= len(content.tiles)
    for sentence in () if enough else content.warnings:
        warnings.warn(sentence, DamageWarning, stacklevel=3)
    return decode_container(
        content, region=region, boxes=asked, threads=threads, salvage=salvage, max_pixels=max_pixels, progress=progress
    )


def decode_container(
    content: Container,
    *,
    region: Region | None = None,
    boxes: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
    samples: Any = None,
) -> Raster:
    """Like :func:`decode_raster`, from a file that has been unpacked, and from so many ``boxes`` of tiles at most.

    ``samples`` are given if they have been decoded already.
    """
    header = content.header
    tiles = content.tiles[:boxes]
    place = None if region is None else _place(region, header)
    check_pixels(header, max_pixels)
    if samples is None:
        opened = codec_of(header, threads)
        shape = (header.height, header.width, header.channels)
        samples = opened.decode(tiles, shape, header.depth, header.quality, place, progress, salvage)
    alpha = None
    if content.alpha is not None:
        try:
            alpha = raster.decode_alpha(content.alpha, header.width, header.height, header.depth)
        except FormatError as error:
            if not salvage:
                raise
            warnings.warn(str(error), DamageWarning, stacklevel=2)
        if alpha is not None and place:
            alpha = np.ascontiguousarray(alpha[place.slices])
    return raster.Raster(samples, alpha, content.icc, content.exif, content.xmp)


def check_pixels(header: Header, max_pixels: int | None) -> None:
    """PictureError if a picture has more pixels than allowed; None allows all that a file can have."""
    most = whole(max_pixels)
    if max_pixels is not None and most is None:
        raise PictureError(f"max_pixels should be a whole number, not {max_pixels!r}")
    if most is not None and header.width * header.height > most:
        raise PictureError(
            f"the picture has {header.width} x {header.height} pixels, and max_pixels is {most}: allow more, or "
            "leave it"
        )


def codec_of(header: Header, threads: int | None) -> codecs.Codec:
    """The codec of a file; FormatError if there is none, or its header is wrong, BundleError without its weights."""
    if header.codec not in codecs.REGISTRY:
        raise FormatError(
            f"the file was made by codec '{header.codec}', which this version does not know; upgrade Calotype"
        )
    opened = codecs.get(header.codec).open(choose_threads(threads), header.bundle)
    if header.layers and not opened.layers:
        raise FormatError(f"the header names {header.layers} layers; {header.codec} has none")
    opened.check(header)
    return opened


def _boxes(iterations: int, header: Header) -> int:
    """How many tiles, over all layers, so many iterations have; PictureError if the file is not progressive."""
    wanted = whole(iterations)
    if wanted is None or wanted < 1:
        raise PictureError(f"iterations {iterations!r} should be a whole number from 1 on")
    if not header.layers:
        raise PictureError(f"the file was made by codec '{header.codec}', which has no iterations: decode it whole")
    return wanted * header.tile_count


def _place(region: Region, header: Header) -> Rectangle:
    """A region as a rectangle; PictureError if it does not lie within the picture."""
    edges = wholes(region, 4)
    if edges:
        left, top, right, bottom = edges
        if 0 <= left < right <= header.width and 0 <= top < bottom <= header.height:
            return Rectangle(left, top, right, bottom)
    raise PictureError(
        f"region {region!r} is not left, top, right, bottom within the picture of "
        f"{header.width} x {header.height} pixels"
    )


def decode(
    data: bytes,
    *,
    region: Region | None = None,
    iterations: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
    as_array: bool = False,
) -> Any:
    """The picture in the bytes of a ``.calo`` file, as a Pillow image (or an array).

    Args:
        data: the whole file. A progressive one (codec ``toderici2017``) may be cut: what it holds comes with a
            DamageWarning, unless it holds all ``iterations`` that are asked for.
        region: (left, top, right, bottom) in pixels: decode only this part, from the tiles that it needs.
        iterations: of a progressive file, decode so many at most.
        threads: of the computation; all cores, eight at most, by default.
        salvage: give back what a damaged file still holds instead of an error; what is lost comes as DamageWarning.
        max_pixels: refuse larger pictures, whatever the region: a small file from a stranger may claim a large one,
            which takes time and memory.
        progress: called with parts done and parts in total.
        as_array: an array ``(H, W)`` or ``(H, W, 2..4)`` of uint8 or uint16 instead of an image; the only way to get
            16-bit colour, for which Pillow has no mode.

    Raises:
        FormatError: the data is not a whole, sound file.
        BundleError: the weights that the file names are not installed.
        PictureError: the region lies outside of the picture, the file has no iterations, or the picture
            has more than max_pixels.
    """
    decoded = decode_raster(
        data, region=region, iterations=iterations, threads=threads, salvage=salvage, max_pixels=max_pixels,
        progress=progress,
    )  # fmt: skip
    return raster.to_array(decoded) if as_array else raster.to_image(decoded)


def read(path: str | Path, **options: Any) -> Any:
    """:func:`decode` for a file; takes the same options."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"cannot read {path}: {error.strerror or error}") from error
    return decode(data, **options)


def write(path: str | Path, picture: Image.Image | npt.NDArray[Any] | Raster, **options: Any) -> None:
    """:func:`encode` to a file, which appears whole or not at all; takes the same options."""
    from .files import write_atomically

    write_atomically(Path(path), encode(picture, **options))
