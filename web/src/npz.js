// SPDX-License-Identifier: BSD-3-Clause
// Arrays out of an `.npz` file, the tables of a bundle. Its hash has been checked before it comes here.
import { view } from './bytes.js';
import { BundleError } from './errors.js';
import { inflate } from './zlib.js';

const TYPES = { '<f4': Float32Array, '<f8': Float64Array, '<i4': Int32Array, '|u1': Uint8Array };
const LARGEST = 2 ** 26; // bytes of one array

/** By name: {shape, data}. */
export async function npz(bytes) {
  const fields = view(bytes);
  let end = bytes.length - 22;
  while (end >= 0 && fields.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new BundleError('the tables of the weights are not an .npz file');
  const arrays = {};
  let at = fields.getUint32(end + 16, true);
  for (let left = fields.getUint16(end + 10, true); left > 0; left--) {
    const method = fields.getUint16(at + 10, true);
    const size = fields.getUint32(at + 20, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + fields.getUint16(at + 28, true)));
    const local = fields.getUint32(at + 42, true);
    const from = local + 30 + fields.getUint16(local + 26, true) + fields.getUint16(local + 28, true);
    const data = bytes.slice(from, from + size);
    arrays[name.replace(/\.npy$/, '')] = npy(method ? await inflate(data, LARGEST, name, 'deflate-raw') : data);
    at += 46 + fields.getUint16(at + 28, true) + fields.getUint16(at + 30, true) + fields.getUint16(at + 32, true);
  }
  return arrays;
}

function npy(data) {
  const begin = data[6] === 1 ? 10 + view(data).getUint16(8, true) : 12 + view(data).getUint32(8, true);
  const head = new TextDecoder().decode(data.subarray(0, begin));
  const Type = TYPES[/'descr': '([^']+)'/.exec(head)?.[1]];
  if (!Type || !head.includes("'fortran_order': False")) throw new BundleError('a table of the weights has an unknown type');
  const shape = [.../'shape': \(([^)]*)\)/.exec(head)[1].matchAll(/\d+/g)].map(Number);
  return { shape, data: new Type(data.slice(begin).buffer) };
}
