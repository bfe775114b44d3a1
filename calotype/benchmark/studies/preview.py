# SPDX-License-Identifier: BSD-3-Clause
"""The animated preview in the documentation: a drawn landscape, as the bytes of its progressive file arrive.

python -m calotype.benchmark.studies.preview [PICTURE] [--out docs/images/progressive.webp]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...api.encode import encode
from ...api.progressive import progressive
from ...arrays import Samples
from . import ROOT, study

SIZE = (480, 320)  # width, height
FIRST, LAST = 700, 2500  # milliseconds that the frames stay
RIDGES = 5


def noise(shape: tuple[int, ...], roughness: float, rng: np.random.Generator) -> Samples:
    """Fractal noise of zero mean and unit variance; its amplitudes fall with the frequency to this power."""
    spectrum = np.fft.fftn(rng.standard_normal(shape))
    axes = np.meshgrid(*(np.fft.fftfreq(n) * n for n in shape), indexing="ij")
    frequency = np.sqrt(sum(axis**2 for axis in axes))
    frequency[(0,) * len(shape)] = np.inf
    values = np.fft.ifftn(spectrum / frequency**roughness).real
    return np.asarray((values - values.mean()) / values.std())


def landscape(width: int, height: int, seed: int = 7) -> Image.Image:
    """Ridges in the haze under an evening sky."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / height
    sky = np.stack([0.95 - 0.55 * (1 - y), 0.70 - 0.22 * (1 - y), 0.55 + 0.25 * (1 - y)], -1)
    glow = np.exp(-((x - 1.05) ** 2 + (y - 0.42) ** 2) * 9)[..., None]
    clouds = np.clip(noise((height, width), 1.7, rng) * 0.5 - 0.2, 0, 1)[..., None] * (1 - y[..., None])
    picture = sky + glow * np.array([0.35, 0.22, 0.02]) + clouds * np.array([0.25, 0.16, 0.14])
    picture[(x - 1.05) ** 2 + (y - 0.42) ** 2 < 0.05**2] = (1.0, 0.95, 0.8)
    for k in range(RIDGES):
        near = (k + 1) / RIDGES
        profile = 0.40 + 0.50 * near**1.4 - noise((width,), 1.6, rng) * 0.05 * (1.3 - 0.5 * near)
        ground = y > profile[None]
        colour = (1 - near) * np.array([0.66, 0.56, 0.62]) + near * np.array([0.10, 0.17, 0.09])
        shade = noise((height, width), 1.0, rng)[..., None] * 0.10 * near
        light = np.clip(0.25 - (y - profile[None]), 0, 0.25)[..., None] * 0.6 * (1 - near)
        picture = np.where(ground[..., None], colour * (1 + 2.5 * shade) + light, picture)
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def frames(picture: Image.Image) -> list[Image.Image]:
    """The picture after each iteration, with what has arrived so far written below."""
    data = encode(picture, codec="toderici2017", quality=80)
    font = ImageFont.load_default(15)
    result = []
    for seen in progressive(data[i : i + 16] for i in range(0, len(data), 16)):
        frame = Image.new("RGB", (picture.width, picture.height + 26), "white")
        frame.paste(seen.image, (0, 0))
        share = seen.size / len(data)
        text = f"iteration {seen.iteration}: {seen.size:,} bytes"
        ImageDraw.Draw(frame).text((6, picture.height + 4), text, "black", font)
        ImageDraw.Draw(frame).rectangle((0, picture.height, int(share * frame.width), picture.height + 2), "black")
        result.append(frame)
    return result


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("picture", type=Path, nargs="?", help="another picture than the drawn one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "progressive.webp")
    options = parser.parse_args(arguments)
    picture = Image.open(options.picture).convert("RGB") if options.picture else landscape(*SIZE)
    first, *rest = frames(picture)
    durations = [FIRST] * len(rest) + [LAST]
    first.save(options.out, save_all=True, append_images=rest, duration=durations, loop=0, quality=85, method=6)
    print(f"{options.out}: {1 + len(rest)} frames, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
