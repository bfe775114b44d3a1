# SPDX-License-Identifier: BSD-3-Clause
"""Payloads of bit planes: latents come back exactly, plane by plane, and nonsense is an error that changes nothing."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.codecs.quality import to_header
from calotype.codecs.rippel2017.context import Context
from calotype.codecs.rippel2017.payload import TileDecoder, encode_tile
from calotype.codecs.rippel2017.planes import finest, moduli
from calotype.engine.bundles import Bundle
from calotype.errors import BundleError, FormatError
from tests.make_golden import GOLDEN

BUNDLE = Bundle(GOLDEN / "weights" / "rippel2017", {})


@pytest.fixture(scope="module")
def context() -> Context:
    return Context.of(BUNDLE, 1)


def latents(context: Context, seed: int, height: int, width: int) -> np.ndarray:
    """Few large ones, many small ones, all within what each channel can hold."""
    rng = np.random.default_rng(seed)
    y = rng.laplace(size=(context.channels, height, width)) * 2.0 ** (context.limits[:, None, None] - 4)
    return y.astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.floats(1, 100))
def test_what_is_coded_comes_back(context: Context, seed: int, height: int, width: int, quality: float) -> None:
    y, stored = latents(context, seed, height, width), to_header(quality)
    decoder = TileDecoder(context, height, width, stored)
    errors = [np.abs(y).sum()]
    for payload in encode_tile(context, y, stored):
        decoder(payload)
        errors.append(np.abs(decoder.known.latents() - y).sum())
    known = decoder.known
    assert (known.held == moduli(y, context.limits, finest(stored))).all()
    assert (known.signs == np.sign(y) * (known.held > 0)).all()
    assert errors[-1] <= errors[0] and list(decoder.known.exponents) == [finest(stored)] * 2
    with pytest.raises(FormatError, match="the most that there are"):
        decoder(b"\0")


def test_nonsense_is_an_error_and_changes_nothing(context: Context) -> None:
    y, stored = latents(context, 1, 8, 8), to_header(80)
    first, second, *_ = encode_tile(context, y, stored)
    decoder = TileDecoder(context, 8, 8, stored)
    decoder(first)
    before = decoder.known.latents(), decoder.thresholds
    draw = random.Random(2)
    for payload in (
        b"", second[:1], second[:-4], second + bytes(4), bytes([second[0] ^ 1]) + second[1:], draw.randbytes(101)
    ):  # fmt: skip
        with pytest.raises(FormatError):
            decoder(payload)
        assert (decoder.known.latents() == before[0]).all() and (decoder.thresholds == before[1]).all()
    decoder(second)
    assert (decoder.known.latents() != before[0]).any()


def test_context_saves_bits(context: Context) -> None:
    """Latents that are all small beside each other, and large beside each other, cost less than shuffled ones."""
    y = latents(context, 3, 24, 24)
    y[:, :, 12:] /= 16
    rng = np.random.default_rng(4)
    mixed = rng.permutation(y.reshape(len(y), -1), axis=1).reshape(y.shape)
    sizes = [sum(map(len, encode_tile(context, z, to_header(60)))) for z in (y, mixed)]
    assert sizes[0] < sizes[1]


def test_bundles_that_lack_something_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    arrays = BUNDLE.arrays()
    for name, changes in (("x", {"limits": None}), ("y", {"limits": np.full(7, 3)}), ("z", {"limits": np.full(8, 99)})):
        (tmp_path / name).mkdir()
        kept = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
        np.savez(tmp_path / name / "tables.npz", **kept)
        with pytest.raises(BundleError, match=r"another version|contradict"):
            Context.of(Bundle(tmp_path / name, {}), 1)
