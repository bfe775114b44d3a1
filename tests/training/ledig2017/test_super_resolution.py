# SPDX-License-Identifier: BSD-3-Clause
"""Training of super-resolution: pairs of pictures, losses, the adversaries' gradients, bundles."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

import calotype  # noqa: E402
from calotype.cli import app  # noqa: E402
from calotype.errors import CalotypeError, DependencyError, PictureError  # noqa: E402
from calotype.metrics import load_squeezenet, perceptual_distance, psnr_luma, ssim  # noqa: E402
from calotype.networks.ledig2017 import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig  # noqa: E402
from calotype.training import perceptual as perceptual_module  # noqa: E402
from calotype.training.critics import shifted  # noqa: E402
from calotype.training.crops import CropConfig  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.ledig2017.adversarial import (  # noqa: E402
    AdversarialConfig,
    AdversarialTask,
    Adversaries,
    Watch,
    weave,
)
from calotype.training.ledig2017.bicubic import imresize, resizing  # noqa: E402
from calotype.training.ledig2017.export import export_bundle  # noqa: E402
from calotype.training.ledig2017.protocol import luma, luma_psnr, luma_ssim  # noqa: E402
from calotype.training.ledig2017.task import PixelLossConfig, pairs, pixel_loss, planes, validation  # noqa: E402
from calotype.training.perceptual import PerceptualConfig, SqueezePerceptual, perceptual  # noqa: E402
from calotype.training.recipe import FOLDER, load_recipe  # noqa: E402
from tests.make_golden import drawing  # noqa: E402

SMALL = GeneratorConfig(channels=16, blocks=1)
PAPER = GeneratorConfig(channels=16, blocks=1, kernel=9, batch_norm=True, prelu=True, staged=True, base=False)
RECIPE = """
kind = "ledig2017"
[network]
scale = {scale}
channels = 16
blocks = 1
{tables}
[loop]
hours = 0.0003
batch = 2
[crop]
size = 64
"""
ADVERSARIAL = """
[adversarial]
[discriminator]
width = 4
dense = 8
[perceptual]
weights = "squeezenet.npz"
"""


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(drawing(160, 200, 3, 8)).save(folder / "a.png")
    return folder


@pytest.fixture
def pictures(photos: Path, tmp_path: Path) -> PictureCache:
    return PictureCache(photos, tmp_path / "cache")


# --- the protocol -----------------------------------------------------------------------------------------------------


def test_imresize_gives_matlabs_numbers() -> None:
    # The kernel stretched by two, at distances of 1/4, 3/4, 5/4 and 7/4 of the coarser grid, by hand.
    row = np.array([7, 1, 0, 3, 5, 2, 9, 4.0])
    taps = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    around = np.concatenate([row[2::-1], row, row[:-4:-1]])  # mirrored, the border twice
    expected = [float(around[2 * i : 2 * i + 8] @ taps) for i in range(4)]
    assert np.allclose(resizing(8, 4) @ row, expected)
    quarters = np.array([-9, 111, 29, -3]) / 128  # a sample at a quarter between two
    assert np.allclose(resizing(8, 16)[5], [0, *quarters, 0, 0, 0])
    assert np.allclose(resizing(8, 16)[6], [0, *quarters[::-1], 0, 0, 0])


def test_imresize_agrees_with_pillow_inside() -> None:
    picture = drawing(96, 120, 3, 8)
    ours, theirs = imresize(picture, 24, 30), Image.fromarray(picture).resize((30, 24), Image.Resampling.BICUBIC)
    assert np.abs(ours.astype(int) - np.asarray(theirs))[3:-3, 3:-3].max() <= 1
    assert imresize(picture[..., 0], 24, 30).shape == (24, 30)
    assert np.array_equal(imresize(picture, 96, 120), picture)


def test_luma_is_matlabs() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert np.allclose(luma(colours), [[16, 235, 81.481, 144.553, 40.966]])
    assert np.array_equal(luma(colours[..., 0]), colours[..., 0])


def test_the_measures_are_those_of_the_metrics_but_for_range_and_border() -> None:
    rng = np.random.default_rng(0)
    a = drawing(64, 72, 3, 8)
    b = np.clip(a + rng.normal(0, 6, a.shape), 0, 255).astype(np.uint8)
    cut = slice(4, -4), slice(4, -4)
    wider = 20 * math.log10(255 / 219)
    assert luma_psnr(a, b, 4) == pytest.approx(psnr_luma(a[cut], b[cut]) + wider, abs=0.02)
    grey_a, grey_b = a[..., 0], b[..., 0]
    assert luma_psnr(grey_a, grey_b, 4) == pytest.approx(psnr_luma(grey_a[cut], grey_b[cut]))
    assert luma_ssim(grey_a, grey_b, 4) == pytest.approx(ssim(grey_a[cut], grey_b[cut]), abs=1e-6)
    assert math.isinf(luma_psnr(a, a, 2))
    with pytest.raises(PictureError, match="larger pictures than 12 x 16"):
        luma_psnr(a[:16, :12], b[:16, :12], 4)


# --- SRResNet ---------------------------------------------------------------------------------------------------------


def test_pairs_are_rounded_and_belong_together(pictures: PictureCache) -> None:
    small, real = pairs(pictures, CropConfig(64, 0.5, 1.0), 4, np.random.default_rng(0), 3)
    assert small.shape == (3, 3, 16, 16) and real.shape == (3, 3, 64, 64)
    for x in (small, real):
        assert torch.allclose(x * 255, (x * 255).round(), atol=1e-4) and x.min() >= 0 and x.max() <= 1
    crop = (real[0].permute(1, 2, 0) * 255).round().byte().numpy()
    ours = (small[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert np.abs(imresize(crop, 16, 16).astype(int) - ours).max() <= 1  # float32 may round a half the other way


def test_pixel_losses() -> None:
    a, b = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.2)
    assert pixel_loss(a, b, PixelLossConfig(squared=True)).item() == pytest.approx(0.04)
    assert pixel_loss(a, b, PixelLossConfig()).item() == pytest.approx(0.2, rel=1e-3)


def test_validation_is_the_protocol(photos: Path, tmp_path: Path) -> None:
    generator = Generator(SMALL).eval()
    with torch.no_grad():
        generator.enlarge[0].weight.zero_()
    with torch.inference_mode():
        found = validation(generator, sorted(photos.iterdir()))["psnr_y"]
    real = drawing(160, 200, 3, 8)
    expected = luma_psnr(real, imresize(imresize(real, 40, 50), 160, 200), 4)
    assert found == pytest.approx(expected, abs=0.05)  # at the border replicated here, mirrored there
    assert validation(generator, []) == {}
    Image.new("RGB", (1, 9)).save(tmp_path / "line.png")  # not a pixel when it is small
    assert validation(generator, [tmp_path / "line.png"]) == {}


# --- the perceptual loss ----------------------------------------------------------------------------------------------


def test_the_loss_by_squeezenet_is_the_metric(squeezenet: Path) -> None:
    rng = np.random.default_rng(1)
    a = drawing(60, 75, 3, 8)
    b = np.clip(a + rng.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    loss = SqueezePerceptual(str(squeezenet))
    ours = loss.distance(loss.features(planes(a)), loss.features(planes(b))).item()
    assert ours == pytest.approx(perceptual_distance(a, b, load_squeezenet(squeezenet)), rel=1e-3)


def test_the_loss_has_a_gradient_and_no_weights(squeezenet: Path) -> None:
    loss = SqueezePerceptual(str(squeezenet))
    made = torch.rand(2, 3, 64, 64, requires_grad=True)
    loss(made, torch.rand(2, 3, 64, 64)).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0 and torch.isfinite(made.grad).all()
    assert not list(loss.parameters()) and not loss.state_dict()


def test_some_of_the_layers_can_be_taken(squeezenet: Path) -> None:
    x = torch.rand(1, 3, 64, 64)
    whole = SqueezePerceptual(str(squeezenet)).features(x)
    for layers, places in ((("fire4",), [1]), (("fire8", "conv1"), [2, 0])):
        found = SqueezePerceptual(str(squeezenet), layers).features(x)
        assert len(found) == len(places) and all(torch.equal(a, whole[i]) for a, i in zip(found, places, strict=True))
    with pytest.raises(CalotypeError, match="layers out of conv1, fire4, fire8, fire9"):
        perceptual(PerceptualConfig(weights=str(squeezenet), layers=("fire5",)))


def test_a_perceptual_network_that_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch, squeezenet: Path) -> None:
    monkeypatch.delenv(perceptual_module.ENVIRONMENT, raising=False)
    with pytest.raises(CalotypeError, match="there is no file nowhere"):
        perceptual(PerceptualConfig(weights="nowhere.npz"))
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    with pytest.raises(DependencyError, match="pip install torchvision"):
        perceptual(PerceptualConfig(network="vgg19"))
    monkeypatch.setenv(perceptual_module.ENVIRONMENT, str(squeezenet))
    assert isinstance(perceptual(PerceptualConfig(weights="nowhere.npz")), SqueezePerceptual)


# --- SRGAN ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def adversaries() -> Adversaries:
    torch.manual_seed(2)
    return Adversaries(Generator(SMALL), Discriminator(DiscriminatorConfig(width=4, dense=8)))


def adversarial_task(
    network: Adversaries, pictures: PictureCache, squeezenet: Path, **weights: float
) -> AdversarialTask:
    seen = SqueezePerceptual(str(squeezenet))
    return AdversarialTask(network, pictures, CropConfig(64), PixelLossConfig(), AdversarialConfig(**weights), seen)


def test_the_critics_see_both_pictures_moved_alike() -> None:
    x = torch.rand(2, 3, 24, 24)
    moved = [shifted(x, 2 * x) for _ in range(8)]
    assert all(torch.equal(2 * a, b) and a.sum() == pytest.approx(float(x.sum()), rel=1e-4) for a, b in moved)
    assert len({float(a[0, 0, 0, 0]) for a, _ in moved}) > 1


def test_each_adversary_has_its_own_gradient(
    adversaries: Adversaries, pictures: PictureCache, squeezenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calotype.training.ledig2017.adversarial.shifted", lambda *x: x)
    task = adversarial_task(adversaries, pictures, squeezenet, pixels=0.0, perceptual=0.0, adversarial=0.5, weave=0.0)
    batch = task.batch(np.random.default_rng(0), 2)
    loss, details = task.loss(batch)
    loss.backward()
    together = {name: p.grad.clone() for name, p in adversaries.named_parameters()}
    generator, judge = adversaries.generator, adversaries.discriminator
    small, real = batch
    softplus = torch.nn.functional.softplus
    adversaries.zero_grad()
    (0.5 * softplus(-judge(generator(small))).mean()).backward()
    for name, p in generator.named_parameters():
        assert torch.allclose(together[f"generator.{name}"], p.grad, atol=1e-6), name
    adversaries.zero_grad()
    (softplus(-judge(real)).mean() + softplus(judge(generator(small).detach())).mean()).backward()
    for name, p in judge.named_parameters():
        assert torch.allclose(together[f"discriminator.{name}"], p.grad, atol=1e-6), name
    assert 0 < details["d_real"] < 1 and 0 < details["d_fake"] < 1


def test_trouble_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    good = {"d_real": 0.6, "d_fake": 0.4, "off": 0.01, "detail": 0.8}
    watch = Watch()
    for _ in range(300):
        watch(good)
    assert capsys.readouterr().err == ""
    for trouble, sentence in (
        ({"d_real": 0.999, "d_fake": 0.001}, "the discriminator has won"),
        ({"off": 0.1}, "leave what they are made from"),
        ({"off": math.nan}, "leave what they are made from"),
        ({"detail": 0.01}, "vanishes"),
        ({"detail": 5.0}, "too much detail"),
    ):
        watch = Watch()
        for _ in range(300):
            watch({**good, **trouble})
        said = capsys.readouterr().err
        assert said.count("warning:") == 1 and sentence in said


# --- from photographs to a picture four times as large ---------------------------------------------------------------


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("config", [SMALL, GeneratorConfig(scale=2, channels=16, blocks=1), PAPER])
def test_the_bundle_computes_what_the_network_does(config: GeneratorConfig, tmp_path: Path) -> None:
    from calotype.engine.runtime import graph

    torch.manual_seed(5)
    generator = Generator(config)
    with torch.no_grad():
        for p in generator.parameters():
            p.add_(0.1 * torch.rand_like(p))
    generator.eval()
    export_bundle(generator, tmp_path / "b", {"id": "b"})
    x = torch.rand(1, 3, 21, 30)
    with torch.inference_mode():
        expected = generator(x).clamp(0, 1).numpy()
    found = graph(tmp_path / "b" / "generator.onnx", 1)(x.numpy())[0]
    assert np.abs(found - expected).max() < 3e-3  # weights are float16
    configuration = json.loads((tmp_path / "b" / "model.json").read_text(encoding="utf-8"))["configuration"]
    assert configuration["scale"] == config.scale and configuration["halo"] == generator.radius


def test_train_export_upscale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path, squeezenet: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(perceptual_module.ENVIRONMENT, str(squeezenet))
    monkeypatch.setenv("CALOTYPE_WEIGHTS", "weights")
    Path("net.toml").write_text(RECIPE.format(scale=4, tables=""), encoding="utf-8")
    Path("half.toml").write_text(RECIPE.format(scale=2, tables=""), encoding="utf-8")
    Path("gan.toml").write_text(RECIPE.format(scale=4, tables=ADVERSARIAL), encoding="utf-8")
    common = ("--data", photos, "--threads", 1)
    run("train", "net.toml", *common, "--validation", photos)
    last = json.loads(Path("runs/net/log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["step"] > 0 and last["psnr_y"] > 10
    run("export", "runs/net", "--data", photos, "-o", "weights/srresnet-x4", "--recipe", "net.toml")
    picture = drawing(40, 30, 3, 8)
    assert calotype.upscale(picture, 4).size == (120, 160)
    judged = run("validate", "runs/net", "--data", photos, "--validation", photos)
    assert [line.split()[0] for line in judged.splitlines()] == ["psnr_y", "bicubic_psnr_y"]
    # The same weights start the adversarial training, and the body of another scale.
    run("train", "gan.toml", *common, "--validation", photos, "--init", "weights/srresnet-x4")
    last, judged = map(json.loads, Path("runs/gan/log.jsonl").read_text(encoding="utf-8").splitlines()[-2:])
    assert last["step"] > 0 and {"psnr_y", "perceptual"} <= last.keys() and judged["bicubic_psnr_y"] > 10
    run("train", "gan.toml", *common, "--hours", 0.0005)  # goes on
    run("export", "runs/gan", "--data", photos, "-o", "weights/srgan-x4", "--recipe", "gan.toml")
    assert calotype.upscale(picture, 4, model="srgan").size == (120, 160)
    run("train", "half.toml", *common, "--init", "weights/srresnet-x4")


def test_weights_of_another_size_are_refused(tmp_path: Path, photos: Path) -> None:
    from calotype.training.weights import write_weights

    wide = Generator(GeneratorConfig(channels=32, blocks=1))
    write_weights(tmp_path / "wide.safetensors", dict(wide.named_parameters()), {})
    (tmp_path / "net.toml").write_text(RECIPE.format(scale=4, tables=""), encoding="utf-8")
    tables = load_recipe(tmp_path / "net.toml")
    kind = kind_of(tables)
    with pytest.raises(CalotypeError, match="another size"):
        kind.start(kind.network(tables), tmp_path / "wide.safetensors", PictureCache(photos, tmp_path / "cache"))


def test_crops_that_do_not_fit_are_refused(pictures: PictureCache) -> None:
    for change in ({"crop": {"size": 66}}, {"crop": {"size": 64}, "discriminator": {"side": 96}, "adversarial": {}}):
        tables = {"network": {"channels": 16, "blocks": 1}, "kind": "ledig2017", **change}
        kind = kind_of(tables)
        with pytest.raises(CalotypeError, match="crops"):
            kind.task(kind.network(tables), tables, pictures, [])


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("sr*.toml")))
def test_the_recipes_that_ship_can_be_made(name: str) -> None:
    tables = load_recipe(name)
    known = {"kind", "id", "network", "discriminator", "adversarial", "perceptual", "pixels", "loop", "crop"}
    assert tables.keys() <= known
    made = kind_of(tables).network(tables)
    assert isinstance(made, Adversaries) == ("adversarial" in tables)


def test_a_weave_on_the_grid_is_seen_and_detail_elsewhere_is_not() -> None:
    torch.manual_seed(4)
    photograph = torch.rand(2, 3, 128, 128)
    tile = torch.tensor([[0.0, 0.3, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.2, 0.0], [0.0, 0.0, 0.0, 0.0]])
    woven = 0.1 * photograph + tile.repeat(32, 32)
    checkerboard = torch.tensor([[0.1, 0.0], [0.0, 0.1]]).repeat(64, 64).expand(1, 3, -1, -1)
    assert weave(photograph, 4).mean() == pytest.approx(1 / 16, rel=0.1)
    assert weave(woven, 4).min() > 0.5
    assert weave(checkerboard, 4).min() > 0.9
    assert weave(torch.full((1, 3, 64, 64), 0.5), 4).max() == 0
