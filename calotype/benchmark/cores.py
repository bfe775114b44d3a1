# SPDX-License-Identifier: BSD-3-Clause
"""Speed of ``talbot`` on real photographs: a large one and a folder of small ones, on one thread and on all cores.

Files are in memory. The large photograph is one of the user's, or the folder's pictures, mirrored so that no seam
shows, up to 24 megapixels. Of each time the least of the rounds counts: what other work on the machine adds is no
property of the codec.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..api.decode import decode_raster
from ..api.encode import encode
from ..codecs.talbot import ENTRY
from ..engine.processor import cores, extensions
from ..engine.workers import Workers
from .contender import Picture
from .curves import provenance
from .measure import LabelledProgress
from .peers import AVIF
from .pictures import Photograph

FILE = "cores.json"
WIDTH, HEIGHT = 6000, 4000  # of the large photograph
QUALITY = 60  # the default, about 0.5 bits per pixel
REGION = 256  # side of what is decoded for the time to the first pixel
SMALL = 24  # pictures of the folder at most
PEER_PIXELS = 1024 * 1024  # of the large photograph, by which a peer is judged
LEVELS = (("AVX512F", "AVX-512"), ("AVX2", "AVX2"), ("ASIMD", "NEON"))


@dataclass(frozen=True)
class Row:
    """Megapixels a second of one set of pictures."""

    what: str
    pictures: int
    megapixels: float
    bpp: float
    threads: int
    encode_mps: float
    decode_mps: float


def instructions() -> str:
    """The widest vector instructions of the processor that NumPy knows, such as ``AVX-512``; empty if unknown."""
    features = extensions() or {}
    widest = next((name for feature, name in LEVELS if features.get(feature)), "")
    return f"{widest} with VNNI" if widest and features.get("AVX512VNNI") else widest


def large(photographs: Sequence[Photograph], width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A photograph of ``width`` by ``height``: the pictures in turn, each mirrored to its neighbours."""
    tall = min(photograph.samples.shape[0] for photograph in photographs)
    wide = min(photograph.samples.shape[1] for photograph in photographs)
    rows = []
    number = 0
    for row in range(-(-height // tall)):
        parts = []
        for column in range(-(-width // wide)):
            part = photographs[number % len(photographs)].samples[:tall, :wide]
            parts.append(part[:: -1 if row % 2 else 1, :: -1 if column % 2 else 1])
            number += 1
        rows.append(np.concatenate(parts, 1)[:, :width])
    return np.ascontiguousarray(np.concatenate(rows)[:height])


def measure_cores(
    photographs: Sequence[Photograph],
    photograph: Photograph | None = None,
    rounds: int = 1,
    progress: LabelledProgress | None = None,
) -> dict[str, Any]:
    """Speeds as they go into :data:`FILE`.

    Args:
        photographs: of the folder.
        photograph: the large one; None: made of the folder's.
        rounds: of each measurement.
        progress: of measurements.
    """
    big = photograph.samples if photograph else large(photographs)
    little = [item.samples for item in photographs[:SMALL]]
    counts = sorted({1, cores()})
    steps = iter(range(99))

    def report(label: str) -> None:
        if progress:
            progress(next(steps), 2 * len(counts) + 3, label)

    rows = []
    for threads in counts:  # the first calls load the networks
        decode_raster(encode(little[0], quality=QUALITY, codec=ENTRY.id, threads=threads), threads=threads)
    for threads in counts:
        report(f"large photograph, {threads} threads")
        rows.append(_row("a photograph", [big], threads, rounds, lambda work, items: [work(item) for item in items]))
        report(f"small pictures, {threads} threads")
        rows.append(_row("small pictures", little, threads, rounds, _side_by_side(threads)))
    report("first pixels")
    data = encode(big, quality=QUALITY, codec=ENTRY.id)
    left, top = big.shape[1] // 2, big.shape[0] // 2
    region = (left, top, min(left + REGION, big.shape[1]), min(top + REGION, big.shape[0]))
    first = _least(lambda: decode_raster(data, region=region), max(rounds, 3))
    report("AVIF")
    part = big[: min(1024, big.shape[0]), : min(PEER_PIXELS // 1024, big.shape[1])]
    setting = min(AVIF.settings, key=lambda value: abs(8 * len(AVIF.encode(part, value)) / part[..., 0].size - 0.5))
    slow = _least(lambda: AVIF.encode(part, setting), rounds)
    fast = _least(lambda: encode(part, quality=QUALITY, codec=ENTRY.id, threads=1), rounds)
    report("")
    return {
        "provenance": {**provenance(), "instructions": instructions(), "threads": counts[-1]},
        "quality": QUALITY,
        "speeds": [asdict(row) for row in rows],
        "region": {"side": REGION, "seconds": round(first, 4)},
        "peer": {"description": AVIF.description, "times_as_fast": round(slow / fast, 2)},
    }


Run = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


def _side_by_side(threads: int) -> Run:
    def run(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        with Workers(threads) as workers:
            return workers.map(work, items)

    return run


def _row(what: str, pictures: Sequence[Picture], threads: int, rounds: int, run: Run) -> Row:
    each = threads if len(pictures) == 1 else 1  # threads a picture
    pixels = sum(picture.shape[0] * picture.shape[1] for picture in pictures)
    files: list[bytes] = []

    def write() -> None:
        files[:] = run(lambda x: encode(x, quality=QUALITY, codec=ENTRY.id, threads=each), pictures)

    encode_s = _least(write, rounds)
    decode_s = _least(lambda: run(lambda data: decode_raster(data, threads=each).width, files), rounds)
    bits = 8 * sum(map(len, files)) / pixels
    speeds = [round(pixels / 1e6 / seconds, 3) for seconds in (encode_s, decode_s)]
    return Row(what, len(pictures), round(pixels / 1e6, 2), round(bits, 3), threads, *speeds)


def _least(work: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
