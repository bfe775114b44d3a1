# SPDX-License-Identifier: BSD-3-Clause
"""Pictures in the binary files of CIFAR-10 and STL-10, as their authors give them out and torchvision keeps them.

::

    cifar-10-batches-bin    data_batch_N.bin: records of 1 byte (class) and 3,072: 32 x 32, red, green, blue, row by row
    cifar-10-batches-py     data_batch_N: a pickle of a dictionary, whose longest string is the 3,072 bytes of each
    stl10_binary            train_X.bin, unlabeled_X.bin: 27,648 bytes each: 96 x 96, red, green, blue, column by column

The test sets are left out. A pickle is a program, which may do anything, and is never loaded here. It is taken apart
into its instructions, none of which is carried out; the one long string among them is what we want.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import CalotypeError

Picture = npt.NDArray[np.uint8]  # (H, W, 3)
CIFAR, STL = 32, 96  # pixels of a side
LARGEST_PICKLE = 1 << 28  # bytes; those of CIFAR-10 have 31 million
CHUNK = 1000  # pictures read at once


def find_binaries(folder: Path) -> list[Path]:
    """The training files of either set in or below a folder, in order; none if it holds no such thing."""
    if not folder.is_dir():
        return []
    found = [*folder.rglob("data_batch_*"), *folder.rglob("train_X.bin"), *folder.rglob("unlabeled_X.bin")]
    files = sorted(file for file in found if file.is_file())
    written = {file.stem for file in files if file.suffix == ".bin"}
    return [file for file in files if file.suffix == ".bin" or file.stem not in written]  # of two forms, the plain one


def pictures_in(file: Path) -> Iterator[Picture]:
    """The pictures of one of :func:`find_binaries`; CalotypeError if it does not have that form."""
    if file.name.endswith("_X.bin"):
        for samples in _records(file, 3 * STL * STL):
            yield np.ascontiguousarray(samples.reshape(3, STL, STL).transpose(2, 1, 0))
    elif file.suffix == ".bin":
        for samples in _records(file, 1 + 3 * CIFAR * CIFAR):
            yield _cifar(samples[1:])
    else:
        for samples in np.frombuffer(_longest_string(file), np.uint8).reshape(-1, 3 * CIFAR * CIFAR):
            yield _cifar(samples)


def _cifar(samples: npt.NDArray[np.uint8]) -> Picture:
    return np.ascontiguousarray(samples.reshape(3, CIFAR, CIFAR).transpose(1, 2, 0))


def _records(file: Path, size: int) -> Iterator[npt.NDArray[np.uint8]]:
    total = file.stat().st_size
    if total == 0 or total % size:
        raise CalotypeError(f"{file} has {total} bytes, which is no number of records of {size}: fetch it again")
    with open(file, "rb") as source:
        while data := source.read(CHUNK * size):
            yield from np.frombuffer(data, np.uint8).reshape(-1, size)


def _longest_string(file: Path) -> bytes:
    """The samples in a pickle of CIFAR-10."""
    if file.stat().st_size > LARGEST_PICKLE:
        raise CalotypeError(f"{file} is too large for a part of CIFAR-10")
    longest: str | bytes = b""
    try:
        with open(file, "rb") as source:
            for _, value, _ in pickletools.genops(source):
                if isinstance(value, str | bytes | bytearray) and len(value) > len(longest):
                    longest = value if isinstance(value, str) else bytes(value)
        samples = longest.encode("latin-1") if isinstance(longest, str) else longest
    except Exception as error:  # whatever damaged instructions make of a reader
        raise CalotypeError(f"{file} is damaged, or no part of CIFAR-10: fetch it again") from error
    if not samples or len(samples) % (3 * CIFAR * CIFAR):
        raise CalotypeError(f"{file} is no part of CIFAR-10: it holds no pictures of 32 x 32")
    return samples
