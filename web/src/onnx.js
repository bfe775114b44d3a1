// SPDX-License-Identifier: BSD-3-Clause
// The few fields of an ONNX file that the graphs of Calotype use. Its hash has been checked before it comes here.
import { view } from './bytes.js';
import { BundleError } from './errors.js';

const text = (bytes) => new TextDecoder().decode(bytes);

/** Fields of a protobuf message: [number, value], where a value is a number or bytes. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1, byte = 128; byte & 128; factor *= 128) {
      byte = bytes[at++];
      value += (byte & 127) * factor;
    }
    return value;
  };
  while (at < bytes.length) {
    const key = varint();
    const number = key >>> 3;
    switch (key & 7) {
      case 0:
        yield [number, varint()];
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        at += length;
        yield [number, bytes.subarray(at - length, at)];
        break;
      }
      case 5:
        at += 4;
        yield [number, view(bytes).getFloat32(at - 4, true)];
        break;
      default:
        throw new BundleError('a graph of the weights is not an ONNX file');
    }
  }
}

/** Integers of a repeated field, packed or one at a time. */
function integers(value) {
  if (typeof value === 'number') return [value];
  const list = [];
  for (let at = 0; at < value.length; ) {
    let integer = 0;
    for (let factor = 1, byte = 128; byte & 128; factor *= 128) {
      byte = value[at++];
      integer += (byte & 127) * factor;
    }
    list.push(integer);
  }
  return list;
}

function parseNode(bytes) {
  const node = { op: '', in: [], out: [], attributes: {} };
  for (const [field, value] of fields(bytes)) {
    if (field === 1) node.in.push(text(value));
    else if (field === 2) node.out.push(text(value));
    else if (field === 4) node.op = text(value);
    else if (field === 5) {
      let name;
      let found;
      const list = [];
      for (const [part, content] of fields(value)) {
        if (part === 1) name = text(content);
        else if (part === 2 || part === 3) found = content;
        else if (part === 4) found = text(content);
        else if (part === 8) list.push(...integers(content));
      }
      node.attributes[name] = list.length ? list : found;
    }
  }
  return node;
}

function parseTensor(bytes) {
  const tensor = { name: '', dims: [], type: 0, raw: null };
  for (const [field, value] of fields(bytes)) {
    if (field === 1) tensor.dims.push(...integers(value));
    else if (field === 2) tensor.type = value;
    else if (field === 8) tensor.name = text(value);
    else if (field === 9) tensor.raw = value;
  }
  if (!tensor.raw) throw new BundleError(`the constant ${tensor.name} of a graph has no raw data`);
  return tensor;
}

function valueName(bytes) {
  for (const [field, value] of fields(bytes)) if (field === 1) return text(value);
  return '';
}

/** Nodes {op, in, out, attributes}, constants by name {dims, type, raw}, names of inputs and outputs. */
export function parseOnnx(bytes) {
  const graph = { nodes: [], constants: {}, inputs: [], outputs: [] };
  for (const [field, value] of fields(bytes)) {
    if (field !== 7) continue;
    for (const [part, content] of fields(value)) {
      if (part === 1) graph.nodes.push(parseNode(content));
      else if (part === 5) {
        const tensor = parseTensor(content);
        graph.constants[tensor.name] = tensor;
      } else if (part === 11) graph.inputs.push(valueName(content));
      else if (part === 12) graph.outputs.push(valueName(content));
    }
  }
  return graph;
}
