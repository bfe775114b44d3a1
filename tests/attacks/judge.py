# SPDX-License-Identifier: BSD-3-Clause
"""A damaged file through every verb that reads one: what must hold, whatever comes.

only errors of Calotype, warnings of Calotype    no crash
5 s of processor time for a megapixel            no hang
MEMORY above what the process had before         no file that takes it all
no other picture without an error or a warning   unless somebody mended the checksums
"""

from __future__ import annotations

import contextlib
import io
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from calotype.api.decode import decode
from calotype.api.probe import probe
from calotype.api.progressive import progressive
from calotype.api.truncate import truncate
from calotype.api.wrap import extract
from calotype.container import Container, unpack
from calotype.errors import CalotypeError, CalotypeWarning, DamageWarning
from tests.attacks.originals import Original

SLOWEST = 5.0  # seconds of processor time for a megapixel, or for less
MAX_PIXELS = 2**20  # that the verbs are told to accept: what anyone should do with such files
MEMORY = 256 * 2**20  # bytes that a file may take, of at most MAX_PIXELS

Case = Callable[[], object]


class FaultError(AssertionError):
    """A promise that was broken: which, and by which verb."""


def read_verbs(data: bytes, original: Original, rng: random.Random) -> dict[str, Case]:
    """Verbs that decode no pixel."""
    size = rng.randint(1, len(data) + 8)
    return {
        "info": lambda: probe(data),
        "unpack": lambda: unpack(data),
        "search": lambda: unpack(data, salvage=True),
        "truncate": lambda: unpack(truncate(data, size)),
        "extract": lambda: extract(data),
    }


def decode_verbs(data: bytes, original: Original, rng: random.Random) -> dict[str, Case]:
    """Verbs that do."""
    options: dict[str, Any] = {"threads": 1, "as_array": True, "max_pixels": MAX_PIXELS}
    region = rng.choice(original.regions)
    step = rng.choice([7, 50, 400, 2**14])
    chunks = [data[place : place + step] for place in range(0, len(data), step)]
    return {
        "decode": lambda: decode(data, **options),
        "region": lambda: (region, decode(data, region=region, **options)),
        "iterations": lambda: decode(data, iterations=rng.randint(1, 3), **options),
        "progressive": lambda: list(progressive(chunks, **options)),
        "salvage": lambda: decode(data, salvage=True, **options),
        "Pillow": lambda: _with_pillow(data),
    }


def _with_pillow(data: bytes) -> object:
    """Through the plug-in, which has no max_pixels: only as far as the front."""
    from calotype.pillow import CalotypeImageFile

    try:
        return CalotypeImageFile(io.BytesIO(data)).info
    except SyntaxError:  # how a plug-in says that the file is none of its own
        return None


def judge(
    data: bytes, original: Original, rng: random.Random, *, forged: bool, decoding: bool = True,
    counts: Counter[str] | None = None,
) -> None:  # fmt: skip
    """Take a file through the verbs. Raises FaultError.

    Args:
        data: the file.
        original: of which it was made.
        rng: chooses regions, sizes and chunks.
        forged: whether checksums were mended, and another picture is no fault.
        decoding: whether to decode pixels as well.
        counts: gets one more for each verb, and each that gave something back.
    """
    verbs = read_verbs(data, original, rng)
    if decoding:
        verbs |= decode_verbs(data, original, rng)
    _reset_peak()
    before = memory("VmRSS")
    for name, verb in verbs.items():
        result, said = _tried(name, verb)
        if counts is not None:
            counts[name] += 1
            counts[f"{name}, not refused"] += result is not None
        if not forged and result is not None and not said:
            _check_picture(name, result, data, original)
    grown = memory("VmHWM") - before
    if grown > MEMORY:
        raise FaultError(f"memory: {grown / 2**20:.0f} MB")


def _tried(name: str, verb: Case) -> tuple[object, bool]:
    """The result, None after an error of Calotype; and whether a warning came with it."""
    begin = time.process_time()
    result: object = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = verb()
        except CalotypeError as error:
            if not str(error).isprintable() or not 10 < len(str(error)) < 1000:
                raise FaultError(f"{name}: the sentence {str(error)!r}") from error
            if "not enough memory" in str(error):
                raise FaultError(f"{name}: {error}") from error
        except Exception as error:
            raise FaultError(f"{name}: {type(error).__name__}: {error}") from error
    seconds = time.process_time() - begin
    if seconds > SLOWEST:
        raise FaultError(f"{name}: {seconds:.1f} seconds")
    for warning in caught:
        if not issubclass(warning.category, CalotypeWarning):
            raise FaultError(f"{name}: a warning of others, {warning.category.__name__}: {warning.message}")
    return result, any(issubclass(warning.category, DamageWarning) for warning in caught)


def _check_picture(name: str, result: Any, data: bytes, original: Original) -> None:
    """FaultError for what is not the original, and nobody said so."""
    whole = original.content
    match name:
        case "unpack" | "search" | "truncate":
            found: Container = result
            if found.truncated or found.warnings:
                return
            count = len(found.tiles)
            fewer = bool(whole.header.layers)  # dropping layers makes another sound file
            same = found.tiles == whole.tiles[:count] and (fewer or count == len(whole.tiles))
            if not same or (found.header, found.alpha) != (whole.header, whole.alpha):
                raise FaultError(f"{name}: other parts without a word")
        case "decode" | "salvage":
            tiles = len(unpack(data).tiles)  # it has told of nothing, so it must be whole
            _compare(name, result, original.picture(tiles if tiles < len(whole.tiles) else None))
        case "region":
            region, picture = result
            tiles = len(unpack(data).tiles)
            _compare(name, picture, original.picture(tiles if tiles < len(whole.tiles) else None, region))
        case "progressive":
            for step in result:
                if step.iteration in original.arriving:
                    _compare(name, step.image, original.arriving[step.iteration])
        case "extract":
            if result != original.inside:
                raise FaultError("extract: another file without a word")


def _compare(name: str, found: Any, expected: Any) -> None:
    if found.shape != expected.shape or not np.array_equal(found, expected):
        raise FaultError(f"{name}: another picture without a word")


def memory(field: str) -> int:
    """Bytes that Linux counts for this process; 0 elsewhere."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(status.split(field + ":")[1].split()[0]) * 1024


def _reset_peak() -> None:
    """Let VmHWM begin anew, where Linux allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
