# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import ImageCms
from PIL.ImageCms import ImageCmsProfile

from calotype.comparison.alike import alike, on_grey
from calotype.container import CodePoints, Metadata
from calotype.errors import PictureError
from calotype.raster import Raster, colour

RNG = np.random.default_rng(9)


def drawn(channels: int = 3, depth: int = 8, alpha: Any = None) -> Raster:
    dtype: Any = np.uint8 if depth == 8 else np.uint16
    samples = RNG.integers(0, 256 if depth == 8 else 65536, (6, 8, channels)).astype(dtype)
    return Raster(samples, None if alpha is None else np.broadcast_to(dtype(alpha), (6, 8)).copy())


def test_nothing_to_do() -> None:
    a, b = drawn(), drawn()
    pair = alike(a, b)
    assert pair.original is a.samples and pair.other is b.samples and pair.notes == ()
    grey = alike(drawn(1), drawn(1))
    assert grey.original.shape == (6, 8, 1) and grey.notes == ()


def test_sizes() -> None:
    with pytest.raises(PictureError, match=r"it has 8 x 6 pixels and the original 6 x 8"):
        alike(Raster(np.zeros((8, 6, 3), np.uint8)), drawn())


def test_depth() -> None:
    a = drawn()
    pair = alike(a, Raster(a.samples.astype(np.uint16) * 257))
    assert pair.original.dtype == np.uint16 and (pair.original == pair.other).all()
    assert pair.notes == ("8 bits against 16: compared at 16 bits",)


def test_grey_against_rgb() -> None:
    grey = drawn(1)
    pair = alike(grey, Raster(np.repeat(grey.samples, 3, axis=2)))
    assert (pair.original == pair.other).all() and pair.original.shape == (6, 8, 3)
    assert pair.notes == ("grey against RGB: compared as RGB",)


@pytest.mark.parametrize("depth", [8, 16])
def test_transparency(depth: int) -> None:
    peak = 2**depth - 1
    opaque, clear, half = drawn(3, depth, peak), drawn(3, depth, 0), drawn(3, depth, peak // 2)
    assert alike(opaque, drawn(3, depth)).notes == ()  # alpha that hides nothing
    assert (alike(clear, drawn(3, depth, 0)).original == (peak + 1) // 2).all()
    pair = alike(clear, drawn(3, depth, 0))  # different colours that nobody sees
    assert (pair.original == pair.other).all() and "medium grey" in pair.notes[0]
    exact = half.samples * (half.alpha[..., None] / peak) + (peak + 1) // 2 * (1 - half.alpha[..., None] / peak)  # type: ignore[index]
    assert np.abs(on_grey(half).samples - exact).max() <= 0.5 + 1e-6
    white = Raster(np.full((6, 8, 1), peak, half.samples.dtype), np.full((6, 8), peak, half.samples.dtype))
    assert (on_grey(white).samples == peak).all()


def wide_profile() -> bytes:
    """sRGB with red and green exchanged."""
    icc = bytearray(ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(icc[i : i + 4]): i for i in range(132, 132 + 12 * int.from_bytes(icc[128:132], "big"), 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    icc[red + 4 : red + 8], icc[green + 4 : green + 8] = icc[green + 4 : green + 8], icc[red + 4 : red + 8]
    return bytes(icc)


def test_colour_profiles() -> None:
    srgb = ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    a, wide = drawn(), wide_profile()  # made once: a profile holds the time of its making
    pair = alike(a, Raster(a.samples, metadata=Metadata(srgb)))  # no profile means sRGB
    assert (pair.original == pair.other).all() and pair.notes == ()
    other = Raster(np.ascontiguousarray(a.samples[..., [1, 0, 2]]), metadata=Metadata(wide))
    pair = alike(a, other)
    assert pair.notes == ("different colour profiles: compared in sRGB",)
    assert np.abs(pair.original.astype(int) - pair.other).max() <= 3
    same = alike(other, Raster(a.samples, metadata=Metadata(wide)))
    assert same.original is other.samples and same.notes == ()
    deep = alike(drawn(3, 16), Raster(drawn(3, 16).samples, metadata=Metadata(wide)))
    assert "compared as stored" in deep.notes[0]


def test_code_points_count_as_the_profile_that_means_the_same() -> None:
    display_p3, pq = CodePoints(12, 13), CodePoints(9, 16)
    a = drawn()
    pointed = Raster(a.samples, metadata=Metadata(cicp=display_p3))
    named = alike(pointed, Raster(a.samples, metadata=Metadata(colour.profile(display_p3, 3))))
    assert (named.original == named.other).all() and named.notes == ()
    plain = alike(pointed, a)
    assert plain.notes == ("different colour profiles: compared in sRGB",)
    assert (plain.original != plain.other).any()
    bright = alike(Raster(a.samples, metadata=Metadata(cicp=pq)), a)  # which no profile says
    assert "compared as stored" in bright.notes[0] and (bright.original == bright.other).all()
    assert (
        alike(Raster(a.samples, metadata=Metadata(cicp=pq)), Raster(a.samples, metadata=Metadata(cicp=pq))).notes == ()
    )
