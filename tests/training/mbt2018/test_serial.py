# SPDX-License-Identifier: BSD-3-Clause
"""The serial context: causal, exact in integers, and what its wavefront writes comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from calotype.engine.entropy import gaussian_tables  # noqa: E402
from calotype.errors import FormatError  # noqa: E402
from calotype.networks.mbt2018 import TAPS, SerialConfig, SerialContext  # noqa: E402
from calotype.training.integer import scales  # noqa: E402
from calotype.training.mbt2018.integers import integers  # noqa: E402
from calotype.training.mbt2018.train import Material, bits, fit, start  # noqa: E402
from calotype.training.mbt2018.wavefront import Wavefront, waves  # noqa: E402

SMALL = SerialConfig(m=6, features=5, width=16)


def material(tiles: int = 3, h: int = 16, w: int = 24, seed: int = 1) -> Material:
    """Latents that walk at random from the left, with a scale that the features tell."""
    rng = np.random.default_rng(seed)
    features = rng.integers(-1023, 1024, (tiles, SMALL.features, h // 2, w // 2)).astype(np.float32) / 128
    scale = np.exp(features[:, :1] / 4).repeat(2, 2).repeat(2, 3)
    y = np.cumsum(rng.normal(size=(tiles, SMALL.m, h, w)) * scale * 0.5, 3).astype(np.float32)
    steps = np.full_like(y, 0.75)
    return Material(*(torch.from_numpy(a) for a in (y, np.rint(y / 0.75) * np.float32(0.75), steps, features)))


def lively(seed: int = 0) -> SerialContext:
    torch.manual_seed(seed)
    network = SerialContext(SMALL)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return network.eval()


@pytest.fixture(scope="module")
def coder() -> Wavefront:
    return Wavefront(integers(lively(), material()), gaussian_tables(scales()))


def test_every_position_comes_once_and_after_what_it_needs() -> None:
    for h, w in ((1, 1), (1, 9), (9, 1), (7, 5), (64, 64)):
        when = np.full((h, w), -1)
        for t, (rows, columns) in enumerate(waves(h, w)):
            assert (when[rows, columns] == -1).all()
            when[rows, columns] = t
        assert (when >= 0).all()
        for i, j in TAPS:
            a = when[max(0, -i) :, max(0, -j) : w - max(0, j)]
            b = when[: h + i, max(0, j) : w + min(0, j)] if h + i > 0 else a[:0]
            assert (b < a[: len(b)]).all()
    assert when.max() + 1 == 253


def test_nothing_depends_on_what_comes_later() -> None:
    network, m = lively(), material(1)
    other = m.y_hat.clone()
    other[..., 7, 9:] += 5
    other[..., 8:, :] -= 3
    with torch.inference_mode():
        a, b = network(m.y_hat, m.features), network(other, m.features)
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x[..., :7, :], y[..., :7, :]) and torch.equal(x[..., 7, :10], y[..., 7, :10])
        assert not torch.equal(x[..., 7, 10:], y[..., 7, 10:])


@settings(max_examples=25, deadline=None)
@given(h=st.integers(1, 17), w=st.integers(1, 17), loud=st.floats(0.01, 300), seed=st.integers(0, 2**31))
def test_what_is_written_comes_back(coder: Wavefront, h: int, w: int, loud: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.standard_cauchy((SMALL.m, h, w)) * loud).clip(-1e5, 1e5).astype(np.float32)
    steps = rng.choice(np.float32([0.4, 0.7, 1.0]), (SMALL.m, h, w))
    features = rng.integers(-1023, 1024, (SMALL.features, -(-h // 2), -(-w // 2))).astype(np.float32)
    data, predicted, y_hat = coder.encode(y, steps, features)
    np.testing.assert_array_equal(coder.decode(data, steps, features), y_hat)
    assert len(data) * 8 <= predicted + 2 * 32 + 16 + 32


def test_damage_is_found(coder: Wavefront) -> None:
    m = material(1)
    y, steps, features = m.y[0].numpy(), m.steps[0].numpy(), m.features[0].numpy() * 128
    data, _, y_hat = coder.encode(y, steps, features)
    assert (np.abs(y_hat - y) <= 0.39).mean() > 0.7  # the others have a level of 0, and stay what was predicted
    for wrong in (data[:-4], data[:7] + bytes([data[7] ^ 4]) + data[8:], data + b"1234"):
        with pytest.raises(FormatError):
            coder.decode(wrong, steps, features)


def test_integers_predict_what_the_network_does() -> None:
    network, m = lively(), material(1)
    coder = Wavefront(integers(network, material()), gaussian_tables(scales()))
    found: dict[str, np.ndarray] = {"means": np.zeros((16, 24, SMALL.m)), "levels": np.zeros((16, 24, SMALL.m))}

    def keep(means: np.ndarray, levels: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        found["means"][places], found["levels"][places] = means, levels
        return np.rint((m.y[0].numpy()[:, *places].T - means) / 0.75)

    y_hat = coder.walk(keep, m.steps[0].numpy(), m.features[0].numpy() * 128)
    with torch.inference_mode():
        means, log_scales = (a[0].permute(1, 2, 0).numpy() for a in network(torch.from_numpy(y_hat)[None], m.features))
    assert np.abs(found["means"] - means).mean() < 0.02 * np.abs(means).mean() + 0.02
    levels = (log_scales - np.log(scales()[0])) / np.log(scales()[1] / scales()[0])
    assert np.abs(found["levels"] - levels.clip(0, 63)).mean() < 1


def test_sums_stay_below_what_float32_holds() -> None:
    arrays = {k: v.astype(np.int64) for k, v in integers(lively(3), material()).items()}
    known = (np.abs(arrays["known"]).sum(1) + np.abs(arrays["side"]).sum(2).max(0)) * 1023
    assert (known + np.abs(arrays["side_bias"]).max(0)).max() < 1 << 24
    for name in ("hidden", "last"):
        assert (np.abs(arrays[name]).sum(1) * 1023 + np.abs(arrays[f"{name}_bias"])).max() < 1 << 24
    assert (np.abs(arrays["linear_taps"]).sum(1) * 2047).max() < 1 << 24
    assert (np.abs(arrays["context_taps"]).sum(1) * 1023).max() < 1 << 24


def test_it_learns_and_says_how() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network, m = SerialContext(SMALL), material()
    with torch.inference_mode():
        untrained = float(bits(network, m, noise=False))
    start(network, m)
    curve = fit(network, m, m, untrained, 0.02, batch=2, every=10)
    assert curve[0][:2] == (pytest.approx(0, abs=0.01), 0) and curve[0][2] < 0.9  # the linear start
    assert curve[-1][2] < curve[0][2] and curve[-1][1] > 3
