# SPDX-License-Identifier: BSD-3-Clause
"""One measurement: one picture through one codec at one setting, as a real file and back."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import write_atomically
from ..errors import CalotypeError, PictureError
from ..metrics import bits_per_pixel
from ..metrics.catalogue import MS_SSIM, PSNR
from ..metrics.metric import Metric
from .contender import Contender, Picture
from .pictures import Photograph

MEASUREMENT = 2  # raise it when a metric or the way of timing changes: cached records then no longer count


@dataclass(frozen=True)
class Record:
    """Result of one measurement."""

    picture: str
    setting: float
    width: int
    height: int
    bytes: int  # of the whole file
    quality: Mapping[str, float | None]  # by the column of the metric; None where it does not exist
    encode_s: float | None  # medians over the rounds; None where other work went on beside it
    decode_s: float | None
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
        value = self.quality[PSNR.key]
        return math.inf if value is None else value

    @property
    def ms_ssim(self) -> float | None:
        """Over RGB; None where a side is 160 pixels or less."""
        return self.quality[MS_SSIM.key]

    def answers(self, metrics: Collection[Metric], *, timed: bool) -> bool:
        """Whether all of this was measured."""
        known = all(metric.key in self.quality for metric in metrics)
        return known and (self.encode_s is not None or not timed)

    def is_sound(self) -> bool:
        """Whether every value is of its kind, which those of a damaged file need not be."""
        times = (self.encode_s, self.decode_s, self.predicted_bytes)
        return is_measured((self.setting, self.width, self.height, self.bytes), self.quality, times)

    def with_earlier(self, known: Record | None) -> Record:
        """This record, with what an earlier one of the same measurement knew beside it."""
        if known is None or known.bytes != self.bytes:
            return self
        times = self if self.encode_s is not None else known
        quality = {**known.quality, **self.quality}
        return replace(self, quality=quality, encode_s=times.encode_s, decode_s=times.decode_s)


def is_measured(numbers: Iterable[Any], quality: Any, others: Iterable[Any] = ()) -> bool:
    """Whether what a cache held is what was measured: numbers, qualities by name, others; the last two may be None."""
    if not isinstance(quality, dict):
        return False
    known = [value for value in (*quality.values(), *others) if value is not None]
    return all(isinstance(value, int | float) for value in (*numbers, *known))


@dataclass
class Trial:
    """A measurement under way: rounds of encoding and decoding, which may alternate with those of other codecs."""

    codec: Contender
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

    def record(self, metrics: Sequence[Metric] = (PSNR, MS_SSIM), *, timed: bool = True) -> Record:
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
            quality={metric.key: metric.published(original, decoded) for metric in metrics},
            encode_s=statistics.median(self.encode_s) if timed else None,
            decode_s=statistics.median(self.decode_s) if timed else None,
            predicted_bytes=self.codec.predict(original, self.setting) if self.codec.predict else None,
        )


def fingerprint(codec: Contender) -> str:
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
        """Path of the record of this measurement."""
        key = json.dumps([codec_print, photograph.digest, float(setting), rounds])
        return self.place(hashlib.sha256(key.encode()).hexdigest())

    def place(self, name: str) -> Path:
        """Path of the values of this hash."""
        return self.folder / name[:2] / f"{name[2:32]}.json"

    def get(self, path: Path, photograph: Photograph) -> Record | None:
        """The record, under the picture's present name, or None if there is none that can be read."""
        values = self.load_path(path)
        try:
            found = Record(**{**values, "picture": photograph.name}) if values else None
        except TypeError:
            return None
        return found if found and found.is_sound() else None

    def put(self, path: Path, record: Record) -> None:
        """Store a record."""
        self.store_path(path, asdict(record))

    def load(self, name: str) -> dict[str, Any] | None:
        """The values of this hash, or None."""
        return self.load_path(self.place(name))

    def store(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep values under this hash."""
        self.store_path(self.place(name), values)

    def load_path(self, path: Path) -> dict[str, Any] | None:
        """The values in a file, or None if they cannot be read."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    def store_path(self, path: Path, values: Mapping[str, Any]) -> None:
        """Write values to a file; an interruption leaves no half of one."""
        try:
            write_atomically(path, json.dumps(values).encode(), parents=True)
        except CalotypeError as error:
            raise CalotypeError(f"the benchmark cannot keep what it measured (--cache): {error}") from error
