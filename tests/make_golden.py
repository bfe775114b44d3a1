# SPDX-License-Identifier: BSD-3-Clause
"""Make the golden files anew: run it only when the format of version 1 is *meant* to change.

    python tests/make_golden.py

Writes ``tests/golden/weights/small`` (a bundle of a few kilobytes with random weights, so that the files stay
readable whatever weights ship), pictures encoded with it, and what they decode to.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"


def drawing(height: int, width: int, channels: int, depth: int) -> np.ndarray:
    """Waves and a hard edge: integer arithmetic only, the same everywhere."""
    y, x = np.mgrid[:height, :width]
    planes = [(x * (3 + c) + y * y // (7 + c)) % 256 // 2 + 64 * ((x // 16 + y // 24 + c) % 2) for c in range(channels)]
    samples = np.stack(planes, 2)
    return samples.astype(np.uint8) if depth == 8 else (samples * 257 + 3).astype(np.uint16)


CASES: dict[str, tuple[tuple[int, int, int, int], float]] = {
    "colour": ((70, 100, 3, 8), 60),
    "grey": ((33, 17, 1, 8), 20),
    "alpha": ((40, 40, 4, 8), 85),
    "deep": ((48, 64, 3, 16), 99.5),
    "pixel": ((1, 1, 3, 8), 50),
    "tiles": ((40, 1100, 3, 8), 35),
}


def main() -> None:
    import torch

    from calotype.networks.talbot import Talbot, TalbotConfig
    from calotype.training.talbot.export import export_bundle

    torch.manual_seed(11)
    config = TalbotConfig(c1=24, c2=32, m=32, blocks=1, hyper=16, z=8, context=(16, 16, 16), levels=3)
    network = Talbot(config)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.15 * torch.randn_like(p) * p.abs().mean().clamp_min(0.02))
        for passed in network.passes:
            for layer in passed.linear:
                layer.weight.add_(0.05 * torch.randn_like(layer.weight))
        network.finer.copy_(0.3 * torch.randn_like(network.finer))
        network.gain_encoder.copy_(torch.linspace(0.5, 3.0, config.levels)[:, None].expand(-1, config.m))
        network.gain_decoder.copy_(-network.gain_encoder)
    facts = {
        "id": "small",
        "codec": "talbot",
        "title": "random weights for tests",
        "paper": "",
        "licence": "BSD-3-Clause",
    }
    export_bundle(network, torch.rand(4, 3, 256, 256), GOLDEN / "weights" / "small", facts)
    os.environ["CALOTYPE_WEIGHTS"] = str(GOLDEN / "weights")

    import calotype

    expected = {}
    for name, (shape, quality) in CASES.items():
        data = calotype.encode(drawing(*shape), quality=quality, threads=1, tiles="network")
        (GOLDEN / f"{name}.calo").write_bytes(data)
        decoded = np.asarray(calotype.decode(data, as_array=True))
        corner = decoded[:2, :2].reshape(-1).tolist()
        expected[name] = {"shape": list(decoded.shape), "latents": latents_hash(data), "corner": corner}
    (GOLDEN / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    make_enlarged()
    make_progressive()
    make_planes()
    make_lossless()
    make_stills()


def make_stills() -> None:
    """A file of ``talbot-stills`` with tiles of all kinds, and what it decodes to."""
    from dataclasses import replace

    from calotype import codecs, container
    from calotype.codecs.talbot.plan import Plan
    from calotype.codecs.talbot.stills import raw
    from calotype.codecs.talbot.tiles import Payload
    from calotype.container import Container, header_for
    from calotype.raster import Raster
    from calotype.raster.stills import avif, webp

    os.environ["CALOTYPE_WEIGHTS"] = str(GOLDEN / "weights")
    samples = drawing(8, 3100, 3, 8)
    tiles = [np.ascontiguousarray(samples[:, left : left + 1024]) for left in range(0, 3100, 1024)]
    some, every = np.arange(16)[None] < 5, np.ones((1, 16), bool)
    plan = Plan(
        {
            0: Payload(still=webp.write(tiles[0]), cells=some), 1: Payload(still=avif.write(tiles[1], 60), cells=every),
            3: Payload(raw=raw(tiles[3]), cells=every[:, :1]),
        }
    )  # fmt: skip
    talbot, quality = codecs.get("talbot").open(1), 60 * 256
    payloads = tuple(talbot.encode_planned(samples, quality, plan))
    header = replace(header_for(Raster(samples), talbot.bundle, quality, talbot.tile), codec="talbot-stills")
    data = container.pack(Container(header, tiles=payloads))
    (GOLDEN / "stills.calo").write_bytes(data)
    np.save(GOLDEN / "stills.npy", calotype_decoded(data))


def calotype_decoded(data: bytes) -> np.ndarray:
    """A picture as an array."""
    import calotype

    return np.asarray(calotype.decode(data, as_array=True))


LOSSLESS: dict[str, tuple[tuple[int, int, int, int], str]] = {  # by file: a drawing, and the format of the tiles
    "lossless-webp": ((40, 50, 4, 8), "webp"),
    "lossless-png": ((30, 41, 3, 16), "png"),
    "lossless-jxl": ((20, 31, 3, 16), "jxl"),
}
KEPT = "lossless-jpeg"  # a JPEG of (60, 90, 3, 8), kept as JPEG XL; KEPT.jpg is that JPEG


def make_lossless() -> None:
    """Files of ``lossless``; the first ones decode to the drawings, the last gives back a JPEG."""
    from PIL import Image

    import calotype

    for name, (shape, still) in LOSSLESS.items():
        (GOLDEN / f"{name}.calo").write_bytes(calotype.encode(drawing(*shape), lossless=True, still=still))
    path = GOLDEN / f"{KEPT}.jpg"
    Image.fromarray(drawing(60, 90, 3, 8)).save(path, "JPEG", quality=80)
    (GOLDEN / f"{KEPT}.calo").write_bytes(calotype.wrap(path.read_bytes(), lossless=True))


def make_with_weights(
    codec: str, bundle: str, shape: tuple[int, int, int, int], write: Callable[[Path], object]
) -> None:
    """A file of a codec, its small weights, which ``write`` puts into a folder, and what the file decodes to."""
    import shutil

    import calotype

    os.environ["CALOTYPE_WEIGHTS"] = str(GOLDEN / "weights")
    shutil.rmtree(GOLDEN / "weights" / bundle, ignore_errors=True)
    write(GOLDEN / "weights")
    data = calotype.encode(drawing(*shape), codec=codec, quality=60, threads=1)
    (GOLDEN / f"{codec}.calo").write_bytes(data)
    np.save(GOLDEN / f"{codec}.npy", calotype.decode(data, as_array=True))


def make_progressive() -> None:
    """:func:`make_with_weights` of ``toderici2017``."""
    from tests.small_toderici2017 import write_progressive

    learnt = drawing(256, 256, 3, 8)
    make_with_weights("toderici2017", "toderici2017", (60, 530, 3, 8), lambda root: write_progressive(root, learnt))


def make_planes() -> None:
    """:func:`make_with_weights` of ``rippel2017``."""
    from tests.small_rippel2017 import write_planes

    learnt = drawing(256, 256, 3, 8)
    make_with_weights("rippel2017", "rippel2017", (60, 530, 3, 8), lambda root: write_planes(root, learnt))


def make_enlarged() -> None:
    """:func:`make_with_weights` of ``ledig2017``."""
    from tests.small_enlarger import write_enlarger

    make_with_weights("ledig2017", "srresnet-x2", (31, 45, 3, 8), lambda root: write_enlarger(root, "srresnet", 2))


def latents_hash(data: bytes, threads: int = 1, optimise: bool = True) -> str:
    """Hash of all decoded latents of a file: exact, unlike pixels."""
    from calotype import container
    from calotype.codecs.quality import position
    from calotype.codecs.talbot.codec import Talbot
    from calotype.codecs.talbot.model import STRIDE, TILE
    from calotype.engine import bundles
    from calotype.engine.tiling import Rectangle, grid

    content = container.unpack(data)
    header = content.header
    codec = Talbot(bundles.find(header.codec, header.bundle), threads, optimise)
    lattice = Rectangle(0, 0, header.width, header.height).scaled(divide=STRIDE)
    digest = hashlib.sha256()
    for payload, (_, _, tile) in zip(content.tiles, grid(lattice, TILE // STRIDE), strict=True):
        y_hat = codec.prior.decode(payload, tile.height, tile.width, position(header.quality))
        digest.update(np.ascontiguousarray(y_hat, "<f4").tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
