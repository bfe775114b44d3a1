# SPDX-License-Identifier: BSD-3-Clause
"""SqueezeNet 1.0 up to its last features, in NumPy: every convolution is a matrix product.

F. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016::

    picture - conv1 7x7/2 - pool - fire2 fire3 fire4 - pool - fire5 fire6 fire7 fire8 - pool - fire9
      1/1       96, 1/2              .     .    256, 1/4        .     .     .    512, 1/8       512, 1/16

A fire module squeezes with 1x1 convolutions and expands with 1x1 and 3x3 ones side by side; ReLU follows every
convolution; pooling takes the largest of 3x3 with stride 2 and goes on past the lower and right edge (ceil mode).

The weights are an npz file of the user's: ``conv1.weight`` (96, 3, 7, 7), ``conv1.bias``, and for N = 2 to 9
``fireN.squeeze``, ``fireN.expand1x1`` and ``fireN.expand3x3``, each with ``.weight`` (out, in, k, k) and ``.bias``, for
input in the order blue, green, red, 0 to 255, less :data:`MEAN`. Other arrays in it are ignored.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..errors import CalotypeError

Features = NDArray[np.float32]  # (H, W, C)

MEAN = (104.0, 117.0, 123.0)  # blue, green, red
STEM = 96  # channels of conv1
FIRES = {  # squeezed channels, expanded channels (half by 1x1, half by 3x3)
    "fire2": (16, 128), "fire3": (16, 128), "fire4": (32, 256), "fire5": (32, 256),
    "fire6": (48, 384), "fire7": (48, 384), "fire8": (64, 512), "fire9": (64, 512),
}  # fmt: skip
POOLED = ("conv1", "fire4", "fire8")  # layers that pooling follows
TAKEN = (*POOLED, "fire9")  # the last layer of each resolution
SMALLEST_SIDE = 21  # pixels: less leaves nothing after three poolings
KERNEL, STRIDE = 7, 2  # of conv1
WINDOW_BYTES = 1 << 24  # of conv1's windows at a time


@dataclass(frozen=True)
class SqueezeNet:
    """The weights, as matrices (inputs, outputs): of conv1 with inputs in the order row, column, channel."""

    weights: dict[str, NDArray[np.float32]]  # "fire2.expand3x3": (9 x inputs, outputs) and the like
    biases: dict[str, NDArray[np.float32]]

    def features(self, picture: NDArray[np.float32]) -> list[Features]:
        """Outputs of the layers :data:`TAKEN` for an RGB picture (H, W, 3), 0..255, with sides of 21 pixels or more."""
        x = self._stem(picture[:, :, ::-1] - np.array(MEAN, np.float32))
        taken = [x]
        for name in FIRES:
            if taken[-1] is x:  # the last layer of its resolution
                x = pool(x)
            x = self._fire(name, x)
            if name in TAKEN:
                taken.append(x)
        return taken

    def _stem(self, x: NDArray[np.float32]) -> Features:
        windows = sliding_window_view(x, (KERNEL, KERNEL), axis=(0, 1))[::STRIDE, ::STRIDE]  # (h, w, 3, 7, 7)
        height, width = windows.shape[:2]
        out = np.empty((height, width, STEM), np.float32)
        step = max(1, WINDOW_BYTES // (width * KERNEL * KERNEL * 3 * 4))
        for row in range(0, height, step):
            part = windows[row : row + step].transpose(0, 1, 3, 4, 2).reshape(-1, KERNEL * KERNEL * 3)
            out[row : row + step] = self._layer("conv1", part).reshape(-1, width, STEM)
        return out

    def _fire(self, name: str, x: Features) -> Features:
        height, width, _ = x.shape
        squeezed = self._layer(f"{name}.squeeze", x.reshape(height * width, -1)).reshape(height, width, -1)
        padded = np.pad(squeezed, ((1, 1), (1, 1), (0, 0)))
        around = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
        narrow = self._layer(f"{name}.expand1x1", squeezed.reshape(height * width, -1))
        wide = self._layer(f"{name}.expand3x3", np.concatenate(around, axis=2).reshape(height * width, -1))
        return np.concatenate([narrow, wide], axis=1).reshape(height, width, -1)

    def _layer(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, inputs) to (N, outputs), with ReLU."""
        out: NDArray[np.float32] = x @ self.weights[name]
        out += self.biases[name]
        np.maximum(out, 0, out=out)
        return out


def pool(x: Features) -> Features:
    """The largest of 3x3, stride 2; a window may reach over the lower and right edge by a pixel."""
    height, width = (-(-(side - 3) // 2) + 1 for side in x.shape[:2])
    x = np.pad(x, ((0, 2 * height + 1 - x.shape[0]), (0, 2 * width + 1 - x.shape[1]), (0, 0)))  # ReLU: nothing below 0
    rows = np.maximum(np.maximum(x[0:-1:2], x[1::2]), x[2::2])
    columns: Features = np.maximum(np.maximum(rows[:, 0:-1:2], rows[:, 1::2]), rows[:, 2::2])
    return columns


def load_squeezenet(path: str | Path) -> SqueezeNet:
    """Read the weights from an npz file. Raises CalotypeError if it does not hold them."""
    shapes: dict[str, tuple[int, int, int]] = {"conv1": (STEM, 3, KERNEL)}
    channels = STEM
    for name, (squeezed, expanded) in FIRES.items():
        shapes[f"{name}.squeeze"] = (squeezed, channels, 1)
        shapes[f"{name}.expand1x1"] = (expanded // 2, squeezed, 1)
        shapes[f"{name}.expand3x3"] = (expanded // 2, squeezed, 3)
        channels = expanded
    weights, biases = {}, {}
    try:
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise CalotypeError(f"{path} is no npz file of SqueezeNet 1.0")
        with opened as stored:
            for name, (outputs, inputs, kernel) in shapes.items():
                weight = _array(stored, path, f"{name}.weight", (outputs, inputs, kernel, kernel))
                weights[name] = np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, outputs))
                biases[name] = _array(stored, path, f"{name}.bias", (outputs,))
    except FileNotFoundError as error:
        raise CalotypeError(f"there is no file {path}") from error
    except OSError as error:
        raise CalotypeError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CalotypeError(f"{path} is no npz file of SqueezeNet 1.0, or damaged") from error
    return SqueezeNet(weights, biases)


def _array(stored: Any, path: str | Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if name not in stored:
        raise CalotypeError(f"{path} does not hold SqueezeNet 1.0: the array {name} is missing")
    array = stored[name]
    if array.shape != shape or array.dtype.kind != "f":
        raise CalotypeError(f"{path} does not hold SqueezeNet 1.0: {name} is {array.shape} {array.dtype}, not {shape}")
    result: NDArray[np.float32] = array.astype(np.float32)
    if not np.isfinite(result).all():
        raise CalotypeError(f"{path} is damaged: {name} holds values that are no numbers")
    return result
