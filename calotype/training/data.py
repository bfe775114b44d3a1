# SPDX-License-Identifier: BSD-3-Clause
"""Training pictures: they are decoded once into a flat cache on disk, from which crops are cheap.

A folder of picture files here; :mod:`calotype.training.sources` has the other places that pictures come from, and
:mod:`calotype.training.crops` cuts them up.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..atomic import atomic, write_atomically
from ..errors import CalotypeError, PictureError
from ..raster.guard import pillow_limit, reading

LATTICE = 128  # pixels: networks take sides that are multiples of this
RESIDENT = 0.5  # of a GPU's free memory that the pictures may take
# What photographs come in: fewer kinds than can be encoded, for a folder's icons and animations teach nothing.
SUFFIXES = {".avif", ".bmp", ".jpg", ".jpeg", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def find_pictures(folder: Path) -> list[Path]:
    """All picture files below ``folder``, sorted; CalotypeError if there is none."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        why = "training needs a folder of photographs" if folder.is_dir() else "there is no such folder"
        raise CalotypeError(f"no pictures below {folder}: {why}")
    return files


def load_rgb(file: Path | BinaryIO, name: str = "") -> npt.NDArray[np.uint8]:
    """An upright RGB picture ``(H, W, 3)``; PictureError, which calls it by its name, if it cannot be read."""
    with reading(name or str(file)), pillow_limit(), Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def skip(error: PictureError) -> None:
    """Say on standard error that a picture is left out, and why."""
    print(f"skipped: {error}", file=sys.stderr, flush=True)


def readable(files: Sequence[Path]) -> list[Path]:
    """Those of ``files`` that can be decoded; the others are named, and CalotypeError says if none is left."""
    good = []
    for file in files:
        try:
            load_rgb(file)
            good.append(file)
        except PictureError as error:
            skip(error)
    if not good:
        raise CalotypeError(f"none of the {len(files)} pictures can be read: name others")
    return good


def still_readable(files: Sequence[Path]) -> Iterator[npt.NDArray[np.uint8]]:
    """The pictures ``(H, W, 3)`` in files that could be read when training began; one that no longer can is named."""
    for file in files:
        try:
            picture = load_rgb(file)
        except PictureError as error:
            skip(error)
        else:
            yield picture


class PictureCache:
    """The pictures of a folder as memory-mapped samples.

    The cache is one file of raw bytes and an index; it is made anew when the list of files, their sizes or their
    times change. Pictures that cannot be read are named on standard error then, and left out.

    Args:
        folder: pictures, found recursively.
        cache: where to keep the decoded samples (3 bytes a pixel).

    Raises:
        CalotypeError: there is no picture that can be read.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        files = find_pictures(folder)
        facts = (f"{file.relative_to(folder)} {file.stat().st_size} {file.stat().st_mtime_ns}\n" for file in files)

        def pictures() -> Iterator[npt.NDArray[np.uint8]]:
            for file in files:
                try:
                    yield load_rgb(file)
                except PictureError as error:
                    skip(error)

        none = f"none of the {len(files)} pictures below {folder} can be read"
        self._open("".join(facts), pictures, cache, none)

    @classmethod
    def of(
        cls, identity: str, pictures: Callable[[], Iterator[npt.NDArray[np.uint8]]], cache: Path, none: str
    ) -> PictureCache:
        """The cache of pictures that come from elsewhere.

        Args:
            identity: what they are: under the same identity they are not asked for again.
            pictures: gives them ``(H, W, 3)`` one by one.
            cache: as above.
            none: what the CalotypeError says if there are none.
        """
        made = cls.__new__(cls)
        made._open(identity, pictures, cache, none)
        return made

    def _open(
        self, identity: str, pictures: Callable[[], Iterator[npt.NDArray[np.uint8]]], cache: Path, none: str
    ) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(identity.encode()).hexdigest()[:16]
        samples, index = cache / f"{name}.rgb", cache / f"{name}.json"
        if not _whole(samples, index):
            shapes = []
            with atomic(samples) as out:  # another run may be making the same cache
                for picture in pictures():
                    shapes.append(picture.shape[:2])
                    out.write(picture.tobytes())
                if not shapes:
                    raise CalotypeError(none)
            write_atomically(index, json.dumps(shapes).encode())  # last: where it is, the samples are whole
        self.shapes = _shapes(index)
        pixels = np.array([h * w for h, w in self.shapes], dtype=np.int64)
        self.offsets = np.concatenate(([0], np.cumsum(pixels * 3)))
        self.weights = pixels / pixels.sum()
        self.samples = np.memmap(samples, dtype=np.uint8, mode="r")
        self.resident: Tensor | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int) -> npt.NDArray[np.uint8]:
        h, w = self.shapes[i]
        return self.samples[self.offsets[i] : self.offsets[i + 1]].reshape(h, w, 3)

    def keep_on(self, device: torch.device) -> None:
        """Let pieces be cut out, and crops be made of them, on a GPU; all samples have to fit into its memory.

        Where they do not fit, or on a CPU, they stay where they are.
        """
        if device.type == "cpu":
            return
        free, _ = torch.cuda.mem_get_info(device)
        if self.samples.size < RESIDENT * free:
            self.hold(device)

    def hold(self, device: torch.device) -> None:
        """Copy all samples to a device, from which :meth:`piece` takes them."""
        self.resident = torch.from_numpy(np.array(self.samples)).to(device)

    def piece(self, i: int, top: int, left: int, side: int) -> Tensor:
        """A square of samples ``(side, side, 3)`` of picture ``i``, 8 bits."""
        if self.resident is None:
            return torch.from_numpy(self[i][top : top + side, left : left + side].copy())
        h, w = self.shapes[i]
        picture = self.resident[int(self.offsets[i]) : int(self.offsets[i + 1])].view(h, w, 3)
        return picture[top : top + side, left : left + side]


def _shapes(index: Path) -> list[tuple[int, int]]:
    return [(h, w) for h, w in json.loads(index.read_text(encoding="utf-8"))]


def _whole(samples: Path, index: Path) -> bool:
    """Whether a cache is there with all of its samples: who makes room may have deleted the larger file alone."""
    try:
        return 0 < samples.stat().st_size == sum(3 * h * w for h, w in _shapes(index))
    except (OSError, ValueError):
        return False


def middle(picture: npt.NDArray[np.uint8], largest: int = 512) -> Tensor:
    """The middle of a picture ``(H, W, 3)``, as ``(1, 3, h, w)`` in 0..1.

    Sides are multiples of 128 up to ``largest``, but a side shorter than 128 is kept whole.
    """
    h, w = (min(largest, s // LATTICE * LATTICE or s) for s in picture.shape[:2])
    top, left = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
    crop = torch.from_numpy(picture[top : top + h, left : left + w].copy())
    return crop.permute(2, 0, 1)[None].float() / 255
