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
from .container import Container, Header
from .errors import DamageWarning, FormatError, PictureError
from .runtime import default_threads

if TYPE_CHECKING:
    from PIL import Image

    from .raster import Raster

Progress = Callable[[int, int], None]
Region = tuple[int, int, int, int]
DEFAULT_QUALITY = 60.0


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
) -> bytes:
    """A picture as the bytes of a ``.calo`` file.

    Args:
        picture: a Pillow image of any mode, an array ``(H, W)`` or ``(H, W, 1..4)`` of uint8 or uint16, or a Raster.
        quality: 1 (smallest) to 100 (nearly lossless); 60 if no target is given.
        codec: id of the codec.
        target_size: instead of a quality: at most so many bytes, as near to them as it goes.
        target_psnr: instead of a quality: at least so many dB (RGB).
        target_ssim: instead of a quality: at least this SSIM, 0..1.
        strip: leave out colour profile, EXIF and XMP.
        threads: of the computation; all cores by default.
        progress: called with tiles done and tiles in total.

    Raises:
        PictureError: the picture or a parameter is outside of what can be stored, or the target cannot be reached.
        BundleError: the codec's weights are not installed.
    """
    from .codecs.talbot import TILE, quality_to_header

    targets = [t for t in (quality, target_size, target_psnr, target_ssim) if t is not None]
    if len(targets) > 1:
        raise PictureError("give one of quality, target_size, target_psnr and target_ssim, not several")
    if not targets:
        quality = DEFAULT_QUALITY
    chosen = None if quality is None else quality_to_header(quality)
    source = raster.from_picture(picture, strip=strip)
    opened = codecs.get(codec).open(threads or default_threads())
    alpha = None if source.alpha is None else raster.encode_alpha(source.alpha)

    def pack(payloads: list[bytes], stored: int) -> bytes:
        header = Header(
            codec=codec, bundle=opened.bundle.tag, width=source.width, height=source.height, channels=source.channels,
            depth=source.depth, alpha=alpha is not None, quality=stored, tile=TILE,
        )  # fmt: skip
        return container.pack(Container(header, source.icc, source.exif, source.xmp, alpha, tuple(payloads)))

    if chosen is not None:
        return pack(opened.encode(source.samples, chosen, progress), chosen)
    latents = opened.latents(source.samples)
    if target_size is not None:
        return _to_size(lambda q: pack(opened.encode_latents(latents, q), q), target_size, progress)
    shape = (source.height, source.width, source.channels)

    def attempt(stored: int) -> tuple[list[bytes], Raster]:
        payloads = opened.encode_latents(latents, stored)
        return payloads, raster.Raster(opened.decode(payloads, shape, source.depth, stored))

    payloads, stored = _to_fidelity(attempt, source, target_psnr, target_ssim, progress)
    return pack(payloads, stored)


def _to_size(encode: Callable[[int], bytes], target: int, progress: Progress | None) -> bytes:
    """The file of the highest quality that takes at most ``target`` bytes."""

    def evaluate(stored: int) -> tuple[bytes, float]:
        data = encode(stored)
        return data, math.log(len(data))  # about linear in the quality

    if target < 1:
        raise PictureError(f"a target size of {target} bytes makes no sense")
    found, met = rate.search(evaluate, math.log(target), at_most=True, tolerance=0.003, progress=progress)
    if not met:
        raise PictureError(
            f"{target:,} bytes cannot be reached: at the lowest quality this picture takes {len(found.result):,} "
            "bytes; scale it down, or strip its metadata"
        )
    return found.result


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

    if ssim is not None and not 0 < ssim < 1:
        raise PictureError(f"a target SSIM of {ssim:g} makes no sense: it lies between 0 and 1")
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
    threads: int | None = None,
    salvage: bool = False,
    progress: Progress | None = None,
) -> Raster:
    """Like :func:`decode`, but with full depth and metadata: what the command line writes files from."""
    from .codecs.talbot import TILE, quality_from_header
    from .tiling import Rectangle

    content = container.unpack(data, salvage=salvage)
    for sentence in content.warnings:
        warnings.warn(sentence, DamageWarning, stacklevel=3)
    header = content.header
    if region is not None:
        left, top, right, bottom = region
        if not (0 <= left < right <= header.width and 0 <= top < bottom <= header.height):
            raise PictureError(
                f"region {left},{top},{right},{bottom} does not lie within the picture of "
                f"{header.width} x {header.height} pixels"
            )
    if header.codec not in codecs.REGISTRY:
        raise FormatError(
            f"the file was made by codec '{header.codec}', which this version does not know; upgrade Calotype"
        )
    if header.tile != TILE:
        raise FormatError(f"the header names tiles of {header.tile} pixels; {header.codec} has tiles of {TILE}")
    quality_from_header(header.quality)
    opened = codecs.get(header.codec).open(threads or default_threads(), header.bundle)
    place = Rectangle(*region) if region else None
    samples = opened.decode(
        content.tiles, (header.height, header.width, header.channels), header.depth, header.quality, place, progress,
        salvage,
    )  # fmt: skip
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


def decode(
    data: bytes,
    *,
    region: Region | None = None,
    threads: int | None = None,
    salvage: bool = False,
    progress: Progress | None = None,
    as_array: bool = False,
) -> Any:
    """The picture in the bytes of a ``.calo`` file, as a Pillow image (or an array).

    Args:
        data: the whole file.
        region: (left, top, right, bottom) in pixels: decode only this part, from the tiles that it needs.
        threads: of the computation; all cores by default.
        salvage: give back what a damaged file still holds instead of an error; what is lost comes as DamageWarning.
        progress: called with parts done and parts in total.
        as_array: an array ``(H, W)`` or ``(H, W, 2..4)`` of uint8 or uint16 instead of an image; the only way to get
            16-bit colour, for which Pillow has no mode.

    Raises:
        FormatError: the data is not a whole, sound file.
        BundleError: the weights that the file names are not installed.
        PictureError: the region lies outside of the picture.
    """
    decoded = decode_raster(data, region=region, threads=threads, salvage=salvage, progress=progress)
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
