# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of a benchmark: 8-bit RGB, which all codecs can store."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import PictureError
from .contender import Picture

SUFFIXES = (".png", ".ppm", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Photograph:
    """A picture with a name and a fingerprint of its samples."""

    name: str
    samples: Picture  # (H, W, 3)

    @property
    def pixels(self) -> int:
        """Width x height."""
        return int(self.samples.shape[0] * self.samples.shape[1])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of shape and samples, in hexadecimal: the same picture under another name has the same digest."""
        content = hashlib.sha256(repr(self.samples.shape).encode())
        content.update(np.ascontiguousarray(self.samples).data)
        return content.hexdigest()


def load_photograph(path: Path, name: str = "") -> Photograph:
    """Read a picture upright as 8-bit RGB: depth beyond 8 bits and alpha are left out. Raises PictureError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large photographs are welcome here
            with Image.open(path) as opened:
                image = ImageOps.exif_transpose(opened)
                if image.mode.startswith("I;16"):  # Pillow would clip the samples at 255
                    image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
                return Photograph(name or path.stem, np.asarray(image.convert("RGB")))
    except FileNotFoundError:
        raise PictureError(f"there is no picture at {path}") from None
    except UnidentifiedImageError:
        raise PictureError(f"{path} is not a picture that Pillow can read") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} cannot be read as a picture: {error}") from error


def load_folder(folder: Path) -> list[Photograph]:
    """All pictures that lie directly in a folder, in the order of their numbers; hidden files are passed over.

    Raises PictureError if it has none, or one that cannot be read.
    """
    if not folder.is_dir():
        raise PictureError(f"{folder} is not a folder of pictures")
    seen = (path for path in folder.iterdir() if not path.name.startswith("."))
    paths = sorted((path for path in seen if path.suffix.lower() in SUFFIXES), key=natural_order)
    if not paths:
        raise PictureError(f"{folder} holds no pictures ({', '.join(SUFFIXES)})")
    short = len({path.stem for path in paths}) == len(paths)  # else a whole name may be the stem of another
    return [load_photograph(path, path.stem if short else path.name) for path in paths]


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort ``2.png`` before ``10.png``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())]
