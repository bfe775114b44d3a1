# SPDX-License-Identifier: BSD-3-Clause
"""Pictures to make batches of."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image


def picture(number: int, side: int = 16) -> bytes:
    """A PNG, different for each number."""
    samples = np.random.default_rng(number).integers(0, 256, (side, side + 3, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(samples).save(out, "png")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """The picture in a file."""
    return Image.open(io.BytesIO(data))


def folder(path: Path, count: int, side: int = 16) -> Path:
    """A folder of pictures in two folders."""
    for number in range(count):
        file = path / f"{'ab'[number % 2]}/{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number, side))
    return path


def shard(path: Path, members: dict[str, bytes]) -> Path:
    """A tar of these files."""
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path
