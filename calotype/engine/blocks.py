# SPDX-License-Identifier: BSD-3-Clause
"""Parts of a graph in the layout that ONNX Runtime's convolutions compute in: blocks of 16 or 8 channels.

A tensor ``(C, h, w)`` is stored as ``(C / block, h, w, block)``. ONNX Runtime brings convolutions there by itself, and
reorders what goes in and comes out. A part in this layout from the beginning spares it that, windows are copied in long
runs, and sums are fused into convolutions as they are in the whole graph: the result is the same to the bit.

The operators are those of ONNX Runtime's own domain ``com.microsoft.nchwc``, as its optimised models contain them.
Where it does not have them, as told by :func:`block_size`, parts are run as they are, with blocks of one channel.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from . import protobuf as pb
from .library import onnxruntime
from .once import once
from .onnx_parts import INNER, GraphPart, Node
from .squares import WORD, Squares

DOMAIN = "com.microsoft.nchwc"
PROBE = 4  # channels: ReorderInput takes multiples of it, and rounds up to a whole block
TYPES = {1: "<f4", 10: "<f2"}  # of stored weights


@once()
def block_size() -> int:
    """Channels of a block on this processor; 1 where ONNX Runtime has no such layout."""
    part = GraphPart([], "x", "y", versions=[pb.number(1, 8), pb.message(8, pb.number(2, 17))])
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        model = part.written([pb.node("ReorderInput", ["x"], "y", domain=DOMAIN)], [], PROBE, 1, 1, DOMAIN)
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        size = int(session.run(None, {"x": np.zeros((1, PROBE, 1, 1), np.float32)})[0].shape[1])
    except Exception:  # ONNX Runtime's exceptions share no base class
        return 1
    return size if size % 8 == 0 else 1


def whole(channels: int, block: int) -> int:
    """Channels rounded up to whole blocks."""
    return -(-channels // block) * block


def in_blocks(parts: list[GraphPart], block: int) -> tuple[int, list[tuple[GraphPart, GraphPart | BlockedModel]]]:
    """The parts with their models, and the size of their blocks: 1, and the parts themselves, if they do not suit."""
    if block > 1:
        try:
            return block, [(part, BlockedModel(part, block)) for part in parts]
        except (KeyError, ValueError):
            pass
    return 1, [(part, part) for part in parts]


class BlockedModel:
    """A part's model with its tensors in blocks, but for what goes into the first part and comes out of the last.

    Attributes:
        shuffle: factor of a depth-to-space that is left to the caller, 1 for none. The channels then come as ``(row,
            column, channels)`` of the squares of the finer grid.
        squares: what is left to the caller at the end of a synthesis; None if nothing is.

    Raises:
        ValueError: the part holds what is unknown here.
    """

    def __init__(self, part: GraphPart, block: int) -> None:
        self.part, self.block = part, block
        self.channels = part.channels if part.first else whole(part.channels, block)  # of the input
        self.shuffle = 1
        self.nodes: list[bytes] = []
        self.constants: dict[str, bytes] = {}
        # Tensors in blocks: what they are called there, and their channels.
        self.blocked = {} if part.first else {part.source: (part.source, part.channels)}
        weights = {name: _array(data) for name, data in part.constants.items()}
        self.squares = _ending(part, weights, block) if part.last else None
        rest = []
        for node in part.nodes:
            if node.operator == "Cast":  # of weights
                weights[node.outputs[0]] = weights[node.inputs[0]]
            else:
                rest.append(node)
        while rest and part.target not in self.blocked:
            node = rest.pop(0)
            if node.operator != "Conv":
                self._other(node)
            elif self._convolution(node, rest[0] if rest else None, weights):
                rest.pop(0)
        if (part.last and not self.squares) == (part.target in self.blocked):
            raise ValueError("a part does not end in a convolution")

    def model(self, height: int, width: int) -> bytes:
        """An ONNX model for windows that have ``height`` by ``width`` samples without their halo."""
        return self.part.written(self.nodes, list(self.constants.values()), self.channels, height, width, DOMAIN)

    def _convolution(self, node: Node, following: Node | None, weights: dict[str, Array]) -> bool:
        """Append a convolution; whether it does the work of the node after it, too."""
        target = node.outputs[0]
        kernel = weights[node.inputs[1]]
        bias = weights[node.inputs[2]] if len(node.inputs) > 2 else np.zeros(len(kernel), np.float32)
        attributes = node.unpadded
        slots = _slots(np.arange(len(kernel)), self.block)
        further: list[str] = []
        fused = following is not None and target in following.inputs
        if following and fused:
            if following.operator == "LeakyRelu":
                attributes |= {"activation": "LeakyRelu", "activation_params": [following.reals["alpha"]]}
            elif following.operator == "Add" and self.part.source in following.inputs:
                further = [INNER]
            elif following.operator == "DepthToSpace" and self.squares:
                squares = np.arange(len(kernel)).reshape(-1, self.squares.side**2).T
                slots = _slots(squares.reshape(-1), self.block)
            elif following.operator == "DepthToSpace" and following.outputs[0] == self.part.target:
                self.shuffle = following.numbers["blocksize"][0]
                squares = np.arange(len(kernel)).reshape(-1, self.shuffle**2).T
                slots = np.concatenate([_slots(square, self.block) for square in squares])
            else:
                fused = False
            if fused:  # with all that follows, at the end
                target = self.part.target if following.operator == "DepthToSpace" else following.outputs[0]

        x, own = node.inputs[0], kernel.shape[1]  # channels that each output sees
        depthwise = own == 1 and attributes.get("group", 1) == len(kernel)
        few = x not in self.blocked and own < self.block  # those of a picture are taken as they are
        if depthwise:
            attributes["group"] = len(slots)
        if (depthwise and x not in self.blocked) or (own % 4 and not few and not depthwise):
            raise ValueError("a convolution of a number of channels that does not suit blocks")
        if x in self.blocked:
            x = self.blocked[x][0]
        elif not few:
            self.nodes.append(pb.node("ReorderInput", [x], f"{x} in blocks", domain=DOMAIN))
            x = f"{x} in blocks"
        kernel = _at(slots, kernel).reshape(-1, self.block, *kernel.shape[1:])  # (blocks, block, own, h, w)
        if depthwise or few:
            kernel = np.moveaxis(kernel, 1, -1)
        else:
            kernel = _at(_slots(np.arange(own), self.block), np.moveaxis(kernel, 2, 0))
            kernel = kernel.reshape(-1, self.block, *kernel.shape[1:])  # (blocks, block of own, blocks, block, h, w)
            kernel = kernel.transpose(2, 0, 4, 5, 1, 3)
            own = kernel.shape[1] * self.block
        shape = (len(slots), own, *weights[node.inputs[1]].shape[2:])
        names = [f"weights of {target}", f"bias of {target}"]
        self._constant(names[0], shape, kernel)
        self._constant(names[1], (len(slots),), _at(slots, bias))
        inside = target != self.part.target or (self.part.last and not self.squares)
        made = f"{target} in blocks" if inside else target
        self.blocked[target] = made, len(bias)
        self.nodes.append(pb.node("Conv", [x, *names, *further], made, attributes, DOMAIN))
        return fused

    def _other(self, node: Node) -> None:
        """Append an operator that is computed in the usual layout."""
        for name in node.inputs:
            if name in self.part.constants:
                self.constants[name] = self.part.constants[name]
            elif name in self.blocked:
                blocked, channels = self.blocked.pop(name)
                self.nodes.append(pb.node("ReorderOutput", [blocked], name, {"channels": channels}, DOMAIN))
        self.nodes.append(node.raw)

    def _constant(self, name: str, shape: tuple[int, ...], values: Array) -> None:
        self.constants[name] = pb.tensor(name, shape, np.ascontiguousarray(values, "<f4").tobytes())


def _ending(part: GraphPart, constants: dict[str, Array], block: int) -> Squares | None:
    """The end of a synthesis: depth-to-space, an offset and clipping, if rows of its squares are whole words."""
    nodes = [node for node in part.nodes if node.operator not in ("Cast", "Identity")][-4:]
    if [node.operator for node in nodes] != ["Conv", "DepthToSpace", "Add", "Clip"]:
        return None
    _, shuffle, add, clip = nodes
    side = shuffle.numbers["blocksize"][0]
    if side * part.made % WORD or block % WORD:
        return None
    offset, low, high = (constants[name].item() for name in (add.inputs[1], *clip.inputs[1:]))
    return Squares(side, part.made, offset, low, high)


def _slots(channels: Array, block: int) -> Array:
    """The channels, and -1 for those that fill up the last block."""
    slots = np.full(whole(len(channels), block), -1)
    slots[: len(channels)] = channels
    return slots


def _at(slots: Array, values: Array) -> Array:
    """Values along the first axis as the slots say, zeros where they are empty."""
    found = values[slots]
    found[slots < 0] = 0
    return found


def _array(tensor: bytes) -> Array:
    """The values of a TensorProto as float32; empty for one that is no weight."""
    found = list(pb.fields(tensor))
    kind = next((v for k, v in found if k == 2), 0)
    stored = next((pb.raw(v) for k, v in found if k == 9), b"")
    if kind not in TYPES or not stored:
        return np.zeros(0, np.float32)
    dims = [v for k, v in found if k == 1 and isinstance(v, int)]
    return np.frombuffer(stored, TYPES[int(kind)]).astype(np.float32).reshape(dims)
