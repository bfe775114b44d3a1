# SPDX-License-Identifier: BSD-3-Clause
"""Small sound files of every codec, to be damaged, with the small weights that decode them in milliseconds."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

import calotype
from calotype import container
from calotype.api.progressive import progressive
from calotype.api.wrap import extract, wrap
from calotype.container import CodePoints, Container, Density, Metadata
from tests.make_golden import GOLDEN, drawing

Region = tuple[int, int, int, int]
EXIF = b"II*\0\x08\0\0\0\x02\0\x00\x01\x04\0\x01\0\0\0\x64\0\0\0\x69\x87\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0" + bytes(20)
METADATA = Metadata(
    icc=b"profile" * 20, exif=EXIF, xmp=b'<x exif:PixelXDimension="100"/>', cicp=CodePoints(9, 16), iptc=b"\x1c\x02",
    text=(("Author", "N. N."), ("Title", "a")), density=Density(2835, 2835),
)  # fmt: skip


@dataclass
class Original:
    """A sound file and what it decodes to.

    Attributes:
        name: of the codec and what is special.
        data: the file.
    """

    name: str
    data: bytes
    _known: dict[object, Any] = field(default_factory=dict)

    @cached_property
    def content(self) -> Container:
        """Its parts."""
        return container.unpack(self.data)

    @cached_property
    def regions(self) -> list[Region]:
        """Some parts of the picture."""
        width, height = self.content.header.width, self.content.header.height
        return [(0, 0, 1, 1), (width // 3, height // 4, width, height), (width // 2, 0, width // 2 + 1, height)]

    def picture(self, tiles: int | None = None, region: Region | None = None) -> Any:
        """The picture, or a region of it, as an array; of a layered file, what so many boxes of tiles make."""
        key = (tiles, region)
        if key not in self._known:
            data = self.data
            if tiles is not None:
                header, about, alpha = self.content.header, self.content.metadata, self.content.alpha
                data = container.pack(Container(header, about, alpha, self.content.tiles[:tiles]))
            self._known[key] = calotype.decode(data, region=region, threads=1, as_array=True)
        return self._known[key]

    @cached_property
    def inside(self) -> bytes:
        """The standard file in it; FormatError if there is none."""
        return extract(self.data)

    @cached_property
    def arriving(self) -> dict[int, Any]:
        """The picture after each layer, by number."""
        return {step.iteration: step.image for step in progressive(self.data, threads=1, as_array=True)}


def install_weights(folder: Path) -> None:
    """Put the small weights of all codecs into a folder, ahead of those that ship, here and in children."""
    shutil.copytree(GOLDEN / "weights", folder, dirs_exist_ok=True)
    if importlib.util.find_spec("onnx"):
        from tests.small_tao2017 import write_bundle

        if not (folder / "tao2017").exists():
            write_bundle(folder)
    os.environ["CALOTYPE_WEIGHTS"] = str(folder)


def originals() -> list[Original]:
    """All that this installation can make, in an order that stays; needs :func:`install_weights`."""
    found = [Original(path.stem, path.read_bytes()) for path in sorted(GOLDEN.glob("*.calo"))]
    alpha = next(original for original in found if original.name == "alpha")
    content = alpha.content
    described = Container(content.header, METADATA, content.alpha, content.tiles)
    found.append(Original("metadata", container.pack(described)))
    picture = drawing(44, 60, 3, 8)
    if importlib.util.find_spec("onnx"):
        for base, scale in (("jpeg", 1), ("jpeg", 2), ("webp", 1), ("jpeg2000", 1), ("avif", 1)):
            data = calotype.encode(picture, codec="tao2017", base=base, scale=scale, quality=40, threads=1)
            found.append(Original(f"tao2017-{base}-{scale}", data))
    for still, depth in (("webp", 8), ("png", 16), ("jxl", 8)):
        if still != "jxl" or importlib.util.find_spec("imagecodecs"):
            data = calotype.encode(drawing(44, 60, 3, depth), codec="lossless", still=still, threads=1)
            found.append(Original(f"lossless-{still}", data))
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=60)
    found.append(Original("lossless-jpeg", wrap(memory.getvalue(), lossless=True)))
    return found
