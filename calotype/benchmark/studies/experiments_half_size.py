# SPDX-License-Identifier: BSD-3-Clause
"""Patches, losses and small pictures at scale 2, from weights that work; see :mod:`.experiments`.

Everything is compared at equal rates: each way gives a curve over the qualities of the JPEG inside, read at rates that
all of them reach, picture by picture.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch

from ...engine import bundles
from ...metrics import ms_ssim, psnr, psnr_hvs, ssimulacra2
from ...metrics.similarity import most_scales, ms_ssim_db
from ...metrics.ssimulacra2 import SMALLEST_SIDE as SSIMULACRA2_SIDE
from ...networks.tao2017 import Tao2017, Tao2017Config
from ...raster.bands import to_8
from ...raster.resampling import resize
from ...training.data import PictureCache
from ...training.recipe import configure
from ...training.recovery import recover
from ...training.tao2017.degrading import MixConfig, Picture, from_pictures, through, to_picture
from ...training.tao2017.export import graphs_of
from ...training.tao2017.task import Tao2017Task, TaskConfig
from .experiments_curve import Figures, curve

JPEG = MixConfig(jpeg=1.0, avif=0.0, webp=0.0, jpeg2000=0.0, nothing=0.0, highest=80)
OPTIONS = {"optimize": True, "progressive": True, "subsampling": "4:2:0"}
INSIDE, ALONE = (5, 10, 20, 35, 50, 70, 85, 93), (1, 2, 4, 7, 10, 15, 22, 30, 40, 55)  # qualities
# Without a weight on staying near plain down-sampling, ComCNN takes the contrast out of what JPEG has to store.
COMMON: dict[str, Any] = {"gradient": "proxy-backward", "stay": 0.05, "rate": 0.2, "hold": True}
RATE = 1e-4
LARGEST = 256  # side of the middle of a picture that is judged
Point = tuple[float, Figures]  # bits per pixel, and figures of merit


@dataclass(frozen=True)
class Half:
    """One way to train on from weights that work."""

    size: int  # of the compact crop
    batch: int  # crops of a step
    task: dict[str, Any] = field(default_factory=dict)


SETS: dict[str, dict[str, Half]] = {
    "patches": {"whole pictures (256 x 256)": Half(128, 2), "patches of 64 x 64": Half(32, 32)},
    "losses": {
        loss: Half(96, 4, {"loss": loss}) for loss in ("mse", "ms-ssim", "psnr-hvs", "ssimulacra2")
    },
    # Of pictures as small as these most of a JPEG is its head, which the proxy does not count: its bits must not rule.
    "small": {"MSE": Half(16, 32, {"rate": 0.0})},
}  # fmt: skip


def merits(original: Picture, made: Picture) -> Figures:
    """By the metrics that are losses as well, as far as they fit."""
    scales = most_scales(*original.shape[:2])
    found = {"PSNR": psnr(original, made), "PSNR-HVS": psnr_hvs(original, made)}
    if scales:
        found["MS-SSIM, dB"] = ms_ssim_db(ms_ssim(original, made, scales=scales))
    if min(original.shape[:2]) >= SSIMULACRA2_SIDE:
        found["SSIMULACRA 2"] = ssimulacra2(original, made)
    return found


def points(
    original: Picture, small: Picture, enlarge: Callable[[Any], Picture], qualities: Sequence[int]
) -> list[Point]:
    """A curve: ``small`` as JPEG, enlarged."""
    found = []
    for quality in qualities:
        coded = through(small, "JPEG", quality=quality, **OPTIONS)
        pixels = original.shape[0] * original.shape[1]
        found.append((8 * coded.size / pixels, merits(original, enlarge(coded))))
    return found


def read(curves: Sequence[Sequence[Point]], rates: Sequence[Sequence[float]]) -> Figures:
    """Means over the pictures at the rates of each, over the logarithm of the rate."""
    found: dict[str, list[float]] = {}
    for line, wanted in zip(curves, rates, strict=True):
        bits = np.log([bpp for bpp, _ in line])
        for name in line[0][1]:
            values = np.interp(np.log(wanted), bits, [figures[name] for _, figures in line])
            found.setdefault(name, []).append(float(np.mean(values)))
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def ways(network: Tao2017, original: Picture) -> list[Point]:
    """The curve of a network."""
    compact = to_picture(network.com(from_pictures([original]))[0])

    def enlarge(coded: Any) -> Picture:
        y, tables = from_pictures([coded.picture]), torch.from_numpy(coded.tables)[None, :, None, None]
        return to_picture(network.rec2(y, network.strength(y, tables, torch.tensor([True])))[0])

    return points(original, compact, enlarge, INSIDE)


def bicubic(original: Picture) -> list[Point]:
    """The curve of a network that has learned nothing."""
    h, w = original.shape[:2]
    return points(
        original, to_8(resize(original, h // 2, w // 2)), lambda coded: to_8(resize(coded.picture, h, w)), INSIDE
    )


def installed_network() -> tuple[Tao2017, str]:
    """The weights that are installed, and their hash."""
    bundle = bundles.find("tao2017")
    stated, known = bundle.description["configuration"], {f.name for f in fields(Tao2017Config)}
    network = Tao2017(configure(Tao2017Config, {name: stated[name] for name in stated.keys() & known}))
    recover(network, graphs_of, bundle.path)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, bundle.hash[:8]


def experiments(
    kind: str, pictures: PictureCache, judges: Sequence[Picture], options: Namespace
) -> tuple[dict[str, Figures], dict[str, tuple[dict[str, Any], Iterator[Figures]]]]:
    """The controls, and what trains each way."""
    originals = [middle(p) for p in judges]
    alone = [points(p, p, lambda coded: coded.picture, ALONE) for p in originals]
    plain = [bicubic(p) for p in originals]
    # A third and two thirds of the way through the rates that JPEG alone and the half of the size both reach.
    rates = []
    for a, b in zip(alone, plain, strict=True):
        low, high = max(a[0][0], b[0][0]), min(a[-1][0], b[-1][0])
        rates.append([low * (high / low) ** share for share in (1 / 3, 2 / 3)])
    controls = {"JPEG alone": read(alone, rates), "bicubic down, JPEG, bicubic up": read(plain, rates)}
    runs = {}
    for name, way in SETS[kind].items():
        torch.manual_seed(options.seed)
        network, digest = installed_network()
        task = Tao2017Task(
            network,
            pictures,
            TaskConfig(full=0.0, size=way.size, **{**COMMON, **way.task}),
            JPEG,
        )
        about = {"weights": digest, "crop": 2 * way.size, "batch": way.batch, **way.task}

        def judge(network: Tao2017 = network) -> Figures:
            return read([ways(network, p) for p in originals], rates)

        runs[name] = (about, curve(task, judge, options.minutes, 4 * way.batch, RATE, options.seed))
    return controls, runs


def middle(picture: Picture) -> Picture:
    """The middle of a picture, with sides that are multiples of 16."""
    h, w = (min(LARGEST, side) // 16 * 16 for side in picture.shape[:2])
    top, left = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
    return np.ascontiguousarray(picture[top : top + h, left : left + w])


GROUPS: dict[str, Any] = {
    kind: (lambda pictures, judges, options, kind=kind: experiments(kind, pictures, judges, options)) for kind in SETS
}
