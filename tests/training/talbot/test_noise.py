# SPDX-License-Identifier: BSD-3-Clause
"""Noise in decoded latents: of the size that the prior tells, and only where nothing was coded."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.codecs.quality import position
from calotype.codecs.talbot.codec import Talbot as Codec
from calotype.engine.bundles import Bundle
from calotype.networks.talbot import SCALE_MIN
from calotype.training.integer import LEVELS
from calotype.training.talbot.noise import ROUNDING, NoisyPrior, gaussian, mixed
from tests.make_golden import drawing


def test_numbers_are_normal_and_the_same_everywhere() -> None:
    assert mixed(np.array([0, 1, 2, 2**32 - 1], np.uint32)).tolist() == [0, 1753845952, 3507691905, 1734902346]
    x = gaussian((10, 100, 100), 7)
    assert x.dtype == np.float32 and abs(x.mean()) < 0.01 and x.std() == pytest.approx(1, abs=0.01)
    others = gaussian(x.shape, 8), gaussian(x.shape, 7 ^ 1 << 30)
    assert all(abs(np.corrcoef(x.ravel(), other.ravel())[0, 1]) < 0.01 for other in others)


def test_noise_has_the_size_of_the_prior_and_spares_what_was_coded(bundle: Bundle) -> None:
    codec = Codec(bundle, 1)
    (y,) = codec.latents(drawing(200, 250, 3, 8)).tiles
    stored = 20 * 256
    coded = codec.prior.code(y * codec.gain("encoder", stored), position(stored))
    half, whole = (NoisyPrior(codec.prior, strength) for strength in (0.5, 1.0))
    assert whole.scales[0] == 0 and whole.scales[1] > SCALE_MIN and whole.scales[LEVELS - 1] == np.float32(ROUNDING)
    size = y.shape[1:]
    noise, less = (p.decode(coded.data, *size, position(stored)) - coded.y_hat for p in (whole, half))
    np.testing.assert_allclose(less, noise / 2, atol=1e-4)
    steps = codec.prior.steps.max()
    assert 0 < np.abs(noise).max() < 4 * ROUNDING * steps and (noise == 0).any()
    np.testing.assert_array_equal(codec.prior.decode(coded.data, *size, position(stored)), coded.y_hat)
