# SPDX-License-Identifier: BSD-3-Clause
"""Shapes of RecCNN as restorers of JPEG, on equal terms; see :mod:`.experiments`.

The protocol is that of LIVE1 and Classic5: the luma alone, JPEG at fixed qualities, PSNR before and after.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...metrics import psnr
from ...metrics.luma import LUMA_WEIGHTS
from ...networks.tao2017 import BlockRec, LayerRec, Tao2017, Tao2017Config
from ...training.crops import CropConfig, random_crop
from ...training.data import PictureCache
from ...training.losses import mse
from ...training.tao2017.degrading import Picture, from_pictures, through, to_picture
from ...training.tao2017.task import FLOOR, start_whitened
from .experiments_curve import Figures, curve

VARIANTS: dict[str, dict[str, Any]] = {
    "20 layers, 3x3 (the paper)": {"variant": "plain"},
    "13 layers, 3x3": {"variant": "plain", "depth": 13},
    "20 layers, 2x2": {"variant": "plain", "kernel": 2},
    "20 layers, Fire modules": {"variant": "fire"},
    "20 layers, multilinear filters": {"variant": "multilinear"},
    "blocks at 1/4 and 1/8 (ships)": {"variant": "blocks"},
}
QUALITIES = (10, 20, 40)
SIDE, BATCH, RATE = 40, 64, 1e-3
PIECE, KEPT, NEW = 320, 48, 1  # side of what is coded at once, how many are kept, and how many new ones a step takes
JUDGED = 160  # side of the middle of a picture that is judged


def grey(picture: Picture) -> Picture:
    """The luma three times."""
    luma = np.rint(picture @ np.array(LUMA_WEIGHTS)).astype(np.uint8)
    return np.repeat(luma[..., None], 3, 2)


class Restoring:
    """A restorer of the luma of JPEG files: less error, relative to the error before."""

    def __init__(self, network: Tao2017, pictures: PictureCache) -> None:
        self.whole, self.pictures = network, pictures
        self.network = nn.ModuleList([network.rec1, network.tables])
        self.crop = CropConfig(PIECE, 0.5, 1.0, 0.7)
        self.pieces: list[tuple[Picture, Picture, np.ndarray[Any, Any]]] = []
        self.turn = 0

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Crops before and after JPEG ``(size, 3, 40, 40)``, and the tables."""
        for _ in range(NEW if self.pieces else KEPT):
            original = grey(to_picture(random_crop(self.pictures, self.crop, rng)))
            coded = through(original, "JPEG", quality=int(rng.integers(8, 61)))
            piece = (original, coded.picture, coded.tables)
            if len(self.pieces) < KEPT:
                self.pieces.append(piece)
            else:
                self.pieces[self.turn] = piece
                self.turn = (self.turn + 1) % KEPT
        chosen = [self.pieces[i] for i in rng.integers(len(self.pieces), size=size)]
        places = rng.integers((PIECE - SIDE) // 8 + 1, size=(size, 2)) * 8
        cut = [
            [piece[k][top : top + SIDE, left : left + SIDE] for piece, (top, left) in zip(chosen, places, strict=True)]
            for k in (0, 1)
        ]
        tables = torch.from_numpy(np.stack([piece[2] for piece in chosen]))[:, :, None, None]
        return from_pictures(cut[0]), from_pictures(cut[1]), tables

    def restored(self, y: Tensor, tables: Tensor) -> Tensor:
        """The network's result."""
        return cast(Tensor, self.whole.rec1(y, self.whole.tables(tables)))

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Figures]:
        """As in the training of what ships."""
        x, y, tables = batch
        return (mse(self.restored(y, tables), x) / (mse(y, x) + FLOOR)).mean(), {}

    def validate(self) -> Figures:
        """Nothing: see :func:`judge`."""
        return {}


def judge(task: Restoring, pictures: Sequence[Picture]) -> Figures:
    """PSNR of the luma at each quality."""
    figures = {}
    for quality in QUALITIES:
        values = []
        for picture in pictures:
            coded = through(picture, "JPEG", quality=quality)
            made = task.restored(from_pictures([coded.picture]), torch.from_numpy(coded.tables)[None, :, None, None])
            values.append(
                psnr(picture[..., 0], to_picture(made.mean(1, keepdim=True).expand(-1, 3, -1, -1)[0])[..., 0])
            )
        figures[f"PSNR at {quality}"] = float(np.mean(values))
    return figures


def multiply_adds(rec: BlockRec | LayerRec, strength: int, side: int = 64) -> float:
    """Multiplications of a network, per pixel of its result."""
    total = 0

    def count(layer: nn.Module, _: Any, out: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += out[0].numel() * layer.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in rec.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        rec.eval()(torch.zeros(1, 3, side, side), torch.zeros(1, strength, 1, 1))
    for hook in hooks:
        hook.remove()
    return total / side**2


def experiments(
    pictures: PictureCache, judges: Sequence[Picture], options: Namespace
) -> tuple[dict[str, Figures], dict[str, tuple[dict[str, Any], Iterator[Figures]]]]:
    """JPEG alone, and what trains each network."""
    middles = [middle(p) for p in judges]
    alone = {
        f"PSNR at {q}": float(
            np.mean([psnr(p[..., 0], through(p, "JPEG", quality=q).picture[..., 0]) for p in middles])
        )
        for q in QUALITIES
    }
    runs = {}
    for name, shape in VARIANTS.items():
        torch.manual_seed(options.seed)
        config = Tao2017Config(width=options.width, scaled=True, **shape)
        network = Tao2017(config)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        start_whitened(network, pictures, crops=128)
        task = Restoring(network, pictures)
        about = {
            "configuration": {**shape, "width": options.width},
            "parameters": sum(p.numel() for p in network.rec1.parameters()),
            "multiply-adds a pixel": round(multiply_adds(network.rec1, config.strength)),
        }
        run = curve(task, partial(judge, task, middles), options.minutes, BATCH, RATE, options.seed)
        runs[name] = (about, run)
    return {"JPEG, as an untrained network leaves it": alone}, runs


def middle(picture: Picture) -> Picture:
    """The luma of the middle of a picture, sides multiples of 8."""
    h, w = (min(JUDGED, side) // 8 * 8 for side in picture.shape[:2])
    top, left = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
    return grey(np.ascontiguousarray(picture[top : top + h, left : left + w]))
