# SPDX-License-Identifier: BSD-3-Clause
"""The recurrent networks of ``toderici2017`` over a window of cells: their states, moved on iteration by iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats
from ...engine.bundles import Bundle
from ...engine.once import cached_attribute
from ...engine.runtime import graph
from ...errors import BundleError
from .bits import CodeModel
from .cell_errors import CELL

LARGEST_HALO = 512  # pixels


@dataclass(frozen=True)
class Networks:
    """The graphs of a bundle, and the shapes of what they remember.

    Raises BundleError where the bundle does not say what is asked for.
    """

    bundle: Bundle
    threads: int

    @cached_attribute
    def arrays(self) -> dict[str, Any]:
        """The arrays of ``codes.npz``."""
        return self.bundle.arrays("codes.npz")

    @cached_attribute
    def codes(self) -> CodeModel:
        """Model that predicts the bits."""
        try:
            return CodeModel(self.arrays)
        except (KeyError, ValueError) as error:
            raise self._nonsense(error) from error

    @cached_attribute
    def iterations(self) -> int:
        """The most iterations that there are."""
        return int(self._said("iterations"))

    @cached_attribute
    def halo(self) -> int:
        """Reach of the decoder around a place, in cells."""
        pixels = int(self._said("halo"))
        if not 0 <= pixels <= LARGEST_HALO:
            raise self._nonsense(f"halo {pixels}")
        return -(-pixels // CELL)

    @cached_attribute
    def first_amplitude(self) -> Floats:
        """Amplitudes ``(C,)`` before the first iteration."""
        try:
            amplitude: Floats = self.arrays["amplitude"].astype(np.float32)
            return amplitude
        except (KeyError, ValueError) as error:
            raise self._nonsense(error) from error

    def _said(self, name: str) -> Any:
        try:
            return self.bundle.description["configuration"][name]
        except (KeyError, TypeError) as error:
            raise self._nonsense(error) from error

    def _nonsense(self, what: object) -> BundleError:
        return BundleError(
            f"the weights in {self.bundle.path} do not say how they run ({what}): they are for another version"
        )

    def run(self, name: str, *arrays: Floats) -> list[Floats]:
        """One of the graphs."""
        return graph(self.bundle.path / f"{name}.onnx", self.threads)(*arrays)

    def encoder_states(self, rows: int, columns: int) -> list[Floats]:
        """Zeros: what the encoder remembers before the first iteration, finest first."""
        return self._zeros("encoder", rows, columns, lambda i: 1 - i)

    def decoder_states(self, rows: int, columns: int) -> list[Floats]:
        """Zeros: what the decoder remembers; the last two are what a picture is made of."""
        states = self._zeros("decoder", rows, columns, lambda i: i)
        finest = len(self._said("decoder")) - 1
        width = int(self._said("decoder")[-1])
        states.append(np.zeros((1, width, rows << finest, columns << finest), np.float32))
        states.append(np.zeros((1, 3 * CELL**2, rows, columns), np.float32))
        return states

    def _zeros(self, which: str, rows: int, columns: int, finer: Any) -> list[Floats]:
        widths, units = self._said(f"{which}_states"), len(self._said(which))
        states = []
        for k, width in enumerate(widths):
            scale = 2.0 ** finer(k * units // len(widths))
            states.append(np.zeros((1, int(width), int(rows * scale), int(columns * scale)), np.float32))
        return states


class Window:
    """The decoder over a window of cells.

    Attributes:
        iteration: how many iterations it has seen.
    """

    def __init__(self, networks: Networks, rows: int, columns: int) -> None:
        self.networks = networks
        self.states = networks.decoder_states(rows, columns)
        self.iteration = 0
        first = networks.first_amplitude
        self.amplitude: Floats = np.ascontiguousarray(
            np.broadcast_to(first[None, :, None, None], (1, len(first), rows, columns))
        )

    def update(self, bits: Floats) -> None:
        """Take the bits ``(C, h, w)`` of the next iteration; 0 where a cell has stopped."""
        if bits.any():  # else all states stay as they are
            step = np.array([self.iteration], np.float32)
            *self.states, self.amplitude = self.networks.run("update", bits[None], *self.states, step)
        self.iteration += 1

    def picture(self) -> Floats:
        """The picture: planes ``(3, 16 h, 16 w)``, about 0..1 (1/2 before the first iteration)."""
        if self.iteration == 0:
            rows, columns = self.states[-1].shape[2:]
            return np.full((3, rows * CELL, columns * CELL), 0.5, np.float32)
        planes: Floats = self.networks.run("picture", *self.states[-2:])[0][0]
        return planes


class Analysis:
    """The encoder and the decoder over a window of a picture.

    Args:
        networks: of the bundle.
        x: planes ``(3, 16 h, 16 w)`` in 0..1.
    """

    def __init__(self, networks: Networks, x: Floats) -> None:
        rows, columns = x.shape[1] // CELL, x.shape[2] // CELL
        self.networks, self.x = networks, x
        self.states = networks.encoder_states(rows, columns)
        self.decoder = Window(networks, rows, columns)
        self.x_hat = self.decoder.picture()

    def step(self) -> Floats:
        """The bits ``(C, h, w)`` of the next iteration; :attr:`x_hat` is the picture after it."""
        t = np.array([self.decoder.iteration], np.float32)
        found = self.networks.run("analyse", (self.x - self.x_hat)[None], self.decoder.amplitude, *self.states, t)
        bits: Floats = found[0][0]
        self.states = found[1:]
        self.decoder.update(bits)
        self.x_hat = self.decoder.picture()
        return bits
