# SPDX-License-Identifier: BSD-3-Clause
"""Ways to damage a file: by accident (:func:`damaged`), and by somebody who mends the checksums (:func:`forged`)."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence

from calotype.container import HEADER_BYTES, SIGNATURE
from calotype.container.boxes import KINDS, box, frame, seed

NUMBERS = (0, 1, 2, 4, 8, 63, 64, 127, 128, 255, 256, 1024, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change bytes as disks, lines and programs do. No CRC is mended, so that no other sound file comes of it."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        _change(changed, rng)
    return bytes(changed)


def _change(changed: bytearray, rng: random.Random) -> None:
    """Change something somewhere."""
    start, length = rng.randrange(len(changed) + 1), rng.choice([1, 1, 2, 4, 8, 40, 512])
    match rng.randrange(9):
        case 0 if start < len(changed):
            changed[start] ^= 1 << rng.randrange(8)
        case 1:
            changed[start : start + length] = rng.randbytes(length)
        case 2:
            changed[start:start] = rng.randbytes(length)
        case 3:
            del changed[start : start + length]
        case 4:
            del changed[start:]
        case 5:  # two pieces change places
            middle = rng.randint(start, len(changed))
            end = rng.randint(middle, len(changed))
            changed[start:end] = changed[middle:end] + changed[start:middle]
        case 6:  # a piece stands twice
            changed[start:start] = changed[start : start + length]
        case 7:
            changed[start : start + length] = bytes(min(length, len(changed) - start))
        case 8:
            number = rng.choice(NUMBERS) + rng.choice([-1, 0, 0, 1]) & 0xFFFFFFFF
            form = rng.choice(["<H", ">H", "<I", ">I", "B"])
            packed = struct.pack(form, number & (256 ** struct.calcsize(form) - 1))
            changed[start : start + len(packed)] = packed


def forged(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Change boxes, and what is in them, or exchange them with those of other files, and mend all checksums."""
    boxes = list(split(data))
    for _ in range(rng.choice([1, 1, 2, 4])):
        place = rng.randrange(len(boxes))
        kind, payload = boxes[place]
        match rng.randrange(10):
            case 0 if len(boxes) > 2 and place:
                del boxes[place]
            case 1:
                boxes.insert(rng.randint(1, len(boxes)), boxes[place])
            case 2:
                other = rng.randrange(len(boxes))
                boxes[place], boxes[other] = boxes[other], boxes[place]
            case 3:
                boxes.insert(rng.randint(1, len(boxes)), rng.choice(list(split(rng.choice(others)))))
            case 4:
                boxes[place] = rng.choice("HcexnitdATEqZ"), payload
            case 5 if place:  # what one file says of its picture, and the picture of another
                boxes[0] = next(iter(split(rng.choice(others))))
            case 6:
                boxes[0] = "H", _header(boxes[0][1], rng)
            case _:
                boxes[place] = kind, _payload(kind, payload, rng)
    return join(boxes)


def _header(payload: bytes, rng: random.Random) -> bytes:
    """Another size, layout or quality, or number of layers."""
    changed = bytearray(payload.ljust(12, b"\0"))
    match rng.randrange(5):
        case 0:
            struct.pack_into("<HH", changed, 0, rng.randint(1, 1400), rng.randint(1, 300))
        case 1:
            struct.pack_into("<HH", changed, 0, rng.choice(NUMBERS) & 0xFFFF, rng.choice(NUMBERS) & 0xFFFF)
        case 2:
            changed[4] ^= 1 << rng.randrange(8)
        case 3:
            struct.pack_into("<H", changed, 5, rng.choice([0, 255, 256, 25600, 25601, rng.randrange(65536)]))
        case 4:
            changed[11] = rng.choice([0, 1, 2, 4, 8, 255])
    return bytes(changed)


def _payload(kind: str, payload: bytes, rng: random.Random) -> bytes:
    """What is in a box, changed; inside what it is packed in, if it is."""
    changed = bytearray(payload)
    if kind in KINDS and KINDS[kind].field and KINDS[kind].deflated and rng.random() < 0.8:
        try:
            changed = bytearray(zlib.decompress(payload))
        except zlib.error:
            return payload
        _change(changed, rng)
        return zlib.compress(changed)
    _change(changed, rng)
    return mended_png(bytes(changed)) if kind == "A" and rng.random() < 0.8 else bytes(changed)


def split(data: bytes) -> list[tuple[str, bytes]]:
    """Type and payload of the boxes of a sound file."""
    view, offset, found = memoryview(data), len(SIGNATURE) + 1, []
    while offset < len(data) and (part := frame(view, offset)) is not None and part.end <= len(data):
        found.append((part.kind, data[part.start : part.stop]))
        offset = part.end
    return found


def join(boxes: Sequence[tuple[str, bytes]]) -> bytes:
    """A file of these boxes, with right checksums: the n-th box T is tile n."""
    pieces, tiles = [SIGNATURE + b"\1"], 0
    for kind, payload in boxes:
        pieces.append(box(kind, payload, seed(tiles) if kind == "T" else 0))
        tiles += kind == "T"
    return b"".join(pieces)


def mended(data: bytes) -> bytes:
    """The file with the right signature and the right checksum in each box that lies within it."""
    if len(data) < HEADER_BYTES // 2:
        return data
    start = SIGNATURE + b"\1" + data[len(SIGNATURE) + 1 :]
    boxes = split(start)
    whole = join(boxes)
    return whole + start[len(whole) :]


def mended_png(data: bytes) -> bytes:
    """A PNG with the right checksum in each of its chunks."""
    pieces, offset = [data[:8]], 8
    while offset + 12 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        body = data[offset + 4 : offset + 8 + length]
        if len(body) < 4 + length:
            break
        pieces.append(data[offset : offset + 8 + length] + struct.pack(">I", zlib.crc32(body)))
        offset += 12 + length
    return b"".join([*pieces, data[offset:]])
