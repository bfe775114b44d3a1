# SPDX-License-Identifier: BSD-3-Clause
"""Real files from training states: exported, entropy-coded, decoded, measured.

A task's own validation looks at what the float networks make of the middles of pictures, because that is quick. Here
whole pictures go through the bundle that users would get.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .. import container, raster
from ..codecs.base import Codec
from ..codecs.quality import to_header
from ..container import Container, header_for
from ..engine.bundles import Bundle
from ..metrics import bits_per_pixel, psnr
from .data import still_readable
from .parents import bundle_in

QUALITIES = (25.0, 50.0, 75.0)


@contextmanager
def exported(export: Callable[[Path], str]) -> Iterator[Bundle]:
    """The bundle that ``export`` writes into a folder, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="calotype-") as folder:
        export(Path(folder) / "bundle")
        yield bundle_in(Path(folder) / "bundle")


def real_files(
    codecs: Mapping[str, Codec], files: Sequence[Path], qualities: Sequence[float] = QUALITIES
) -> dict[str, float]:
    """Mean bits per pixel and PSNR of whole files: ``file_bpp@25``, ``file_psnr@25``, ...

    Args:
        codecs: with what each adds to the names of its figures; nothing, if there is one.
        files: photographs that were not trained on.
        qualities: to encode at.
    """
    figures: dict[str, list[float]] = {}
    for samples in still_readable(files):
        for name, codec in codecs.items():
            latents = codec.latents(samples)
            for quality in qualities:
                stored = to_header(quality)
                tiles = codec.encode_latents(latents, stored)
                header = header_for(raster.Raster(samples), codec.bundle, stored, codec.tile, codec.layers)
                data = container.pack(Container(header, tiles=tuple(tiles)))
                found = container.unpack(data)
                decoded = codec.decode(found.tiles, samples.shape, 8, found.header.quality)
                figures.setdefault(f"file_bpp@{quality:g}{name}", []).append(bits_per_pixel(len(data), samples))
                figures.setdefault(f"file_psnr@{quality:g}{name}", []).append(psnr(samples, decoded))
    return {name: float(np.mean(values)) for name, values in figures.items()}
