# SPDX-License-Identifier: BSD-3-Clause
"""A convolutional ONNX graph, cut in front of each convolution that looks at its neighbours.

::

    x --> 1x1 --+--> 5x5 --> 1x1 --> 1x1 --> + --+--> 5x5 --> ...
                |                            |   |
                +----------------------------+   +---------- ...
    part 0     |  part 1                        |  part 2

Each part then sees just ``halo`` samples beyond what it makes, where the whole graph would see the sum of all halos.
Zeros around the picture are no longer the graph's business: a part's window comes with its halo. Shapes are fixed, so
that the runtime plans memory once and fuses the sums into the convolutions as it does in the whole graph, to the bit.

Only what is needed of ONNX's protocol buffers (``onnx.proto3``) is read and written here, by field numbers:

==============  =============================================================================
ModelProto      1 ir_version, 7 graph, 8 opset_import
GraphProto      1 node, 2 name, 5 initializer, 11 input, 12 output
NodeProto       1 input, 2 output, 4 op_type, 5 attribute
AttributeProto  1 name, 3 i, 8 ints, 20 type (2: INT, 7: INTS)
TensorProto     1 dims, 2 data_type (1: float32), 8 name, 9 raw_data
ValueInfoProto  1 name, 2 type; TypeProto 1 tensor_type; Tensor 1 elem_type, 2 shape; Shape 1 dim; 1 dim_value
==============  =============================================================================
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import BundleError

FLOAT, INT, INTS = 1, 2, 7
Value = int | bytes


@dataclass
class Node:
    """An operator, and those of its attributes that are whole numbers."""

    raw: bytes
    operator: str
    inputs: list[str]
    outputs: list[str]
    numbers: dict[str, list[int]]


@dataclass
class GraphPart:
    """A piece of a graph that maps one tensor ``(1, channels, h, w)`` to one other.

    Attributes:
        nodes: in order.
        source, target: names of the tensors.
        channels: of the source.
        halo: samples that it sees beyond each border.
        scale: how much finer the target's grid is.
    """

    nodes: list[Node]
    source: str
    target: str
    channels: int
    halo: int = 0
    scale: Fraction = Fraction(1)
    shared: list[bytes] = field(default_factory=list)  # of the model: ir_version and opset_import
    constants: list[bytes] = field(default_factory=list)  # initialisers that it uses

    def model(self, height: int, width: int) -> bytes:
        """An ONNX model for windows that have ``height`` by ``width`` samples without their halo."""
        nodes, constants = [], list(self.constants)
        for node in self.nodes:
            if any(node.numbers.get("pads", ())):
                nodes.append(_without_padding(node))
            elif node.operator == "Add" and self.halo and self.source in node.inputs:
                # The inner part of the source: a depthwise convolution with a single one, as the runtime likes it.
                constants.append(_centre(self.channels))
                numbers = {"group": [self.channels], "kernel_shape": [3, 3], "dilations": [self.halo, self.halo]}
                nodes.append(_node("Conv", [self.source, "centre"], "inner", numbers))
                # Last, for the runtime fuses the sum into the first convolution of the two: the one of the branch.
                others = [name for name in node.inputs if name != self.source]
                nodes.append(_node("Add", [*others, "inner"], node.outputs[0]))
            else:
                nodes.append(node.raw)
        shape = (1, self.channels, height + 2 * self.halo, width + 2 * self.halo)
        graph = b"".join(
            [*(_bytes(1, node) for node in nodes), _bytes(2, b"part"), *(_bytes(5, c) for c in constants),
             _bytes(11, _tensor(self.source, shape)), _bytes(12, _tensor(self.target))]
        )  # fmt: skip
        return b"".join(self.shared) + _bytes(7, graph)


def cut(model: bytes, name: str) -> list[GraphPart]:
    """The parts of a graph with one input and one output; BundleError if it cannot be cut so (``name`` says which)."""
    try:
        return _cut(model)
    except (IndexError, KeyError, StopIteration, ValueError) as error:
        raise BundleError(f"{name} is not a graph of the kind that this version runs in parts: {error}") from error


def _cut(model: bytes) -> list[GraphPart]:
    outer = list(_fields(model))
    shared = [_number(k, v) if isinstance(v, int) else _bytes(k, v) for k, v in outer if k in (1, 8)]
    inner = list(_fields(next(_raw(v) for k, v in outer if k == 7)))
    nodes = [_read_node(_raw(v)) for k, v in inner if k == 1]
    constants = {_name(_raw(v), 8): _raw(v) for k, v in inner if k == 5}
    (source,), (target,) = ([_name(_raw(v), 1) for k, v in inner if k == which] for which in (11, 12))

    borders = [node.inputs[0] for node in nodes if any(node.numbers.get("pads", ()))]
    parts: list[GraphPart] = []
    rest = nodes
    for border in [*borders, target]:
        end = next((i for i, node in enumerate(rest, 1) if border in node.outputs), 0)
        if end:
            parts.append(_part(rest[:end], source, border, constants, shared))
            rest, source = rest[end:], border
    return parts


def _part(nodes: list[Node], source: str, target: str, constants: dict[str, bytes], shared: list[bytes]) -> GraphPart:
    made = {source} | {name for node in nodes for name in node.outputs}
    used = [name for node in nodes for name in node.inputs]
    if strange := [name for name in used if name not in made and name not in constants]:
        raise ValueError(f"{strange[0]} crosses a border")
    weights = {node.outputs[0]: node.inputs[0] for node in nodes if node.operator == "Cast"}  # stored as float16
    halo, scale = 0, Fraction(1)
    channels = 0
    for node in nodes:
        numbers = node.numbers
        if node.operator == "Conv":
            name = weights.get(node.inputs[1], node.inputs[1])
            shape = [v for k, v in _fields(constants[name]) if k == 1 and isinstance(v, int)]
            channels = channels or shape[1] * numbers.get("group", [1])[0]
            pads, strides = numbers.get("pads", [0]), numbers.get("strides", [1])
            if max(pads) != min(pads) or 2 * pads[0] != (numbers["kernel_shape"][0] - 1 if pads[0] else 0):
                raise ValueError("a convolution is padded in an unknown way")
            halo, scale = halo + pads[0], scale / strides[0]
        elif node.operator == "DepthToSpace":
            scale *= numbers["blocksize"][0]
    return GraphPart(
        nodes, source, target, channels, halo, scale, shared, [c for n, c in constants.items() if n in used]
    )


def _read_node(raw: bytes) -> Node:
    node = Node(raw, _name(raw, 4), [], [], {})
    for k, v in _fields(raw):
        if k in (1, 2):
            (node.inputs if k == 1 else node.outputs).append(_raw(v).decode())
        elif k == 5:
            attribute = list(_fields(_raw(v)))
            found: list[int] = []
            for key, value in attribute:
                if key == 3 or (key == 8 and isinstance(value, int)):
                    found.append(int(value))
                elif key == 8:  # packed
                    packed, place = _raw(value), 0
                    while place < len(packed):
                        number, place = _varint(packed, place)
                        found.append(number)
            node.numbers[_name(_raw(v), 1)] = found
    return node


def _without_padding(node: Node) -> bytes:
    numbers = {name: values for name, values in node.numbers.items() if name != "pads"}
    return _node(node.operator, node.inputs, node.outputs[0], numbers)


def _node(operator: str, inputs: list[str], output: str, numbers: dict[str, list[int]] | None = None) -> bytes:
    attributes = []
    for name, values in (numbers or {}).items():
        single = name in ("group", "axis", "blocksize")
        value = b"".join(_number(3 if single else 8, number) for number in values)
        attributes.append(_bytes(5, _bytes(1, name.encode()) + value + _number(20, INT if single else INTS)))
    names = [_bytes(1, name.encode()) for name in inputs] + [_bytes(2, output.encode())]
    return b"".join([*names, _bytes(4, operator.encode()), *attributes])


def _centre(channels: int) -> bytes:
    dims = b"".join(_number(1, n) for n in (channels, 1, 3, 3))
    return (
        dims
        + _number(2, FLOAT)
        + _bytes(8, b"centre")
        + _bytes(9, struct.pack("<9f", 0, 0, 0, 0, 1, 0, 0, 0, 0) * channels)
    )


def _tensor(name: str, shape: tuple[int, ...] | None = None) -> bytes:
    dims = b"" if shape is None else _bytes(2, b"".join(_bytes(1, _number(1, n)) for n in shape))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, FLOAT) + dims))


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers and values of a message: whole numbers, or bytes."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == 0:
            number, place = _varint(data, place)
            yield key >> 3, number
            continue
        size, place = _varint(data, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
        if place + size > len(data):
            raise ValueError("it ends too early")
        yield key >> 3, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place


def _number(key: int, value: int) -> bytes:
    return _encoded(key << 3) + _encoded(value)


def _bytes(key: int, value: bytes) -> bytes:
    return _encoded(key << 3 | 2) + _encoded(len(value)) + value


def _encoded(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _raw(value: Value) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes should be")
    return value


def _name(message: bytes, key: int) -> str:
    return next((_raw(v).decode() for k, v in _fields(message) if k == key), "")
