# SPDX-License-Identifier: BSD-3-Clause
"""A picture to the bytes of a ``.calo`` file, in memory and in a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import codecs, container, raster
from ..arguments import number
from ..arrays import Progress
from ..atomic import write_atomically
from ..codecs.quality import QUALITY_MAX, QUALITY_MIN, to_header
from ..container import Container, boxes, header_for
from ..engine.runtime import choose_threads
from ..errors import PictureError
from . import rate_control as rate

if TYPE_CHECKING:
    from PIL import Image

    from ..raster import Raster

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
        header = header_for(source, opened.bundle, stored, opened.tile, opened.layers)
        return container.pack(Container(header, source.metadata, alpha, tuple(payloads)))

    if size is None and target_psnr is None and target_ssim is None:
        stored = to_header(DEFAULT_QUALITY if quality is None else quality)
        return pack(opened.encode(source.samples, stored, progress), stored)
    latents = opened.latents(source.samples)
    if size is not None:
        tiles = -(-source.width // opened.tile) * -(-source.height // opened.tile)
        first = [b""] * (1 if opened.layers else tiles)
        overhead = len(pack(first, rate.LOWEST)) - boxes.size(0) * len(first)
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
        size = overhead + sum(boxes.size(len(payload)) for payload in payloads)
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
    from .. import metrics

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


def write(path: str | Path, picture: Image.Image | npt.NDArray[Any] | Raster, **options: Any) -> None:
    """:func:`encode` to a file, which appears whole or not at all; takes the same options."""
    write_atomically(Path(path), encode(picture, **options))
