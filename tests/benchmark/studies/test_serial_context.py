# SPDX-License-Identifier: BSD-3-Clause
"""The study of a serial context: what it says the four passes cost is what they cost, and what it writes comes back."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calotype.benchmark.studies.serial_context import WEIGHTS, markdown, measure  # noqa: E402
from calotype.codecs.quality import position, to_header  # noqa: E402
from calotype.codecs.talbot import ENTRY  # noqa: E402
from calotype.codecs.talbot.codec import Talbot  # noqa: E402
from calotype.networks.mbt2018 import SerialConfig, SerialContext  # noqa: E402
from calotype.training.mbt2018.integers import integers  # noqa: E402
from calotype.training.mbt2018.latents import step_map, tiles  # noqa: E402
from calotype.training.mbt2018.train import Material, decoded, start  # noqa: E402
from calotype.training.mbt2018.wavefront import Wavefront  # noqa: E402
from tests.make_golden import drawing  # noqa: E402


@pytest.fixture(scope="module")
def codec() -> Talbot:
    return cast(Talbot, ENTRY.open(1, prefer=WEIGHTS))


def test_the_four_passes_cost_what_they_cost(codec: Talbot) -> None:
    stored = to_header(40)
    (tile,) = tiles(codec, drawing(88, 120, 3, 8), stored)
    coded = codec.prior.code(tile.y, position(stored))
    assert tile.y_bits + tile.z_bits == pytest.approx(coded.bits)
    np.testing.assert_array_equal(tile.y_hat, coded.y_hat)
    # Residuals are whole steps, from means that the passes predict in 64ths.
    assert step_map(codec.prior, 6, 8).shape == tile.y.shape
    assert (np.abs(tile.y - tile.y_hat) <= 0.501 * tile.steps).mean() > 0.9


def test_a_picture_is_measured_and_comes_back(codec: Talbot) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    picture = drawing(128, 128, 3, 8)
    material = Material.of(tiles(codec, picture, to_header(50)))
    network = SerialContext(SerialConfig(width=16))
    start(network, material)
    before = material.y_hat
    material = Material(material.y, decoded(network, material), material.steps, material.features)
    assert not torch.equal(before, material.y_hat)
    serial = Wavefront(integers(network, material), codec.prior.tables)
    found = measure(codec, serial, picture, 50)  # an AssertionError, were it not decoded to the same
    assert found["pixels"] == 128 * 128 and 0 < found["side"] < found["four"] < found["serial"]
    table = markdown([{**found, "picture": "a"}])  # type: ignore[dict-item]
    assert "| 50 |" in table and "%" in table
