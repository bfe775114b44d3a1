# SPDX-License-Identifier: BSD-3-Clause
"""Real files from a training state of ``talbot``: exported, entropy-coded, decoded, measured.

:meth:`calotype.training.talbot.task.TalbotTask.validate` estimates rates with the float network on the middles of
pictures, because that is quick. Here whole pictures go through the bundle that users would get, with its integer
networks.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ... import container, raster
from ...codecs.quality import to_header
from ...codecs.talbot.codec import Talbot
from ...container import Container, header_for
from ...engine.bundles import DESCRIPTION, Bundle
from ...metrics import bits_per_pixel, psnr
from ...networks.talbot import TalbotConfig
from ..data import PictureCache, still_readable
from ..recipe import configure
from .export import export_run

QUALITIES = (25.0, 50.0, 75.0)


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """Mean bits per pixel and PSNR of real files at three qualities: ``file_bpp@25``, ``file_psnr@25``, ...

    Args:
        state: of a training run.
        tables: its recipe.
        pictures: for calibration, as in the export.
        files: photographs that were not trained on.
    """
    with tempfile.TemporaryDirectory(prefix="calotype-") as folder:
        bundle = Path(folder) / "bundle"
        export_run(state, configure(TalbotConfig, tables.get("network", {})), pictures, bundle)
        codec = Talbot(
            Bundle(bundle, json.loads((bundle / DESCRIPTION).read_text(encoding="utf-8"))), torch.get_num_threads()
        )
        figures: dict[str, list[float]] = {}
        for samples in still_readable(files):
            for quality, (data, decoded) in zip(QUALITIES, coded(codec, samples), strict=True):
                figures.setdefault(f"file_bpp@{quality:g}", []).append(bits_per_pixel(len(data), samples))
                figures.setdefault(f"file_psnr@{quality:g}", []).append(psnr(samples, decoded))
    return {name: float(np.mean(values)) for name, values in figures.items()}


def coded(codec: Talbot, samples: Any) -> list[tuple[bytes, Any]]:
    """Whole files of ``samples (H, W, 3)`` at the :data:`QUALITIES`, and what comes out of them."""
    latents = codec.latents(samples)
    results = []
    for quality in QUALITIES:
        stored = to_header(quality)
        header = header_for(raster.Raster(samples), codec.bundle, stored, codec.tile)
        data = container.pack(Container(header, tiles=tuple(codec.encode_latents(latents, stored))))
        found = container.unpack(data)
        results.append((data, codec.decode(found.tiles, samples.shape, 8, found.header.quality)))
    return results
