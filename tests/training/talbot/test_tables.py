# SPDX-License-Identifier: BSD-3-Clause
"""Probability tables that fit what was counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calotype.codecs.quality import to_header  # noqa: E402
from calotype.codecs.talbot.codec import Talbot as Codec  # noqa: E402
from calotype.engine.bundles import Bundle  # noqa: E402
from calotype.engine.entropy import Encoder, gaussian_tables  # noqa: E402
from calotype.networks.talbot import Talbot  # noqa: E402
from calotype.training.integer import scales  # noqa: E402
from calotype.training.talbot.export import export_bundle  # noqa: E402
from calotype.training.talbot.tables import Counts  # noqa: E402
from tests.training.talbot.test_export import FACTS, noise  # noqa: E402


def test_tables_take_the_shape_of_what_was_counted() -> None:
    rng = np.random.default_rng(0)
    level = 20
    symbols = np.rint(rng.laplace(0, scales()[level] / np.sqrt(2), 100_000)).astype(np.int32)
    counts = Counts(scales())
    counts.add(level, symbols)
    fitted, gaussian = counts.tables(), gaussian_tables(scales())
    bits = []
    for tables in (fitted, gaussian):
        encoder = Encoder(tables)
        encoder.encode(symbols, np.full(len(symbols), level, np.uint8))
        bits.append(encoder.predicted_bits())
    share = np.unique(np.abs(symbols), return_counts=True)[1] / len(symbols)
    entropy = -(share * np.log2(share)).sum() * len(symbols) + np.count_nonzero(symbols)
    assert bits[0] < 1.001 * entropy < bits[1]


def test_levels_that_were_never_seen_stay_gaussians() -> None:
    fitted, gaussian = Counts(scales()).tables(), gaussian_tables(scales())
    for a, b, wide, narrow in zip(fitted, gaussian, fitted.limits[1:], gaussian.limits[1:], strict=True):
        assert wide > narrow
        inner = a[wide - narrow : wide + narrow + 1]
        assert np.abs(inner - b[:-1]).max() < 2**12  # of 2^24


def test_symbols_beyond_a_table_count_as_escapes() -> None:
    counts = Counts(scales())
    counts.add(1, np.array([0, 0, 1, -1, 900, -900], np.int32))
    table = next(iter(counts.tables()))
    limit = counts.limits[1]
    assert (table[:-1] == table[-2::-1]).all()
    assert table[-1] / table.sum() == pytest.approx(2 / 36, rel=0.01)
    assert table[limit + 1] / table.sum() == pytest.approx(1 / 36, rel=0.01)


def test_an_exported_bundle_codes_photographs_in_fewer_bytes(network: Talbot, bundle: Bundle, tmp_path: Path) -> None:
    pictures = [noise(192, 160, seed) for seed in range(3)]
    export_bundle(network, torch.rand(4, 3, 256, 256), tmp_path / "small", FACTS, pictures)
    folder = tmp_path / "small"
    fitted, plain = (
        Codec(Bundle(folder, json.loads((folder / "model.json").read_text(encoding="utf-8"))), 1),
        Codec(bundle, 1),
    )
    assert fitted.bundle.hash != plain.bundle.hash
    other = noise(160, 192, 7)
    for quality in (10, 90):
        stored = to_header(quality)
        size, error = [], []
        for codec in (fitted, plain):
            data = codec.encode(other, stored)
            size.append(len(data[0]))
            error.append(np.square(codec.decode(data, other.shape, 8, stored) - other.astype(float)).mean())
        assert size[0] < size[1] and error[0] < 1.02 * error[1]
