# SPDX-License-Identifier: BSD-3-Clause
"""Payloads of layered tiles: stops and bits come back exactly, and nonsense is an error."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.codecs.toderici2017.bits import Bits, CodeModel
from calotype.codecs.toderici2017.payload import TileDecoder, encode_tile
from calotype.engine import bundles
from calotype.errors import FormatError
from tests.make_golden import GOLDEN

FOLDER = GOLDEN / "weights" / "toderici2017"


@pytest.fixture(scope="module")
def model() -> CodeModel:
    return CodeModel(bundles.Bundle(FOLDER, {}).arrays("codes.npz"))


def stopping_bits(seed: int, height: int, width: int, layers: int = 4) -> Bits:
    """Random bits of cells that stop at random, in patches."""
    rng = np.random.default_rng(seed)
    until = np.kron(rng.integers(0, layers + 1, (-(-height // 3), -(-width // 3))), np.ones((3, 3), int))
    until = np.maximum(until[:height, :width], rng.integers(1, 3, (height, width)))  # never before the first layer
    bits = rng.choice(np.array([-1, 1], np.int8), (layers, 8, height, width))
    return np.asarray(bits * (np.arange(layers)[:, None, None, None] < until), np.int8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
def test_what_is_coded_comes_back(model: CodeModel, seed: int, height: int, width: int) -> None:
    bits = stopping_bits(seed, height, width)
    decoder = TileDecoder(model, height, width)
    for layer, payload in zip(bits, encode_tile(model, bits), strict=True):
        assert (decoder(payload) == layer).all()
        assert bool(payload) == bool(layer.any())


def test_stops_take_little_space(model: CodeModel) -> None:
    bits = stopping_bits(1, 32, 32)
    left = np.asarray(bits != 0)
    left[:] = True
    left[2:, :, :, 16:] = False  # half of the tile stops after two layers
    bits = np.where(left, np.where(bits == 0, 1, bits), 0).astype(np.int8)
    *_, third, fourth = map(len, encode_tile(model, bits))
    going, state = bits[2, 0] != 0, model.start(32, 32)
    for layer in bits[:2]:
        model.encode(layer, state)
    assert third < len(model.encode(bits[2], state)) + 1024 // 8 * 0.6
    assert fourth < len(model.encode(bits[3], state)) + 24
    assert going.sum() == 512


def test_nonsense_is_an_error(model: CodeModel) -> None:
    bits = stopping_bits(3, 9, 7)
    payloads = list(encode_tile(model, bits))
    rng = random.Random(4)
    for _ in range(300):
        decoder = TileDecoder(model, 9, 7)
        try:
            for payload in payloads:
                data = bytearray(payload or b"\0" * 7)
                for _ in range(rng.randrange(4)):
                    data[rng.randrange(len(data))] = rng.randrange(256)
                assert np.isin(
                    decoder(bytes(data[: rng.choice([len(data), rng.randrange(len(data) + 1)])])), (-1, 0, 1)
                ).all()
        except FormatError:
            pass


@pytest.mark.parametrize(
    ("payloads", "words"),
    [
        ([b""], "first layer is empty"),
        ([None, b"", b"\0\0\0"], "goes on where all cells have stopped"),
        ([b"\0\0\0"], "whole number of 32-bit words"),
        ([None, b"\0"], "shorter than"),
        ([b"\0" + bytes(range(1, 41))], "differ|continues|no encoder"),
    ],
)
def test_errors_say_what(model: CodeModel, payloads: list[bytes | None], words: str) -> None:
    sound = next(iter(encode_tile(model, np.ones((1, 8, 5, 4), np.int8))))
    decoder = TileDecoder(model, 5, 4)
    with pytest.raises(FormatError, match=words):
        for payload in payloads:
            decoder(sound if payload is None else payload)


def test_there_is_an_end_to_layers(model: CodeModel) -> None:
    decoder = TileDecoder(model, 2, 2)
    for payload in encode_tile(model, np.ones((4, 8, 2, 2), np.int8)):
        decoder(payload)
    with pytest.raises(FormatError, match="after 4 layers"):
        decoder(b"\0" * 6)
