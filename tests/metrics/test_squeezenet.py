# SPDX-License-Identifier: BSD-3-Clause
"""The network and the distance on its features, with random weights, against PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calotype.errors import CalotypeError, PictureError
from calotype.metrics import load_squeezenet, perceptual_distance
from calotype.metrics import perceptual as module
from calotype.metrics.squeezenet import FIRES, SqueezeNet
from tests.squeezenet_weights import Weights, random_weights

from .copies import PHOTOGRAPH, Samples, deep, jpeg_copy

torch = pytest.importorskip("torch")
WEIGHTS = random_weights()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> SqueezeNet:
    path = tmp_path_factory.mktemp("weights") / "squeezenet.npz"
    np.savez(path, **WEIGHTS, **{"conv10.bias": np.zeros(1000)})
    return load_squeezenet(path)


def their_features(picture: Samples) -> list[torch.Tensor]:
    tensors = {name: torch.from_numpy(value.astype(np.float32)) for name, value in WEIGHTS.items()}

    def layer(name: str, x: torch.Tensor, **options: int) -> torch.Tensor:
        conv = torch.nn.functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], **options)
        return torch.nn.functional.relu(conv)

    bgr = picture[..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
    x = layer("conv1", torch.from_numpy(bgr).permute(2, 0, 1)[None], stride=2)
    taken = [x]
    x = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
    for name in FIRES:
        squeezed = layer(f"{name}.squeeze", x)
        both = layer(f"{name}.expand1x1", squeezed), layer(f"{name}.expand3x3", squeezed, padding=1)
        x = torch.cat(both, 1)
        if name in ("fire4", "fire8", "fire9"):
            taken.append(x)
        if name in ("fire4", "fire8"):
            x = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
    return taken


def their_distance(a: Samples, b: Samples) -> float:
    normalise = torch.nn.functional.normalize
    layers = zip(their_features(a), their_features(b), strict=True)
    return float(np.mean([(normalise(x) - normalise(y)).square().sum(1).mean().item() for x, y in layers]))


@pytest.mark.parametrize("size", [(21, 21), (22, 40), (23, 35), (24, 37), (50, 99), (160, 121)])
def test_features_agree_with_pytorch(network: SqueezeNet, size: tuple[int, int]) -> None:
    picture = PHOTOGRAPH[100 : 100 + size[0], 200 : 200 + size[1]]
    for ours, theirs in zip(network.features(picture.astype(np.float32)), their_features(picture), strict=True):
        expected = theirs[0].permute(1, 2, 0).numpy()
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * float(expected.max()))


def test_distance_agrees_with_pytorch(network: SqueezeNet) -> None:
    original = PHOTOGRAPH[:200, 150:350]
    found = []
    for quality in (5, 30, 90):
        decoded = jpeg_copy(original, quality)
        found.append(perceptual_distance(original, decoded, network))
        assert found[-1] == pytest.approx(their_distance(original, decoded), rel=1e-4)
        assert perceptual_distance(decoded, original, network) == pytest.approx(found[-1], rel=1e-6)
        assert perceptual_distance(deep(original), deep(decoded), network) == pytest.approx(found[-1], rel=1e-4)
    assert 2 > found[0] > found[1] > found[2] > 0
    assert perceptual_distance(original, original, network) == 0


def test_grey_is_three_equal_channels(network: SqueezeNet) -> None:
    grey, decoded = PHOTOGRAPH[:60, :60, 1], jpeg_copy(PHOTOGRAPH[:60, :60, 1], 20)
    colour = [np.repeat(samples[..., None], 3, axis=2) for samples in (grey, decoded)]
    expected = perceptual_distance(*colour, network)
    assert perceptual_distance(grey, decoded, network) == pytest.approx(expected, rel=1e-6)


def test_large_pictures_in_parts(network: SqueezeNet, monkeypatch: pytest.MonkeyPatch) -> None:
    original = PHOTOGRAPH[:81, :100]
    decoded = jpeg_copy(original, 20)
    monkeypatch.setattr(module, "LARGEST_SIDE", 50)
    parts = [(slice(0, 40), 40), (slice(40, 81), 41)]
    columns = [slice(0, 50), slice(50, 100)]
    total = sum(n * 50 * their_distance(original[r, c], decoded[r, c]) for r, n in parts for c in columns)
    assert perceptual_distance(original, decoded, network) == pytest.approx(total / 8100, rel=1e-4)


def test_too_small(network: SqueezeNet) -> None:
    with pytest.raises(PictureError, match="at least 21 pixels, and the picture is 20 x 60"):
        perceptual_distance(PHOTOGRAPH[:60, :20], PHOTOGRAPH[:60, :20], network)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fire3.squeeze.bias": None}, "fire3.squeeze.bias is missing"),
        ({"conv1.weight": np.zeros((64, 3, 3, 3), np.float32)}, "conv1.weight is"),
        ({"fire2.squeeze.bias": np.zeros(16, np.int64)}, "fire2.squeeze.bias is"),
        ({"fire2.squeeze.bias": np.full(16, np.nan, np.float32)}, "values that are no numbers"),
        ({"conv1.bias": np.array([{}] * 96)}, "damaged"),
    ],
)
def test_wrong_weights(tmp_path: Path, change: Weights, message: str) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, **{name: value for name, value in (WEIGHTS | change).items() if value is not None})
    with pytest.raises(CalotypeError, match=message):
        load_squeezenet(path)


def test_no_weights_at_all(tmp_path: Path) -> None:
    with pytest.raises(CalotypeError, match="no file"):
        load_squeezenet(tmp_path / "none.npz")
    with pytest.raises(CalotypeError, match="cannot read"):
        load_squeezenet(tmp_path)
    for content in (b"", b"hello", b"PK\x03\x04 damaged"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(CalotypeError, match="no npz file"):
            load_squeezenet(tmp_path / "bad.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(CalotypeError, match="no npz file"):
        load_squeezenet(tmp_path / "one.npy")
