# SPDX-License-Identifier: BSD-3-Clause
"""A convolutional ONNX graph, cut in front of each convolution that looks at its neighbours.

::

    x --> 1x1 --+--> 5x5 --> 1x1 --> 1x1 --> + --+--> 5x5 --> ...
                |                            |   |
                +----------------------------+   +---------- ...
    part 0     |  part 1                        |  part 2

Each part then sees just ``halo`` samples beyond what it makes, where the whole graph would see the sum of all halos.
Zeros around the picture are no longer the graph's business: a part's window comes with its halo, and where the window
is added to the result, it comes a second time without (:data:`INNER`). Shapes are fixed, so that the runtime plans
memory once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import BundleError
from . import protobuf as pb

INNER = "inner"  # name of the input


@dataclass
class Node:
    """An operator, and those of its attributes that are whole numbers, or one real number."""

    raw: bytes
    operator: str
    inputs: list[str]
    outputs: list[str]
    numbers: dict[str, list[int]]
    reals: dict[str, float]

    @property
    def padded(self) -> bool:
        """Whether it looks beyond the border."""
        return any(self.numbers.get("pads", ()))

    @property
    def unpadded(self) -> dict[str, pb.Attribute]:
        """Attributes of a convolution that is given its halo."""
        single = ("group",)
        return {n: v[0] if n in single else v for n, v in self.numbers.items() if n not in ("pads", "auto_pad")}


@dataclass
class GraphPart:
    """A piece of a graph that maps one tensor ``(1, channels, h, w)`` to one other.

    Attributes:
        nodes: in order.
        source, target: names of the tensors.
        channels: of the source.
        made: channels of the target.
        halo: samples that it sees beyond each border.
        scale: how much finer the target's grid is.
        adds: whether its window is added to the result.
        versions: of operators: the model's field opset_import.
        constants: initialisers that it uses, by name.
        first, last: nothing comes before, or follows.
        shuffle: always 1, see :class:`calotype.engine.blocks.BlockedModel`.
    """

    nodes: list[Node]
    source: str
    target: str
    channels: int = 0
    made: int = 0
    halo: int = 0
    scale: Fraction = Fraction(1)
    adds: bool = False
    versions: list[bytes] = field(default_factory=list)
    constants: dict[str, bytes] = field(default_factory=dict)
    first: bool = False
    last: bool = False
    shuffle: int = 1

    def model(self, height: int, width: int) -> bytes:
        """An ONNX model for windows that have ``height`` by ``width`` samples without their halo."""
        nodes = []
        for node in self.nodes:
            if node.padded:
                nodes.append(pb.node(node.operator, node.inputs, node.outputs[0], node.unpadded))
            elif self.adds and node.operator == "Add" and self.source in node.inputs:
                others = [name for name in node.inputs if name != self.source]
                nodes.append(pb.node("Add", [*others, INNER], node.outputs[0]))
            else:
                nodes.append(node.raw)
        return self.written(nodes, list(self.constants.values()), self.channels, height, width)

    def written(
        self, nodes: list[bytes], constants: list[bytes], channels: int, height: int, width: int, domain: str = ""
    ) -> bytes:
        """The model around nodes that may stand for those of the part, with operators of a further domain."""
        shapes = {self.source: (1, channels, height + 2 * self.halo, width + 2 * self.halo)}
        if self.adds:
            shapes[INNER] = (1, channels, height, width)
        graph = b"".join(
            [*(pb.message(1, node) for node in nodes), pb.message(2, b"part"), *(pb.message(5, c) for c in constants),
             *(pb.message(11, pb.value_info(name, shape)) for name, shape in shapes.items()),
             pb.message(12, pb.value_info(self.target))]
        )  # fmt: skip
        further = [pb.message(8, pb.message(1, domain.encode()) + pb.number(2, 1))] if domain else []
        return b"".join([*self.versions, *further, pb.message(7, graph)])


def cut(model: bytes, name: str) -> list[GraphPart]:
    """The parts of a graph with one input and one output; BundleError if it cannot be cut so (``name`` says which)."""
    try:
        return _cut(model)
    except (IndexError, KeyError, StopIteration, ValueError, struct.error) as error:
        raise BundleError(f"{name} is not a graph of the kind that this version runs in parts: {error}") from error


def _cut(model: bytes) -> list[GraphPart]:
    outer = list(pb.fields(model))
    versions = [pb.number(k, v) if isinstance(v, int) else pb.message(k, v) for k, v in outer if k in (1, 8)]
    inner = list(pb.fields(next(pb.raw(v) for k, v in outer if k == 7)))
    nodes = [_read_node(pb.raw(v)) for k, v in inner if k == 1]
    constants = {pb.text(pb.raw(v), 8): pb.raw(v) for k, v in inner if k == 5}
    (source,), (target,) = ([pb.text(pb.raw(v), 1) for k, v in inner if k == which] for which in (11, 12))

    borders = [node.inputs[0] for node in nodes if node.padded]
    parts: list[GraphPart] = []
    rest = nodes
    for border in [*borders, target]:
        end = next((i for i, node in enumerate(rest, 1) if border in node.outputs), 0)
        if end:
            parts.append(_part(rest[:end], source, border, constants, versions))
            rest, source = rest[end:], border
    parts[0].first = parts[-1].last = True
    if parts[0].halo:
        raise ValueError("its first layer looks around")
    return parts


def _part(nodes: list[Node], source: str, target: str, constants: dict[str, bytes], versions: list[bytes]) -> GraphPart:
    made = {source} | {name for node in nodes for name in node.outputs}
    used = [name for node in nodes for name in node.inputs]
    if strange := [name for name in used if name not in made and name not in constants]:
        raise ValueError(f"{strange[0]} crosses a border")
    own = {name: tensor for name, tensor in constants.items() if name in used}
    part = GraphPart(nodes, source, target, versions=versions, constants=own)
    weights = {node.outputs[0]: node.inputs[0] for node in nodes if node.operator == "Cast"}  # stored as float16
    for node in nodes:
        numbers = node.numbers
        if node.operator == "Conv":
            name = weights.get(node.inputs[1], node.inputs[1])
            shape = [v for k, v in pb.fields(constants[name]) if k == 1 and isinstance(v, int)]
            part.channels = part.channels or shape[1] * numbers.get("group", [1])[0]
            part.made = shape[0]
            pads, strides = numbers.get("pads", [0]), numbers.get("strides", [1])
            if max(pads) != min(pads) or 2 * pads[0] != (numbers["kernel_shape"][0] - 1 if pads[0] else 0):
                raise ValueError("a convolution is padded in an unknown way")
            part.halo, part.scale = part.halo + pads[0], part.scale / strides[0]
        elif node.operator == "DepthToSpace":
            part.scale *= numbers["blocksize"][0]
            part.made //= numbers["blocksize"][0] ** 2
        elif node.operator == "Add" and source in node.inputs and part.halo:
            part.adds = True
    return part


def _read_node(data: bytes) -> Node:
    node = Node(data, pb.text(data, 4), [], [], {}, {})
    for k, v in pb.fields(data):
        if k in (1, 2):
            (node.inputs if k == 1 else node.outputs).append(pb.raw(v).decode())
        elif k == 5:
            name, found = pb.text(pb.raw(v), 1), []
            for key, value in pb.fields(pb.raw(v)):
                if key == 3 or (key == 8 and isinstance(value, int)):
                    found.append(int(value))
                elif key == 8:  # packed
                    packed, place = pb.raw(value), 0
                    while place < len(packed):
                        number, place = pb.varint(packed, place)
                        found.append(number)
                elif key == 2:
                    (node.reals[name],) = struct.unpack("<f", pb.raw(value))
            node.numbers[name] = found
    return node
