# SPDX-License-Identifier: BSD-3-Clause
"""The infinite mixture: fitted to photographs, exported, and what its Gaussians and regressors compute."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

import calotype  # noqa: E402
from calotype.cli import app  # noqa: E402
from calotype.errors import CalotypeError, DependencyError  # noqa: E402
from calotype.networks.cheng2017 import LUMA, Mixture, MixtureConfig  # noqa: E402
from calotype.training.cheng2017 import kind  # noqa: E402
from calotype.training.cheng2017.export import export_bundle  # noqa: E402
from calotype.training.cheng2017.fit import fit, regress, sample  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.ledig2017.bicubic import imresize  # noqa: E402
from calotype.training.ledig2017.protocol import luma_psnr  # noqa: E402
from calotype.training.ledig2017.task import enlarge  # noqa: E402
from calotype.training.recipe import FOLDER, load_recipe  # noqa: E402

SMALL = MixtureConfig(dimensions=6, components=4, patches=20_000, grouped=3000, iterations=15)


def scene(height: int = 160, width: int = 200) -> np.ndarray:
    """Edges in many directions, on a slope."""
    y, x = np.mgrid[:height, :width].astype(float)
    picture = 110 + x / 4
    rng = np.random.default_rng(0)
    for _ in range(25):
        angle, level = rng.uniform(0, 2 * np.pi), rng.uniform(-60, 60)
        at = rng.uniform(0, width), rng.uniform(0, height)
        picture = picture + level * np.tanh((np.cos(angle) * (x - at[0]) + np.sin(angle) * (y - at[1])) / 1.2)
    return np.stack([picture, 0.9 * picture + 9, 0.8 * picture + 20], 2).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(scene()).save(folder / "a.png")
    return folder


@pytest.fixture(scope="module")
def fitted(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    mixture = Mixture(SMALL)
    fit(mixture, PictureCache(photos, tmp_path_factory.mktemp("cache")))
    return mixture.eval()


def planes(samples: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(samples.astype(np.float32) / 255).permute(2, 0, 1)[None]


def test_untrained_it_is_bicubic_interpolation() -> None:
    small = imresize(scene(), 80, 100)
    with torch.inference_mode():
        made = enlarge(Mixture(SMALL).eval(), small)
    assert np.abs(made.astype(int) - imresize(small, 160, 200))[8:-8, 8:-8].max() <= 1


def test_a_fitted_one_is_better(fitted: Mixture) -> None:
    small = imresize(scene(), 80, 100)
    with torch.inference_mode():
        gain = luma_psnr(scene(), enlarge(fitted, small), 2) - luma_psnr(scene(), imresize(small, 160, 200), 2)
    assert gain > 1
    assert float(fitted.weights.sum()) == pytest.approx(1, abs=1e-4)


def test_responsibilities_are_those_of_the_gaussians(fitted: Mixture) -> None:
    torch.manual_seed(0)
    patches = 0.1 * torch.randn(50, 1, 7, 7)
    with torch.inference_mode():
        found = fitted.responsibilities(patches)[:, :, 0, 0]
        z = (patches.flatten(1) @ fitted.basis.T).double()
        gaussians = torch.distributions.MultivariateNormal(
            fitted.means.double(), precision_matrix=(fitted.factors @ fitted.factors.mT).double()
        )
        expected = (gaussians.log_prob(z[:, None]) + fitted.weights.double().log()).softmax(1)
    torch.testing.assert_close(found.double(), expected, atol=2e-3, rtol=0)


def test_principal_components_have_unit_variance_and_no_mean(fitted: Mixture, photos: Path, tmp_path: Path) -> None:
    x, _ = sample(fitted, PictureCache(photos, tmp_path / "cache"), SMALL.patches)
    z = x @ fitted.basis.T
    torch.testing.assert_close(z.T @ z / len(z), torch.eye(SMALL.dimensions), atol=2e-2, rtol=0)
    assert float(fitted.basis.sum(1).abs().max()) < 1e-2 * float(fitted.basis.abs().sum(1).max())


def test_one_component_is_ridge_regression() -> None:
    torch.manual_seed(1)
    mixture = Mixture(MixtureConfig(dimensions=2, components=1))
    x = torch.randn(4000, 49)
    x = x - x.mean(1, keepdim=True)
    true = torch.randn(49, 4)
    regress(mixture, x, x @ true)
    torch.testing.assert_close(mixture.regressors[:, 0].T, true - true.mean(0), atol=1e-2, rtol=0)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_bundle_computes_what_the_network_does(scale: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(2)
    mixture = Mixture(MixtureConfig(scale=scale, dimensions=5, components=6))
    with torch.no_grad():
        mixture.basis.normal_()
        mixture.basis.sub_(mixture.basis.mean(1, keepdim=True))
        mixture.means.normal_(std=0.3)
        mixture.factors.add_(0.3 * torch.randn_like(mixture.factors).triu())
        mixture.regressors.normal_(std=0.05)
        mixture.weights.copy_(torch.tensor([0.4, 0.0, 0.3, 0.2, 0.1 - 1e-4, 1e-4]))  # two are as good as empty
    export_bundle(mixture, tmp_path / f"mixture-x{scale}", f"mixture-x{scale}", {})
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(tmp_path))
    small = scene(110, 130)
    made = calotype.upscale(small, scale, model="mixture", as_array=True)
    with torch.inference_mode():
        expected = enlarge(mixture.eval(), small)
    assert np.abs(made.astype(int) - expected).max() <= 1 and (made != expected).mean() < 0.02
    described = json.loads((tmp_path / f"mixture-x{scale}" / "model.json").read_text(encoding="utf-8"))
    assert described["configuration"]["components"] == 4 and described["codec"] == "ledig2017"


def test_detail_is_of_luma(fitted: Mixture) -> None:
    x = planes(imresize(scene(), 80, 100))
    with torch.inference_mode():
        detail = fitted(x) - Mixture(SMALL)(x)
    assert float((detail - detail[:, :1]).abs().max()) < 1e-5
    assert sum(LUMA) == pytest.approx(1)


def test_training_and_export_by_the_command_line(photos: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(
        'kind = "cheng2017"\n[network]\ndimensions = 4\ncomponents = 2\npatches = 2000\ngrouped = 500\n'
        "iterations = 3\n[loop]\nhours = 0.0001\nbatch = 1\n[crop]\nsize = 32\n",
        encoding="utf-8",
    )
    run = tmp_path / "run"
    made = CliRunner().invoke(app, ["train", str(recipe), "--data", str(photos), "--run", str(run)])
    assert made.exit_code == 0, made.output
    out = tmp_path / "bundle"
    made = CliRunner().invoke(app, ["export", str(run), "--data", str(photos), "-o", str(out)])
    assert made.exit_code == 0, made.output
    assert json.loads((out / "model.json").read_text(encoding="utf-8"))["id"] == "mixture-x2"


def test_recipes_that_ship_and_shapes_that_cannot_be() -> None:
    for scale in (2, 4):
        assert kind.network(load_recipe(FOLDER / f"mixture-x{scale}.toml")).config.scale == scale
    wrong = {"scale": (3, "one of 2, 4"), "side": (4, "one of 1, 3"), "dimensions": (49, "fewer than the 49")}
    for name, (value, sentence) in {**wrong, "components": (0, "cannot be 0")}.items():
        with pytest.raises(CalotypeError, match=sentence):
            kind.network({"network": {name: value}})


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.mixture", None)
    with pytest.raises(DependencyError, match="scikit-learn"):
        fit(Mixture(SMALL), None)  # type: ignore[arg-type]
