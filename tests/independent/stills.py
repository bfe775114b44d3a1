# SPDX-License-Identifier: BSD-3-Clause
"""Tiles of ``talbot-stills`` that hold pixels, and the network around them."""

from __future__ import annotations

import struct

import numpy as np

from .bundle import Weights
from .container import File, need
from .rans import Array
from .standard import pixels


def split(payload: bytes, file: File, rows: int, columns: int) -> tuple[bytes, Array, Array]:
    """The network's part of a tile, which latents ``(h, w)`` that codes, and the still ``(rows, columns, C)``."""
    kind, padding = payload[0], payload[1]
    content = payload[2 : len(payload) - padding]
    need(padding < 4 and not any(payload[len(payload) - padding :]), "end of a tile")
    inside = np.zeros((-(-rows // 16), -(-columns // 16)), bool)
    shape = (rows, columns, 3 if file.colour else 1)
    if kind == 3:
        return b"", inside, np.frombuffer(content, "<u2" if file.deep else "u1").reshape(shape)
    network = b""
    if kind == 2:
        r, c = -(-rows // 64), -(-columns // 64)
        (n,) = struct.unpack_from("<I", content)
        start = 4 + -(-r * c // 8)
        cells = np.unpackbits(np.frombuffer(content[4:start], "u1"), count=r * c).reshape(r, c)
        inside = ~cells.astype(bool).repeat(4, 0).repeat(4, 1)[: inside.shape[0], : inside.shape[1]]
        network, content = content[start : start + n], content[start + n :]
    else:
        need(kind == 1, "kind of a tile")
    return network, inside, np.atleast_3d(pixels(content))[..., : shape[2]].reshape(shape)


def synthesis(weights: Weights, y: Array, inside: Array) -> Array:
    """The graph ``g_s``, to which everything but ``inside`` is beyond the picture's border."""
    import onnx

    model = onnx.load(weights.folder / "g_s.onnx")
    scale, nodes = 1, []
    for node in model.graph.node:
        about = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        scale *= about.get("blocksize", 1)
        if about.get("kernel_shape") == [5, 5]:
            nodes.append(onnx.helper.make_node("Mul", [node.input[0], f"inside{scale}"], [f"{node.name}{len(nodes)}"]))
            node.input[0] = nodes[-1].output[0]
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for k in (1, 2):
        model.graph.input.append(onnx.helper.make_tensor_value_info(f"inside{k}", 1, [1, 1, None, None]))
    finer = inside.repeat(2, 0).repeat(2, 1)
    return weights.run(model.SerializeToString(), y * inside, inside[None], finer[None])[0]
