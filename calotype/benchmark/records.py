# SPDX-License-Identifier: BSD-3-Clause
"""One measurement: one picture through one codec at one setting, as a real file and back."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calotype.benchmark.codec import Codec, Picture
from calotype.benchmark.pictures import Photograph
from calotype.errors import CalotypeError, PictureError
from calotype.metrics import bits_per_pixel, most_scales, ms_ssim, mse
from calotype.metrics.similarity import SCALE_WEIGHTS

MEASUREMENT = 1  # raise it when a metric or the way of timing changes: cached records then no longer count


@dataclass(frozen=True)
class Record:
    """What came out of one measurement."""

    picture: str
    setting: float
    width: int
    height: int
    bytes: int  # of the whole file
    mse: float  # over the RGB samples; 0 for a lossless copy
    ms_ssim: float | None  # None where a side is 160 pixels or less
    encode_s: float  # medians over the rounds
    decode_s: float
    predicted_bytes: float | None = None  # by the codec's probability tables, where it tells

    @property
    def megapixels(self) -> float:
        """Width x height in millions."""
        return self.width * self.height / 1e6

    @property
    def bpp(self) -> float:
        """Bits of the file for each pixel."""
        return bits_per_pixel(self.bytes, (self.width, self.height))

    @property
    def psnr(self) -> float:
        """In dB over RGB; infinite for a lossless copy."""
        return math.inf if self.mse == 0 else 10 * math.log10(255 * 255 / self.mse)


@dataclass
class Trial:
    """A measurement under way: rounds of encoding and decoding, which may alternate with those of other codecs."""

    codec: Codec
    photograph: Photograph
    setting: float

    def __post_init__(self) -> None:
        self.encode_s: list[float] = []
        self.decode_s: list[float] = []
        self.data = b""
        self.decoded: Picture = self.photograph.samples

    def run(self) -> None:
        """One round: encode and decode once, on the clock."""
        start = time.perf_counter()
        self.data = self.codec.encode(self.photograph.samples, self.setting)
        middle = time.perf_counter()
        self.decoded = self.codec.decode(self.data)
        end = time.perf_counter()
        self.encode_s.append(middle - start)
        self.decode_s.append(end - middle)

    def record(self) -> Record:
        """Compare the decoded picture with the original. Raises PictureError if it came back in another size."""
        original, decoded = self.photograph.samples, self.decoded
        if original.shape != decoded.shape:
            raise PictureError(
                f"{self.codec.name} returned {self.photograph.name} shaped {decoded.shape} instead of {original.shape}"
            )
        height, width = original.shape[:2]
        return Record(
            picture=self.photograph.name,
            setting=self.setting,
            width=width,
            height=height,
            bytes=len(self.data),
            mse=mse(original, decoded),
            ms_ssim=ms_ssim(original, decoded) if most_scales(height, width) == len(SCALE_WEIGHTS) else None,
            encode_s=statistics.median(self.encode_s),
            decode_s=statistics.median(self.decode_s),
            predicted_bytes=self.codec.predict(original, self.setting) if self.codec.predict else None,
        )


def fingerprint(codec: Codec) -> str:
    """Versions, settings, and the file that the codec makes of a drawn picture: changes when the encoder does.

    It also loads whatever the codec loads at its first use, so that no measurement pays for that.
    """
    rows, columns = np.mgrid[0:96, 0:128]
    drawn = np.stack([rows * 2, columns * 2, (rows * columns) % 256], axis=-1).astype(np.uint8)
    data = codec.encode(drawn, codec.settings[len(codec.settings) // 2])
    codec.decode(data)
    content = json.dumps([MEASUREMENT, codec.name, codec.versions(), codec.settings_table()], sort_keys=True)
    return hashlib.sha256(content.encode() + data).hexdigest()


class Cache:
    """Records on disk, one small JSON file each, found by the content of the picture and of the codec."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, codec_print: str, photograph: Photograph, setting: float, rounds: int) -> Path:
        """Where the record of this measurement lies."""
        key = json.dumps([codec_print, photograph.digest, float(setting), rounds])
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / name[:2] / f"{name[2:32]}.json"

    def get(self, path: Path, photograph: Photograph) -> Record | None:
        """The record, under the picture's present name, or None if there is none that can be read."""
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return Record(**{**values, "picture": photograph.name})
        except (OSError, ValueError, TypeError):
            return None

    def put(self, path: Path, record: Record) -> None:
        """Store a record; an interruption leaves no half of one."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".tmp")
            unfinished.write_text(json.dumps(asdict(record)), encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise CalotypeError(f"the benchmark cannot write its cache at {self.folder}: {error}") from error
