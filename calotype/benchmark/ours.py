# SPDX-License-Identifier: BSD-3-Clause
"""Calotype itself as one of the codecs, through the same functions that everybody calls."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

import calotype
from calotype.benchmark.codec import Codec, Picture
from calotype.version import __version__


def encode(picture: Picture, setting: float) -> bytes:
    """A whole ``.calo`` file, one thread."""
    return calotype.encode(picture, quality=setting, codec="talbot", threads=1)


def decode(data: bytes) -> Picture:
    """The picture of a ``.calo`` file, one thread."""
    return np.asarray(calotype.decode(data, threads=1, as_array=True))


def predict(picture: Picture, setting: float) -> float:
    """Bytes that the probability tables predict for the picture, without any header."""
    from calotype import bundles, raster
    from calotype.codecs.talbot import Talbot

    codec = Talbot(bundles.find("talbot"), threads=1)
    return codec.predicted_bits(raster.from_picture(picture).samples, codec.stored_quality(setting)) / 8


def versions() -> dict[str, str]:
    """Calotype, the weights, and what runs its networks and its entropy coder."""
    from calotype import bundles

    weights = next((bundle.hash[:8] for bundle in bundles.installed() if bundle.codec == "talbot"), "none")
    libraries = {name: version(name) for name in ("onnxruntime", "constriction")}
    return {"calotype": __version__, "weights": weights, **libraries}


TALBOT = Codec(
    "talbot",
    "Calotype, codec talbot",
    ".calo",
    "quality",
    (5, 15, 25, 35, 45, 55, 65, 75, 85, 95),
    {"threads": 1},
    encode,
    decode,
    versions,
    step=0.25,
    predict=predict,
)
