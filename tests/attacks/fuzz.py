# SPDX-License-Identifier: BSD-3-Clause
"""Throw mutated files at the container: ``python tests/attacks/fuzz.py [seconds] [seed]``.

Whatever comes, `unpack` must return or raise FormatError, soon; and what it returns must say that it was damaged.
"""

from __future__ import annotations

import random
import sys
import time
import zlib

from calotype.container import END, Container, Header, Metadata, pack, tile, unpack
from calotype.container.boxes import box, seed
from calotype.container.header import parse_header
from calotype.errors import FormatError

SLOWEST = 2.0  # seconds of processor time for one file of a few kilobytes, on a slow machine


def seed_picture(rng: random.Random) -> Container:
    """A small sound picture of 1 to 30 tiles, or of up to three layers of them."""
    alpha = rng.random() < 0.5
    layers = rng.choice([0, 0, 3])
    header = Header("fuzz", rng.randbytes(4), rng.randint(1, 384), rng.randint(1, 320), 3, 8, alpha, 0, 64, layers)
    count = rng.randint(1, header.box_count) if layers else header.tile_count
    tiles = tuple(rng.randbytes(rng.choice([0, 5, 100, 200])) for _ in range(count))
    exif, xmp = (rng.randbytes(30) if rng.random() < 0.5 else None for _ in range(2))
    return Container(header, Metadata(None, exif, xmp), b"\x89PNG" if alpha else None, tiles)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change bytes without mending any CRC."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start, length = rng.randrange(len(changed)), rng.choice([1, 1, 2, 6, 40])
        match rng.randrange(6):
            case 0:
                changed[start] ^= 1 << rng.randrange(8)
            case 1:
                changed[start : start + length] = rng.randbytes(length)
            case 2:
                changed[start:start] = rng.choice(
                    [rng.randbytes(length), END, tile(b"", rng.randrange(3)), b"T\xff\xff\xff\x7f"]
                )
            case 3:
                del changed[start : min(start + length, len(changed) - 1)]
            case 4:
                del changed[start + 1 :]
            case 5:
                middle = rng.randrange(start, len(changed))
                end = rng.randint(middle, len(changed))
                changed[start:end] = changed[middle:end] + changed[start:middle]
    return bytes(changed)


def sound_nonsense(data: bytes, rng: random.Random) -> bytes:
    """Follow a header with boxes of any kind in any order, their CRCs right."""
    payloads = [b"", zlib.compress(rng.randbytes(9)), zlib.compress(b"0" * 9999), rng.randbytes(99)]
    kinds = rng.choices("HcexATEqZ", k=rng.randint(1, 40))
    return data[: parse_header(memoryview(data))[1]] + b"".join(
        box(kind, rng.choice(payloads), seed(rng.randrange(9)) * (kind == "T")) for kind in kinds
    )


def one(rng: random.Random) -> None:
    """Try one file. Raises AssertionError, or whatever the container lets through."""
    picture = seed_picture(rng)
    data = pack(picture)
    hostile = rng.choice([damaged, damaged, sound_nonsense])(data, rng)
    begin = time.process_time()
    for salvage in (False, True):
        try:
            found = unpack(hostile, salvage=salvage)
        except FormatError as error:
            assert str(error)
            continue
        assert found.header.layers or len(found.tiles) == found.header.tile_count
        assert None not in found.tiles or found.warnings
        assert found.warnings or unpack(pack(found)) == found
    assert time.process_time() - begin < SLOWEST, f"slow: {hostile!r}"


def main() -> None:
    """Fuzz for as long as the command line says (60 seconds)."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        try:
            one(random.Random(start + count))
        except BaseException:
            print(f"seed {start + count}")
            raise
        count += 1
    print(f"{count} files, no surprise")


if __name__ == "__main__":
    main()
