# SPDX-License-Identifier: BSD-3-Clause
"""Calotype's own codecs among the others, through the same functions that everybody calls."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from ..api.decode import decode as decode_file
from ..api.encode import encode as encode_picture
from ..codecs.quality import to_header
from ..version import __version__
from .contender import Contender, Picture

SETTINGS = (5, 15, 25, 35, 45, 55, 65, 75, 85, 95)


def decode(data: bytes) -> Picture:
    """The picture of a ``.calo`` file, one thread."""
    return np.asarray(decode_file(data, threads=1, as_array=True))


def predict(picture: Picture, setting: float) -> float:
    """Bytes that ``talbot``'s probability tables predict for the picture, without any header."""
    from .. import raster
    from ..codecs.talbot.codec import Talbot
    from ..engine import bundles

    codec = Talbot(bundles.find("talbot", name="talbot"), threads=1)
    return codec.predicted_bits(raster.from_picture(picture).samples, to_header(setting)) / 8


def versions(weights: str) -> dict[str, str]:
    """Calotype, the weights of that name, and what runs its networks and its entropy coder."""
    from ..engine import ans, bundles

    digest = next((bundle.hash[:8] for bundle in bundles.installed() if bundle.id == weights), "none")
    libraries = {"onnxruntime": version("onnxruntime")}
    if ans.library() is not None:
        libraries["constriction"] = version("constriction")
    return {"calotype": __version__, "weights": digest, **libraries}


def ours(
    name: str,
    description: str,
    settings: tuple[float, ...] = SETTINGS,
    predicted: Callable[[Picture, float], float] | None = None,
    **options: str | int,
) -> Contender:
    """One of our codecs.

    Args:
        name: in tables; also the id of its weights.
        description: in a line.
        settings: qualities of a default run.
        predicted: bytes as its probability tables predict them, if it says.
        options: of :func:`calotype.encode`.
    """

    def encode(picture: Picture, setting: float) -> bytes:
        return encode_picture(picture, quality=setting, threads=1, **options)  # type: ignore[arg-type]

    parameters = {name: value for name, value in options.items() if name != "codec"}
    return Contender(
        name, f"Calotype, {description}", ".calo", "quality", settings, {**parameters, "threads": 1}, encode, decode,
        lambda: versions(name), step=0.25, predict=predicted,
    )  # fmt: skip


TALBOT = ours("talbot", "codec talbot", predicted=predict, codec="talbot", tune="psnr")
TALBOT_EYE = ours("talbot-eye", "codec talbot, tuned for the eye", codec="talbot", tune="eye")
RIPPEL = ours("rippel2017", "codec rippel2017, bit planes", codec="rippel2017")
TODERICI = ours("toderici2017", "codec toderici2017, progressive", codec="toderici2017")
