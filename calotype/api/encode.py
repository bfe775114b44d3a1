# SPDX-License-Identifier: BSD-3-Clause
"""A picture to the bytes of a ``.calo`` file, in memory and in a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import codecs, container, raster
from ..arguments import check_path, number
from ..arrays import Progress
from ..atomic import write_atomically
from ..codecs.quality import QUALITY_MAX, QUALITY_MIN, to_header
from ..container import Container, boxes, header_for
from ..engine.runtime import choose_threads
from ..errors import PictureError
from ..raster.bleeding import extend_colours
from . import rate_control as rate
from .verify import check_decodes

if TYPE_CHECKING:
    from PIL import Image

    from ..metrics.metric import Metric
    from ..raster import Raster

DEFAULT_QUALITY = 60.0
LOSSLESS = 1000.0  # above any value on the scale of a metric, and finite


def encode(
    picture: Image.Image | npt.NDArray[Any] | Raster,
    *,
    quality: float | None = None,
    codec: str = codecs.DEFAULT,
    lossless: bool = False,
    target_size: int | None = None,
    target_psnr: float | None = None,
    target_ssim: float | None = None,
    target_ssimulacra2: float | None = None,
    strip: bool = False,
    verify: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> bytes:
    """A picture as the bytes of a ``.calo`` file.

    Args:
        picture: a Pillow image (not mode F), an array ``(H, W)`` or ``(H, W, 1..4)`` of uint8 or uint16, or a Raster.
        quality: 1 (smallest) to 100 (looks lossless); 60 if no target is given.
        codec: id of the codec.
        lossless: the same as ``codec="lossless"``: every sample comes back.
        target_size: instead of a quality: at most so many bytes, as near to them as it goes.
        target_psnr: instead of a quality: at least so many dB (RGB).
        target_ssim: instead of a quality: at least this SSIM, 0..1.
        target_ssimulacra2: instead of a quality: at least this SSIMULACRA 2, 0..100: 80 is high, 90 seems lossless.
        strip: leave out colour profile, EXIF and XMP.
        verify: decode what was made, and compare, before it is given back.
        threads: of the computation; all cores, eight at most, by default.
        progress: called with tiles done and tiles in total.
        options: of the codec, by name; None for its default. ``calotype codecs`` and ``docs/codecs.md`` list them.

    Raises:
        PictureError: the picture or a parameter is outside what can be stored, or the target cannot be reached.
        BundleError: the codec's weights are not installed.
        DependencyError: a package that an option needs is not installed.
        FormatError: what was made does not decode as it should (``verify``).
    """
    fidelity = {"psnr": target_psnr, "ssim": target_ssim, "ssimulacra2": target_ssimulacra2}
    quality, size, aim = _request(quality, target_size, fidelity)
    source = raster.from_picture(picture, strip=strip)
    entry = _entry(codec, lossless)
    if entry.lossless and (quality, size, aim) != (None, None, None):
        raise PictureError(f"codec '{entry.id}' gives back every sample: leave out quality and targets")
    chosen = entry.validated({name: value for name, value in options.items() if value is not None})
    opened = entry.open(choose_threads(threads)).with_options(chosen)
    alpha = None if source.alpha is None else raster.encode_alpha(source.alpha)
    if not entry.lossless:
        source = replace(source, samples=extend_colours(source.samples, source.alpha))

    def named(payloads: list[bytes]) -> str:
        return opened.file_id(payloads) if isinstance(opened, codecs.SeveralIds) else opened.bundle.codec

    def pack(payloads: list[bytes], stored: int, surroundings: bool = False) -> bytes:
        header = header_for(source, opened.bundle, stored, opened.tile, opened.layers)
        header = replace(header, codec=named(payloads))
        data = container.pack(Container(header, source.metadata, alpha, tuple(payloads)))
        if verify and not surroundings:
            check_decodes(data, source, threads=threads)
        return data

    if size is None and aim is None:
        stored = 0 if entry.lossless else to_header(DEFAULT_QUALITY if quality is None else quality)
        return pack(opened.encode(source.samples, stored, progress), stored)
    latents = opened.latents(source.samples)
    if aim is None:
        tiles = -(-source.width // opened.tile) * -(-source.height // opened.tile)
        first = [b""] * (1 if opened.layers else tiles)
        overhead = len(pack(first, rate.LOWEST, surroundings=True)) - boxes.size(0) * len(first)
        overhead -= len(named(first))
        payloads, stored = _to_size(
            lambda q: opened.encode_latents(latents, q), lambda tiles: overhead + len(named(tiles)), size or 0, progress
        )
        return pack(payloads, stored)
    shape = (source.height, source.width, source.channels)

    def attempt(stored: int) -> tuple[list[bytes], Raster]:
        payloads = opened.encode_latents(latents, stored)
        return payloads, raster.Raster(opened.decode(payloads, shape, source.depth, stored))

    return pack(*_to_fidelity(attempt, source, *aim, progress))


def _entry(codec: str, lossless: bool) -> codecs.Entry:
    """The codec that was asked for; PictureError if there is none, or it is not lossless and should be."""
    if not lossless:
        return codecs.get(codec)
    entry = codecs.get(codecs.LOSSLESS if codec == codecs.DEFAULT else codec)
    if not entry.lossless:
        raise PictureError(f"codec '{entry.id}' is not lossless: leave out one of codec and lossless")
    return entry


def _request(
    quality: object, size: object, fidelity: Mapping[str, object]
) -> tuple[float | None, float | None, tuple[Metric, float] | None]:
    """Quality, size, and a metric with the value to reach; PictureError for more than one of them, or for nonsense."""
    demands = {"quality": (quality, QUALITY_MIN, QUALITY_MAX), "target_size": (size, 1, 1 << 40)}
    wanted = {name: value for name, value in fidelity.items() if value is not None}
    if wanted:  # the metrics need not be loaded otherwise
        from ..metrics.catalogue import NAMED

        targets = {name: metric.target for name, metric in NAMED.items() if metric.target}
        demands |= {
            f"target_{name}": (value, targets[name].lowest, targets[name].highest) for name, value in wanted.items()
        }
    if sum(value is not None for value, *_ in demands.values()) > 1:
        names = [f"target_{name}" for name in fidelity]
        raise PictureError(f"give one of quality, target_size, {', '.join(names[:-1])} and {names[-1]}, not several")
    numbers = {name: number(value) for name, (value, *_) in demands.items()}
    for name, (value, low, high) in demands.items():
        found = numbers[name]
        if value is not None and (found is None or not low <= found <= high):
            raise PictureError(f"{name} should be a number from {low:g} to {high:,g}, not {value!r}")
    aims = [(NAMED[name], numbers[f"target_{name}"] or 0.0) for name in wanted]
    return numbers["quality"], numbers["target_size"], aims[0] if aims else None


def _to_size(
    encode: Callable[[int], list[bytes]], overhead: Callable[[list[bytes]], int], target: float,
    progress: Progress | None,
) -> tuple[list[bytes], int]:  # fmt: skip
    """Payloads and stored quality of the best file of at most ``target`` bytes; ``overhead`` of them surround tiles."""

    def evaluate(stored: int) -> tuple[list[bytes], float]:
        payloads = encode(stored)
        size = overhead(payloads) + sum(boxes.size(len(payload)) for payload in payloads)
        return payloads, math.log(size)  # about linear in the quality

    found, met = rate.search(evaluate, math.log(target), at_most=True, tolerance=0.003, progress=progress)
    if not met:
        raise PictureError(
            f"a size of {target:,.0f} B cannot be reached: at the lowest quality this picture takes "
            f"{round(math.exp(found.value)):,} B; scale it down, or strip its metadata"
        )
    return found.result, found.quality


def _to_fidelity(
    attempt: Callable[[int], tuple[list[bytes], Raster]],
    source: Raster,
    metric: Metric,
    wanted: float,
    progress: Progress | None,
) -> tuple[list[bytes], int]:
    """Payloads and stored quality of the smallest file with at least the wanted value of a metric."""
    assert metric.target
    target = metric.target

    def height(scaled: float) -> float:
        return min(target.straight(scaled), LOSSLESS)

    def evaluate(stored: int) -> tuple[tuple[list[bytes], float], float]:
        payloads, decoded = attempt(stored)
        value = metric.function(source.samples, decoded.samples)
        return (payloads, value), height(metric.scale(value))

    scaled = metric.scale(wanted)
    tolerance = height(scaled + target.tolerance) - height(scaled)
    found, met = rate.search(evaluate, height(scaled), at_most=False, tolerance=tolerance, progress=progress)
    payloads, best = found.result
    if not met:
        raise PictureError(
            f"{metric.title} {wanted:g} cannot be reached: the highest quality gives {best:.{metric.digits}f}; "
            "ask for less, or encode without loss"
        )
    return payloads, found.quality


def write(path: str | Path, picture: Image.Image | npt.NDArray[Any] | Raster, **options: Any) -> None:
    """:func:`encode` to a file, which appears whole or not at all; takes the same options.

    Raises:
        CalotypeError: the file cannot be written.
        PictureError, BundleError, DependencyError, FormatError: as of :func:`encode`.
    """
    check_path(path, "write", "encode gives the bytes, file.write(encode(picture))")
    write_atomically(Path(path), encode(picture, **options))
