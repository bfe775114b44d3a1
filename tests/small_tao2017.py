# SPDX-License-Identifier: BSD-3-Clause
"""A small bundle of codec ``tao2017`` for tests: tame random weights, with the package onnx.

Restoring changes every sample a little, depends on the strength, and sees one pixel (rec1, rec2) around each, so that
windows and regions can be checked.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from calotype.engine.bundles import bundle_hash

K = 4  # numbers of the strength
FILES = ["com.onnx", "estimate.onnx", "rec1.onnx", "rec2.onnx", "tables.onnx"]
CONFIGURATION = {
    "strength": K,
    "com": {"stride": 2, "halo": 2},
    "rec1": {"stride": 8, "halo": 8},
    "rec2": {"stride": 4, "halo": 4},
}


def write_bundle(folder: Path, seed: int = 5, **configuration: object) -> Path:
    """The bundle ``folder / tao2017``; ``configuration`` replaces entries."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    place = folder / "tao2017"
    place.mkdir(parents=True)

    def tensor(name: str, array: object) -> object:
        return numpy_helper.from_array(np.asarray(array), name)

    def value(name: str, channels: int) -> object:
        sides = [1, channels, f"{name}_h", f"{name}_w"]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)

    def save(name: str, nodes: list[object], inputs: list[object], out: int, constants: dict[str, object]) -> None:
        tensors = [tensor(key, array) for key, array in constants.items()]
        graph = helper.make_graph(nodes, name, inputs, [value("out", out)], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(place / f"{name}.onnx"))

    bounds = {"low": np.float32(0), "high": np.float32(1)}
    clip = helper.make_node("Clip", ["y", "low", "high"], ["out"])
    halve = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    save("com", [halve, clip], [value("x", 3)], 3, bounds)

    kernel = (0.06 * rng.standard_normal((3, 3, 3, 3))).astype(np.float32)
    kernel -= kernel.mean((1, 2, 3), keepdims=True)
    toned = (0.05 * rng.standard_normal((3, K, 1, 1))).astype(np.float32)
    repair = [
        helper.make_node("Pad", ["x", "margin"], ["padded"], mode="edge"),
        helper.make_node("Conv", ["padded", "kernel"], ["change"], kernel_shape=[3, 3]),
        helper.make_node("Conv", ["e", "toned"], ["tone"], kernel_shape=[1, 1]),
        helper.make_node("Add", ["x", "change"], ["changed"]),
    ]
    constants = {"kernel": kernel, "toned": toned, "margin": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), **bounds}
    inputs = [value("x", 3), helper.make_tensor_value_info("e", TensorProto.FLOAT, [1, K, 1, 1])]
    add = helper.make_node("Add", ["changed", "tone"], ["y"])
    save("rec1", [*repair, add, clip], inputs, 3, constants)
    double = helper.make_node("Resize", ["changed", "", "scales"], ["large"], mode="nearest")
    add = helper.make_node("Add", ["large", "tone"], ["y"])
    scales = np.array([1, 1, 2, 2], np.float32)
    save("rec2", [*repair, double, add, clip], inputs, 3, {**constants, "scales": scales})

    mixed = (0.5 * rng.standard_normal((K, 3, 1, 1))).astype(np.float32)
    mean = helper.make_node("GlobalAveragePool", ["x"], ["mean"])
    save("estimate", [mean, helper.make_node("Conv", ["mean", "mixed"], ["out"])], [value("x", 3)], K, {"mixed": mixed})
    read = (0.02 * rng.standard_normal((K, 128, 1, 1))).astype(np.float32)
    save("tables", [helper.make_node("Conv", ["t", "read"], ["out"])], [value("t", 128)], K, {"read": read})

    description = {
        "id": "tao2017",
        "codec": "tao2017",
        "title": "random weights for tests",
        "paper": "",
        "licence": "BSD-3-Clause",
        "configuration": {**CONFIGURATION, **configuration},
        "files": FILES,
        "hash": bundle_hash(place, FILES),
    }
    (place / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return place
