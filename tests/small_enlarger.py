# SPDX-License-Identifier: BSD-3-Clause
"""Super-resolution bundles for tests: bilinear interpolation as a graph of three operators, in a few hundred bytes.

The ONNX file is written by hand (it is a protocol buffer), so that tests need no package for it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from calotype.engine.bundles import bundle_hash

FLOAT, INT64 = 1, 7  # ONNX's types of tensors


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name: str, array: np.ndarray) -> bytes:
    kind = FLOAT if array.dtype == np.float32 else INT64
    dims = b"".join(number(1, side) for side in array.shape)
    return dims + number(2, kind) + text(8, name) + text(9, array.tobytes())


def node(operator: str, inputs: list[str], output: str, attributes: list[bytes] | None = None) -> bytes:
    given = b"".join(text(1, name) for name in inputs)
    return given + text(2, output) + text(4, operator) + b"".join(text(5, a) for a in attributes or [])


def of_text(name: str, value: str) -> bytes:
    return text(1, name) + text(4, value) + number(20, 3)


def of_number(name: str, value: int) -> bytes:
    return text(1, name) + number(3, value) + number(20, 2)


def picture(name: str) -> bytes:
    """A graph's input or output (1, 3, any, any)."""
    sides = [number(1, 1), number(1, 3), text(2, f"{name}_height"), text(2, f"{name}_width")]
    shape = b"".join(text(1, side) for side in sides)
    return text(1, name) + text(2, text(1, number(1, FLOAT) + text(2, shape)))


def phases(scale: int, sharper: float) -> np.ndarray:
    """Weights (3 scale^2, 3, 3, 3) of bilinear interpolation; ``sharper`` adds contrast to the neighbours."""
    weights = np.zeros((3, scale, scale, 3, 3, 3), np.float32)
    taps = []
    for phase in range(scale):
        offset = (phase + 0.5) / scale - 0.5
        taps.append([max(-offset, 0.0), 1 - abs(offset), max(offset, 0.0)])
    for channel in range(3):
        for i in range(scale):
            for j in range(scale):
                weights[channel, i, j, channel] = np.outer(taps[i], taps[j])
                weights[channel, i, j, channel] -= sharper / 9
                weights[channel, i, j, channel, 1, 1] += sharper
    return weights.reshape(-1, 3, 3, 3)


def enlarger(scale: int, sharper: float = 0.0) -> bytes:
    """The ONNX file of ``x (1, 3, h, w) -> (1, 3, scale h, scale w)``, in 0..1."""
    nodes = [
        node("Pad", ["x", "margin"], "padded", [of_text("mode", "edge")]),
        node("Conv", ["padded", "weights"], "phases"),
        node("DepthToSpace", ["phases"], "large", [of_number("blocksize", scale), of_text("mode", "CRD")]),
        node("Clip", ["large", "lowest", "highest"], "out"),
    ]
    constants = {
        "margin": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        "weights": phases(scale, sharper),
        "lowest": np.array(0, np.float32),
        "highest": np.array(1, np.float32),
    }
    graph = b"".join(text(1, n) for n in nodes) + text(2, "enlarger")
    graph += b"".join(text(5, tensor(name, array)) for name, array in constants.items())
    graph += text(11, picture("x")) + text(12, picture("out"))
    return number(1, 8) + text(7, graph) + text(8, text(1, "") + number(2, 13))


def write_enlarger(folder: Path, model: str, scale: int, *, stride: int = 2, halo: int = 2) -> Path:
    """A bundle in ``folder``, named as those that ship."""
    name = f"{model}-x{scale}"
    place = folder / name
    place.mkdir(parents=True)
    (place / "generator.onnx").write_bytes(enlarger(scale, 0.3 if model == "srgan" else 0.0))
    description = {
        "id": name,
        "codec": "ledig2017",
        "title": "bilinear interpolation, for tests",
        "paper": "",
        "licence": "BSD-3-Clause",
        "configuration": {"scale": scale, "stride": stride, "halo": halo},
        "files": ["generator.onnx"],
        "hash": bundle_hash(place, ["generator.onnx"]),
    }
    (place / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return place
