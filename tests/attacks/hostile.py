# SPDX-License-Identifier: BSD-3-Clause
"""Files that want a reader's time, memory or trust: small, or cheap to make, and each with one trick.

``python tests/attacks/hostile.py FOLDER`` writes them into a folder, to be tried on any reader.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from calotype.container import END, MAX_METADATA, SIGNATURE, Header, head, tile
from calotype.container.boxes import box

Maker = Callable[[], bytes]


def opening(width: int = 64, height: int = 64, layout: int = 1, codec: bytes = b"talbot") -> bytes:
    """Signature and a header box with any content and a right CRC."""
    return SIGNATURE + b"\x01" + box("H", struct.pack("<HHBH4s", width, height, layout, 60 * 256, b"\0\0\0\0") + codec)


def bomb() -> bytes:
    """256 MiB of zeros: whoever inflates without a limit pays for it."""
    deflater = zlib.compressobj(9)
    megabyte = bytes(2**20)
    deflated = b"".join([deflater.compress(megabyte) for _ in range(256)] + [deflater.flush()])
    return opening() + box("x", deflated) + tile(b"", 0) + END


def claims(length: bytes, kind: bytes = b"T") -> bytes:
    """A box that claims a length and ends."""
    return opening() + kind + length + b"little"


def costly_candidates(size: int = 2**20) -> bytes:
    """Every third byte could begin a tile of half of the file: salvaging must not check them all."""
    claim = b"T" + struct.pack("<BBB", size // 2 & 0x7F | 0x80, size // 2 >> 7 & 0x7F | 0x80, size // 2 >> 14)
    return opening(65535, 4096) + b"\0" + claim * (size // len(claim))


def costly_boxes(size: int = 2**20) -> bytes:
    """Sound little boxes, each before a damaged one that claims a quarter of the file: n boxes times n bytes."""
    claim = b"q" + struct.pack("<BBB", size // 4 & 0x7F | 0x80, size // 4 >> 7 & 0x7F | 0x80, size // 4 >> 14)
    pair = tile(b"", 0) + claim
    return opening(65535, 4096) + pair * (size // len(pair))


def many_faults(size: int = 2**18) -> bytes:
    """A fault every few bytes: a reader that keeps a sentence about each fills its memory."""
    return opening() + (box("x", b"?") + b"\0") * (size // 8)


HOSTILE: dict[str, Maker] = {
    "huge-picture": lambda: opening(65535, 65535) + tile(b"", 0) + END,
    "most-tiles-without-any": lambda: opening(65473, 4099, layout=0x01) + END,
    "tile-of-2-million-pixels-a-side": lambda: opening(layout=0xF1) + tile(b"", 0) + END,
    "no-pixels": lambda: opening(0, 0) + END,
    "codec-walks-the-folders": lambda: opening(codec=b"../../etc/passwd") + tile(b"", 0) + END,
    "codec-with-terminal-escape": lambda: opening(codec=b"\x1b[2Jtalbot") + tile(b"", 0) + END,
    "codec-without-end": lambda: opening(codec=b"a" * 2**20) + tile(b"", 0) + END,
    "tile-claims-256-megabytes": lambda: claims(b"\xff\xff\xff\x7f"),
    "header-claims-256-megabytes": lambda: SIGNATURE + b"\x01H\xff\xff\xff\x7f" + bytes(99),
    "length-without-end": lambda: claims(b"\xff" * 4096),
    "length-padded-with-zeros": lambda: claims(b"\x86\x80\x80\x00"),
    "length-negative-as-i32": lambda: claims(b"\xff\xff\xff\xff\x0f"),
    "zlib-bomb": bomb,
    "zlib-bomb-just-above-the-limit": lambda: opening() + box("c", zlib.compress(bytes(MAX_METADATA + 1))) + END,
    "hundred-zlib-bombs": lambda: opening() + box("c", zlib.compress(bytes(MAX_METADATA + 1))) * 100 + END,
    "zlib-dictionary-wanted": lambda: opening() + box("e", b"\x78\xbb\0\0\0\0") + END,
    "zlib-without-end": lambda: opening() + box("e", zlib.compressobj().flush(zlib.Z_SYNC_FLUSH)) + tile(b"", 0) + END,
    "alpha-nobody-announced": lambda: opening() + box("A", b"") + tile(b"", 0) + END,
    "alpha-twice": lambda: opening(layout=5) + box("A", b"") * 2 + tile(b"", 0) + END,
    "metadata-hundred-times": lambda: opening() + box("c", zlib.compress(bytes(2**20))) * 100 + tile(b"", 0) + END,
    "header-twice": lambda: opening() + opening(65535, 4096)[8:] + tile(b"", 0) + END,
    "many-tiles-too-many": lambda: opening() + b"".join(tile(b"", index) for index in range(2**16)) + END,
    "one-tile-for-all": lambda: opening(65535, 4096) + tile(b"", 0) * 2**16 + END,
    "tiles-backwards": lambda: opening(65535, 4096) + b"".join(tile(b"", index) for index in range(9999, -1, -1)) + END,
    "tile-of-the-largest-index": lambda: opening() + tile(b"", 2**32 - 1) + END,
    "tiles-swapped": lambda: opening(128, 64) + tile(b"", 1) + tile(b"", 0) + END,
    "many-unknown-boxes": lambda: opening() + box("q", b"") * 2**16,
    "end-with-content": lambda: opening() + tile(b"", 0) + box("E", b"E"),
    "another-file-behind-the-end": lambda: (opening() + tile(b"", 0) + END) * 2,
    "never-begins": lambda: opening()[:8],
    "future-critical-box": lambda: opening() + box("Z", b"") + tile(b"", 0) + END,
    "costly-candidates": costly_candidates,
    "costly-boxes": costly_boxes,
    "many-faults": many_faults,
}

INNOCENT = head(Header("talbot", b"\0\0\0\0", 64, 64, 3, 8, False, 60 * 256, 64)) + tile(b"", 0) + END


def main() -> None:
    """Write the files into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in HOSTILE.items():
        (folder / f"{name}.calo").write_bytes(make())


if __name__ == "__main__":
    main()
