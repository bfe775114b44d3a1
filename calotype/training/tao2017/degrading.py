# SPDX-License-Identifier: BSD-3-Clause
"""Pictures damaged by standard codecs, for training restoring networks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ..crops import CropConfig, random_crop
from ..data import PictureCache

Picture = npt.NDArray[np.uint8]
NO_TABLES = np.zeros(128, np.float32)


@dataclass(frozen=True)
class MixConfig:
    """Shares of the codecs; the shares need not add up to one."""

    jpeg: float = 0.40
    avif: float = 0.32
    webp: float = 0.12
    jpeg2000: float = 0.14
    nothing: float = 0.02  # clean pictures stay as they are
    highest: int = 98  # quality of a JPEG: what is stored at half the size has no use for the highest


@dataclass(frozen=True)
class Degraded:
    """A picture after a codec, and a JPEG's quantisation tables (log2 of the steps, zeros where there are none)."""

    picture: Picture  # (H, W, 3)
    tables: npt.NDArray[np.float32]  # (128,)
    known: bool
    size: int = 0  # bytes of the file


def degrade(picture: Picture, mix: MixConfig, rng: np.random.Generator) -> Degraded:
    """``picture (H, W, 3)`` through a codec and a quality drawn at random."""
    shares = np.array([mix.jpeg, mix.avif, mix.webp, mix.jpeg2000, mix.nothing])
    codec = int(rng.choice(5, p=shares / shares.sum()))
    if codec == 4:
        return Degraded(picture, NO_TABLES, False)
    match codec:
        case 0:
            # Denser where pictures suffer: half of them below quality 40.
            quality = round(4 + (mix.highest - 4) * rng.random() ** 1.4)
            return through(picture, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2, 2, 2])))
        case 1:
            quality = round(8 + 80 * rng.random() ** 1.2)
            sampling = str(rng.choice(["4:4:4", "4:4:4", "4:2:0"]))
            return through(picture, "AVIF", quality=quality, speed=6, subsampling=sampling, max_threads=1)
        case 2:
            return through(picture, "WEBP", quality=round(95 * rng.random() ** 1.3), method=4)
        case _:
            decibels = float(rng.uniform(22, 44))
            return through(picture, "JPEG2000", quality_mode="dB", quality_layers=[decibels], irreversible=True)


def through(picture: Picture, format: str, **options: Any) -> Degraded:  # noqa: A002  # Pillow's name for it
    """``picture (H, W, 3)`` written by Pillow with these options, and read again."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format, **options)
    with Image.open(out) as decoded:
        known = format == "JPEG"
        tables = log_tables(decoded) if known else NO_TABLES
        return Degraded(np.asarray(decoded.convert("RGB")), tables, known, out.getbuffer().nbytes)


def log_tables(image: Image.Image) -> npt.NDArray[np.float32]:
    """Log2 of the luma and chroma quantisation steps of an opened JPEG, ``(128,)``; a grey one has luma's twice."""
    tables = image.quantization  # type: ignore[attr-defined]  # of JpegImageFile
    steps = np.array([tables[0], tables[max(tables)]], np.float32)
    return np.log2(np.maximum(steps, 1)).reshape(-1)


class DegradedPool:
    """Pictures before and after a codec, of which a few are made anew at each step.

    Codecs are slow on small crops; so larger pieces are coded once, and crops for several steps cut out of them.

    Args:
        pictures: the training pictures.
        mix: which codecs.
        side: of the pieces, in pixels.
        count: pieces kept.
        freshness: pixels coded anew at each step, as a share of the pixels that are cut out.
    """

    def __init__(
        self, pictures: PictureCache, mix: MixConfig, side: int = 384, count: int = 160, freshness: float = 0.5
    ) -> None:
        self.pictures, self.mix, self.count, self.freshness = pictures, mix, count, freshness
        self.crop = CropConfig(size=side, scale_min=0.5, scale_max=1.0, scale_probability=0.7)
        self.pieces: list[tuple[Picture, Degraded]] = []
        self.turn, self.owed = 0, 0.0

    def refresh(self, rng: np.random.Generator, count: int) -> None:
        """Replace the ``count`` oldest pieces."""
        for _ in range(count):
            original = to_picture(random_crop(self.pictures, self.crop, rng))
            piece = (original, degrade(original, self.mix, rng))
            if len(self.pieces) < self.count:
                self.pieces.append(piece)
            else:
                self.pieces[self.turn] = piece
                self.turn = (self.turn + 1) % self.count

    def batch(self, rng: np.random.Generator, size: int, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Originals and degraded crops ``(size, 3, side, side)``, tables ``(size, 128, 1, 1)``, known ``(size,)``.

        Most crops lie on the codec's grid of 8, as whole files do; some do not, as pictures do that were cut later.
        """
        if not self.pieces:
            self.refresh(rng, min(self.count, 4 * size))
        self.owed += self.freshness * size * side * side / self.crop.size**2
        self.refresh(rng, int(self.owed))
        self.owed %= 1
        x, y, tables, known = [], [], [], []
        for i in rng.integers(len(self.pieces), size=size):
            original, degraded = self.pieces[i]
            step = 8 if rng.random() < 0.85 else 1
            top, left = (int(v) * step for v in rng.integers((self.crop.size - side) // step + 1, size=2))
            x.append(original[top : top + side, left : left + side])
            y.append(degraded.picture[top : top + side, left : left + side])
            tables.append(degraded.tables)
            known.append(degraded.known and step == 8)
        return (
            from_pictures(x),
            from_pictures(y),
            torch.from_numpy(np.stack(tables))[:, :, None, None],
            torch.tensor(known),
        )


def to_picture(crop: Tensor) -> Picture:
    """``(3, H, W)`` in 0..1 -> uint8 ``(H, W, 3)``."""
    return crop.mul(255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def from_pictures(pictures: list[Picture]) -> Tensor:
    """uint8 ``(H, W, 3)`` each -> ``(B, 3, H, W)`` in 0..1, channels last in memory."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(255)
