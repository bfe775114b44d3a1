# SPDX-License-Identifier: BSD-3-Clause
"""Protocol buffers by field numbers: as much of them as it takes to read and write an ONNX graph (``onnx.proto3``).

==============  =====================================================================================
ModelProto      1 ir_version, 7 graph, 8 opset_import (1 domain, 2 version)
GraphProto      1 node, 2 name, 5 initializer, 11 input, 12 output
NodeProto       1 input, 2 output, 4 op_type, 5 attribute, 7 domain
AttributeProto  1 name, 2 f, 3 i, 4 s, 7 floats, 8 ints, 20 type (2: INT, 3: STRING, 6: FLOATS, 7: INTS)
TensorProto     1 dims, 2 data_type (1: float32, 10: float16), 8 name, 9 raw_data
ValueInfoProto  1 name, 2 type; TypeProto 1 tensor_type; Tensor 1 elem_type, 2 shape; Shape 1 dim; 1 dim_value
==============  =====================================================================================
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

FLOAT, INT, STRING, FLOATS, INTS = 1, 2, 3, 6, 7
Value = int | bytes
Attribute = int | str | list[int] | list[float]


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers and values of a message: whole numbers, or bytes."""
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        kind = key & 7
        if kind == 0:
            value, place = varint(data, place)
            yield key >> 3, value
            continue
        size, place = varint(data, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
        if place + size > len(data):
            raise ValueError("it ends too early")
        yield key >> 3, data[place : place + size]
        place += size


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A whole number, and where the next field begins."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def number(key: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return _encoded(key << 3) + _encoded(value)


def message(key: int, value: bytes) -> bytes:
    """A field that holds bytes, or a message."""
    return _encoded(key << 3 | 2) + _encoded(len(value)) + value


def raw(value: Value) -> bytes:
    """The bytes of a field; ValueError if it holds a number."""
    if isinstance(value, int):
        raise ValueError("a number where bytes should be")
    return value


def text(data: bytes, key: int) -> str:
    """A field of a message as text; empty if it is not there."""
    return next((raw(v).decode() for k, v in fields(data) if k == key), "")


def node(
    operator: str,
    inputs: Sequence[str],
    output: str,
    attributes: Mapping[str, Attribute] | None = None,
    domain: str = "",
) -> bytes:
    """A NodeProto."""
    names = [message(1, name.encode()) for name in inputs] + [message(2, output.encode())]
    made = [message(5, _attribute(name, value)) for name, value in (attributes or {}).items()]
    return b"".join([*names, message(4, operator.encode()), *made, message(7, domain.encode()) if domain else b""])


def tensor(name: str, dims: Sequence[int], values: bytes) -> bytes:
    """A TensorProto of float32."""
    return b"".join(number(1, n) for n in dims) + number(2, FLOAT) + message(8, name.encode()) + message(9, values)


def value_info(name: str, shape: Sequence[int] | None = None) -> bytes:
    """A ValueInfoProto of float32."""
    dims = b"" if shape is None else message(2, b"".join(message(1, number(1, n)) for n in shape))
    return message(1, name.encode()) + message(2, message(1, number(1, FLOAT) + dims))


def _attribute(name: str, value: Attribute) -> bytes:
    head = message(1, name.encode())
    if isinstance(value, int):
        return head + number(3, value) + number(20, INT)
    if isinstance(value, str):
        return head + message(4, value.encode()) + number(20, STRING)
    if any(isinstance(item, float) for item in value):
        return head + message(7, struct.pack(f"<{len(value)}f", *value)) + number(20, FLOATS)
    return head + b"".join(number(8, int(item)) for item in value) + number(20, INTS)


def _encoded(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
