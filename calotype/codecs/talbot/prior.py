# SPDX-License-Identifier: BSD-3-Clause
"""The hierarchical prior of ``talbot``: latents of one tile <-> entropy-coded bytes.

Encoder and decoder walk over the same passes (drawn in ``calotype.networks.talbot``); they differ only in what a pass
does with the means and levels that the prior predicts: write the rounded residuals, or read them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...engine.bundles import Bundle
from ...engine.entropy import Decoder, Encoder, Levels, Tables
from ...engine.runtime import Graph, graph
from ...engine.tiling import pad_to
from ...errors import FormatError
from .rdoq import Rounding, nearest

Mask = npt.NDArray[np.bool_]
Code = Callable[[str, Floats, Levels, Floats], Floats]  # stage, means, levels, steps -> values

LATTICE = 8  # latents a side of the coarsest cell: y is padded to multiples of it
CHECK_BYTES = 2  # in front of a tile: the low half of the CRC-32 of its symbols


def phases(x: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """The half-resolution lattices (even, even), (even, odd), (odd, even), (odd, odd) of ``(..., H, W)``."""
    return [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]


def from_phases(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Inverse of :func:`phases`."""
    x = np.empty((*a.shape[:-2], 2 * a.shape[-2], 2 * a.shape[-1]), np.float32)
    for target, source in zip(phases(x), (a, b, c, d), strict=True):
        target[...] = source
    return x


@dataclass(frozen=True)
class Coded:
    """Latents as they were coded."""

    data: bytes
    encoder: Encoder
    y_hat: Floats  # (M, h, w), what a decoder will have
    features: tuple[Floats, Floats]  # of the side information: f64 and f32

    @property
    def bits(self) -> float:
        """Size as the tables predict it."""
        return self.encoder.predicted_bits()


class Prior:
    """Codes latents with the graphs and tables of one bundle."""

    def __init__(self, bundle: Bundle, arrays: Mapping[str, npt.NDArray[Any]], optimise: bool = True) -> None:
        self.tables = Tables(arrays["limits"], arrays["frequencies"])
        self.z_levels: Levels = arrays["z_levels"]
        self.steps: Floats = arrays["steps"][:, :, None, None]  # (4, M, 1, 1), of the passes y1 to y4

        def load(name: str) -> Graph:
            return graph(bundle.path / f"{name}.onnx", 1, optimise, arena=True)  # threads share tiles, all of a size

        self.h_a, self.h_s, self.z_pass = load("h_a"), load("h_s"), load("z_pass")
        self.passes = [load(f"pass{i}") for i in (1, 2, 3, 4)]

    def code(self, y: Floats, quality: float, rounding: Rounding = nearest, kept: Mask | None = None) -> Coded:
        """Quantise and code the latents ``y (M, h, w)`` at ``quality`` 0..1, or those ``kept (h, w)``."""
        encoder, y_hat, features = self.encoder(y, quality, rounding, kept)
        return Coded(check(encoder.symbols()) + encoder.finish(), encoder, y_hat, features)

    def encoder(
        self, y: Floats, quality: float, rounding: Rounding = nearest, kept: Mask | None = None
    ) -> tuple[Encoder, Floats, tuple[Floats, Floats]]:
        """Quantise ``y`` as :meth:`code` does: an encoder with all symbols, y_hat, and the features of z."""
        _, h, w = y.shape
        padded = pad_to(y, -(-h // LATTICE) * LATTICE, -(-w // LATTICE) * LATTICE)
        targets = lattices(padded, self.h_a(padded[None])[0][0])
        encoder = Encoder(self.tables)

        def write(stage: str, means: Floats, levels: Levels, steps: Floats) -> Floats:
            residuals = rounding(stage, (targets[stage] - means) / steps, levels)
            residuals *= levels != 0
            encoder.encode(residuals.reshape(-1), levels.reshape(-1))
            values: Floats = means + residuals * steps
            return values

        y_hat, features = self.walk(write, h, w, quality, kept)
        return encoder, y_hat, features

    def decode(self, data: bytes, h: int, w: int, quality: float, kept: Mask | None = None) -> Floats:
        """The latents ``(M, h, w)`` of :meth:`code`; FormatError if they do not come out whole."""
        decoder = Decoder(self.tables, data[CHECK_BYTES:])

        def read(stage: str, means: Floats, levels: Levels, steps: Floats) -> Floats:
            residuals = decoder.decode(levels.reshape(-1)).reshape(means.shape)
            return means + residuals.astype(np.float32) * steps

        y_hat, _ = self.walk(read, h, w, quality, kept)
        decoder.finish()
        if check(decoder.symbols()) != data[:CHECK_BYTES]:
            raise FormatError(
                "the symbols decoded differ from those encoded: the tile was written by other weights or arithmetic"
            )
        return y_hat

    def walk(
        self, code: Code, h: int, w: int, quality: float, kept: Mask | None = None
    ) -> tuple[Floats, tuple[Floats, Floats]]:
        """Go over all passes of a tile of ``h x w`` latents; ``code`` turns each prediction into values.

        Args:
            code: turns a prediction into values.
            h: rows of latents.
            w: columns.
            quality: 0..1.
            kept: the latents ``(h, w)`` that are coded, in whole cells of 4 x 4; all by default.

        Returns:
            the latents ``(M, h, w)``, and the features f64 and f32 of the side information.
        """
        height, width = -(-h // LATTICE) * LATTICE, -(-w // LATTICE) * LATTICE
        inside = np.zeros((1, height, width), bool)  # what is outside is predicted, not coded
        inside[:, :h, :w] = True if kept is None else kept
        masks = lattices(inside, inside[:, ::4, ::4])

        unit = np.ones((1, 1, 1), np.float32)

        def run(stage: str, network: Graph, steps: Floats, features: Floats, *known: Floats) -> Floats:
            means, levels = (a[0] for a in network(features[None], *(k[None] for k in known)))
            mask = masks[stage]
            split = levels.reshape(len(mask), -1, *mask.shape[1:])
            return code(stage, means, np.where(mask[:, None], split, 0).reshape(levels.shape), steps)

        # Whole numbers of 1/128, and rows of a table: the same on every machine.
        steps = round(quality * 65536)
        plane = np.full((1, height // 4, width // 4), ((steps * 256 + 32768) // 65536 - 128) / 128, np.float32)
        z_levels = self.z_levels[(steps * (len(self.z_levels) - 1) + 32768) // 65536]
        mask = masks["z1"]
        levels = np.where(mask, z_levels[:, None, None], 0).astype(np.uint8)
        z1 = code("z1", np.zeros(levels.shape, np.float32), levels, unit)
        z_rest = run("z2", self.z_pass, unit, plane[:, ::2, ::2], z1)
        z_hat = from_phases(z1, *np.split(z_rest, 3))
        f64, f32 = (f[0] for f in self.h_s(z_hat[None], plane[None]))
        s1, s2, s3, s4 = self.steps
        a1 = run("y1", self.passes[0], s1, f64)
        a = from_phases(a1, *np.split(run("y2", self.passes[1], np.tile(s2, (3, 1, 1)), f64, a1), 3))
        d = run("y3", self.passes[2], s3, f32, a)
        b, c = np.split(run("y4", self.passes[3], np.tile(s4, (2, 1, 1)), f32, a, d), 2)
        return from_phases(a, b, c, d)[:, :h, :w], (f64, f32)


def lattices(y: npt.NDArray[Any], z: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Values that each stage codes, its lattices one behind the other along the channels; stages in coding order."""
    z1, *z2 = phases(z)
    a, b, c, d = phases(y)
    y1, *y2 = phases(a)
    return {
        "z1": z1, "z2": np.concatenate(z2), "y1": y1, "y2": np.concatenate(y2), "y3": d, "y4": np.concatenate((b, c)),
    }  # fmt: skip


def check(symbols: npt.NDArray[np.int32]) -> bytes:
    """A short check of symbols: it tells arithmetic that drifted from bytes that were damaged."""
    return (zlib.crc32(symbols.astype("<i4").tobytes()) & 0xFFFF).to_bytes(CHECK_BYTES, "little")
