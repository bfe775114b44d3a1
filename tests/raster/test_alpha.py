# SPDX-License-Identifier: BSD-3-Clause
"""Alpha as bytes and back, and what damage does to it."""

from __future__ import annotations

import contextlib
import io
import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from calotype import codecs, container
from calotype.api import decode as api
from calotype.errors import DamageWarning, FormatError
from calotype.raster import decode_alpha, encode_alpha

from .drawing import pattern, png


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=60, deadline=None)
def test_alpha_comes_back(alpha: Any) -> None:
    height, width = alpha.shape
    depth = 8 * alpha.dtype.itemsize
    data = encode_alpha(alpha)
    back = decode_alpha(data, width, height, depth)
    assert back.dtype == alpha.dtype
    assert np.array_equal(back, alpha)
    for wrong in ((width + 1, height, depth), (width, height + 1, depth), (width, height, 24 - depth)):
        with pytest.raises(FormatError, match="alpha"):
            decode_alpha(data, *wrong)


def test_damaged_alpha_is_refused() -> None:
    good = encode_alpha(pattern(64, 64, 1)[..., 0])
    for cut in (0, 7, 20, 33, 40, len(good) // 2):
        with pytest.raises(FormatError, match="alpha"):
            decode_alpha(good[:cut], 64, 64, 8)
    colour = io.BytesIO()
    Image.fromarray(pattern(64, 64)).save(colour, "PNG")
    jpeg = io.BytesIO()
    Image.fromarray(pattern(64, 64)).save(jpeg, "JPEG")
    bomb = zlib.compress(bytes(2**20))
    huge = png(65535, 65535, bomb)
    text = png(64, 64, zlib.compress(bytes(65 * 64)), (b"zTXt", b"bomb\0\0" + zlib.compress(bytes(2**24))))
    for data in (colour.getvalue(), jpeg.getvalue(), huge, text, png(64, 64, b"nonsense"), png(64, 64, b"")):
        with pytest.raises(FormatError, match="alpha"):
            decode_alpha(data, 64, 64, 8)


def test_bit_flips_in_alpha_never_raise_anything_else() -> None:
    good = bytearray(encode_alpha(pattern(32, 32, 1)[..., 0]))
    for position in range(len(good)):
        for bit in (1, 128):
            good[position] ^= bit
            with contextlib.suppress(FormatError):
                assert decode_alpha(bytes(good), 32, 32, 8).shape == (32, 32)
            good[position] ^= bit


def test_salvaging_goes_on_without_damaged_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    from calotype.codecs.quality import to_header
    from calotype.codecs.talbot.model import TILE

    codec = SimpleNamespace(check=lambda _: None, decode=lambda *_: pattern())
    monkeypatch.setattr(codecs, "find", lambda _: SimpleNamespace(open=lambda *_: codec))
    header = container.Header("talbot", b"0000", 13, 9, 3, 8, True, to_header(60), TILE)
    damaged = encode_alpha(pattern(channels=1)[..., 0])[:40]
    data = container.pack(container.Container(header, alpha=damaged, tiles=(b"tile",)))
    with pytest.raises(FormatError, match="alpha"):
        api.decode_raster(data)
    with pytest.warns(DamageWarning, match="alpha"):
        decoded = api.decode_raster(data, salvage=True, region=(1, 2, 5, 7))
    assert decoded.alpha is None
    assert np.array_equal(decoded.samples, pattern())
