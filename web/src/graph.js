// SPDX-License-Identifier: BSD-3-Clause
// An ONNX graph of Calotype as a list of steps, each one kernel of the engine: convolutions take what follows them
// (activation, scale, rounding, limits, residual, a change of resolution) with them. Arrays are (rows, columns,
// channels); weights are put in that order once.
import { BundleError } from './errors.js';
import { parseOnnx } from './onnx.js';
import { Flow } from './flow.js';

const CONVERT = { 3: 'from_i8', 5: 'from_i16', 6: 'from_i32', 10: 'from_f16' }; // by the type of an ONNX constant
const WHOLE = 3; // the type of weights that are whole numbers of 8 bits
const PLACES = 512; // of the coarsest array, at once
const MOST = 32767; // what a whole number of 16 bits holds
const unknown = (what) => new BundleError(`a graph of the weights has ${what} not known here`);
const count = (n) => Uint32Array.from({ length: n }, (_, i) => i);

export class Graph {
  /**
   * Compile the bytes of an ONNX file; weights go into the engine's memory and stay there. `rounded`: numbers of 1x1
   * convolutions are rounded to 16 bits.
   */
  constructor(engine, bytes, rounded = false) {
    this.engine = engine;
    this.rounded = rounded;
    const { nodes, constants, inputs, outputs } = parseOnnx(bytes);
    this.constants = constants;
    this.inputs = inputs;
    const same = {}; // names of values by other names of theirs
    this.bytes = new Set(); // outputs of whole numbers below 256
    for (const { op, in: [from], out: [to] } of nodes) {
      if (op !== 'Cast' && op !== 'Identity') continue;
      if (constants[from]) constants[to] = constants[from]; // weights of fewer bits
      else same[to] = same[from] ?? from;
      if (op === 'Cast') this.bytes.add(from);
    }
    this.outputs = outputs.map((name) => same[name] ?? name);
    const rest = nodes.filter((node) => !constants[node.out[0]] && !same[node.out[0]]);
    for (const node of rest) node.in = node.in.map((name) => same[name] ?? name);
    this.consumers = {};
    for (const node of rest) for (const name of node.in) (this.consumers[name] ??= []).push(node);
    this.absorbed = new Set();
    this.known = new Set(inputs); // what has been computed by the step at hand
    this.small = new Set(['features']); // values that are whole numbers of 16 bits, as those that `h_s` makes are
    this.steps = [];
    for (const node of rest) if (!this.absorbed.has(node)) this.step(node).forEach((step) => this.add(step));
    this.widely = new Set(this.steps.filter((step) => step.op === 'depthwise').map((step) => step.in[0])); // seen from other places
  }

  add(step) {
    if (step.post?.residual) step.in.push(step.post.residual);
    const { round, residual, clip, clipSum } = step.post ?? {};
    const limits = round && (clipSum ?? (!residual && clip));
    const whole = step.op === 'Concat' ? step.in.every((name) => this.small.has(name)) : limits && Math.max(...limits.map(Math.abs)) <= MOST;
    if (step.op === 'pointwise') this.pack(step);
    else if (step.post?.scale) {
      const { scale } = step.post;
      step.each = scale.count > 1; // a factor of its own for each channel
      step.post.scale = this.ordered(scale, count(step.channels ?? (step.each ? scale.count : 4)));
    }
    this.steps.push(step);
    for (const name of step.out) {
      this.known.add(name);
      if (whole) this.small.add(name);
    }
  }

  number(name) {
    const { raw } = this.constants[name];
    return new DataView(raw.buffer, raw.byteOffset).getFloat32(0, true);
  }

  /** A constant as float32 in the engine's memory: address and count. */
  floats(name) {
    const { memory, kernels } = this.engine;
    const { dims, type, raw } = this.constants[name];
    const count = dims.reduce((a, b) => a * b, 1);
    const source = memory.take(raw.length);
    memory.bytes.set(raw, source);
    if (type === 1) return { at: source, count };
    if (!CONVERT[type]) throw unknown(`constants of type ${type}`);
    const at = memory.take(4 * count);
    kernels[CONVERT[type]](count, source, at);
    memory.give(source);
    return { at, count };
  }

  step(node) {
    const step = { op: node.op, in: node.in.filter((name) => !this.constants[name]), out: node.out };
    const [first, second] = node.in;
    switch (node.op) {
      case 'Conv':
        return this.convolution(node, step);
      case 'LeakyRelu':
      case 'Mul':
      case 'Round':
      case 'Clip':
        return [this.chain({ ...step, op: 'elementwise' }, first, node)];
      case 'Add':
      case 'Sub':
        return [this.chain({ ...step, op: 'elementwise', in: [first] }, first, node)];
      case 'Concat':
        return [step];
      default:
        throw unknown(`the operator ${node.op}`);
    }
  }

  convolution(node, step) {
    const [N, perGroup, side] = this.constants[node.in[1]].dims;
    const { at } = this.floats(node.in[1]);
    const bias = node.in[2] && this.floats(node.in[2]);
    if ((node.attributes.group ?? 1) > 1) {
      if (side !== 5 || node.attributes.group !== N || N % 4) throw unknown('a convolution');
      Object.assign(step, { op: 'depthwise', channels: N });
      step.weights = this.engine.memory.take(4 * 25 * N);
      this.engine.kernels.transpose(N, 25, at, step.weights);
      this.engine.memory.give(at);
      return [this.chain({ ...step, bias }, node.out[0], null)];
    }
    const whole = this.constants[node.in[1]].type === WHOLE && this.small.has(node.in[0]);
    const columns = count(perGroup * side * side).map((k) => (k % perGroup) * side * side + Math.floor(k / perGroup));
    step = { ...step, op: 'pointwise', raw: at, bias, down: side, up: 1, inputs: columns.length, columns, rows: count(N) };
    Object.assign(step, { pairs: whole || this.rounded, stretched: !whole && this.rounded });
    step = this.chain(step, node.out[0], null);
    return this.split(step) ?? [step];
  }

  /** A convolution whose channels go different ways, as one for each. */
  split(step) {
    const next = this.follower(step.out[0]);
    if (next?.op !== 'Split') return null;
    this.absorbed.add(next);
    const { raw } = this.constants[next.in[1]];
    let from = 0;
    return next.out.map((name, i) => {
      const size = new DataView(raw.buffer, raw.byteOffset).getUint32(8 * i, true);
      const part = { ...step, in: [...step.in], post: { ...step.post }, rows: step.rows.slice(from, (from += size)) };
      part.keep = i + 1 < next.out.length;
      return this.chain(part, name, null);
    });
  }

  /** Put the weights of a 1x1 convolution in the order of the kernels, and what belongs to its channels in that of `rows`. */
  pack(step) {
    const { memory, kernels } = this.engine;
    const { rows, columns, pairs, stretched, post, inputs: K } = step;
    if (rows.length % (8 * step.up)) throw unknown('a convolution');
    step.channels = rows.length;
    step.weights = memory.take((pairs ? 2 : 4) * rows.length * (K + 1));
    step.factors = stretched ? memory.take(4 * rows.length) : 0;
    const orders = memory.take(4 * (rows.length + K));
    const words = new Uint32Array(memory.wasm.buffer, orders);
    words.set(rows);
    words.set(columns, rows.length);
    kernels[pairs ? 'pack_pairs' : 'pack'](rows.length, K, orders, orders + 4 * rows.length, step.raw, step.weights, step.factors);
    memory.give(orders);
    if (!step.keep) memory.give(step.raw);
    step.bias &&= this.ordered(step.bias, rows);
    if (post.scale) post.scale = this.ordered(post.scale, rows);
  }

  ordered({ at, count: n }, rows) {
    const { memory } = this.engine;
    const made = memory.take(4 * rows.length);
    const { floats } = memory;
    rows.forEach((row, i) => (floats[made / 4 + i] = floats[at / 4 + (n === 1 ? 0 : row)]));
    return { at: made, count: rows.length };
  }

  /** Let a step take with it what follows, from `node` on or from whoever consumes the value `out`. */
  chain(step, out, node) {
    const post = (step.post ??= { stage: 0 });
    for (;;) {
      const next = node ?? this.follower(out);
      if (!next || !this.absorb(step, post, next, out)) {
        if (node) throw unknown(`the operator ${next.op}`);
        break;
      }
      node = null;
      this.absorbed.add(next);
      [out] = next.out;
    }
    step.out = [out];
    return step;
  }

  follower(out) {
    const consumers = this.consumers[out] ?? [];
    return consumers.length === 1 && !this.outputs.includes(out) ? consumers[0] : null;
  }

  /** Whether `next` may come after what `post` holds already, in the order in which the kernels do it. */
  absorb(step, post, next, out) {
    const other = next.in.find((name) => name !== out);
    const limits = () => [this.number(next.in[1]), this.number(next.in[2])];
    const stage = (number) => post.stage < number && (post.stage = number);
    switch (next.op) {
      case 'LeakyRelu':
        if (next.attributes.alpha !== 0.125) throw unknown('an activation');
        return stage(1) && (post.leaky = true);
      case 'Mul':
        if (!this.constants[other] || step.up > 1 || !stage(2)) return false;
        post.scale = this.floats(other);
        return true;
      case 'Add':
      case 'Sub':
        if (this.constants[other]) {
          if (!stage(3)) return false;
          post.offset = this.number(other) * (next.op === 'Sub' ? -1 : 1);
          return true;
        }
        if (next.op === 'Sub' || !this.known.has(other) || step.up > 1 || !stage(6)) return false;
        post.residual = other;
        return true;
      case 'Round':
        return stage(4) && (post.round = true);
      case 'Clip':
        if (stage(5)) post.clip = limits();
        else if (stage(7)) post.clipSum = limits();
        else return false;
        return true;
      case 'DepthToSpace': {
        if (step.op !== 'pointwise' || step.up > 1 || post.residual) return false;
        const b = next.attributes.blocksize;
        const N = step.rows.length / b / b;
        step.up = b; // the channels of a line of a block lie together: (line, column, channel)
        step.rows = step.rows.map((_, i) => (i % N) * b * b + Math.floor(i / N));
        return true;
      }
      default:
        return false;
    }
  }

  /** Rows of an area so wide that go through all steps at once: what suits the second-level cache. */
  rows(w) {
    const finest = this.steps.reduce((most, { down = 1 }) => most * down, 1); // 16 for an analysis
    return Math.max(1, Math.round((PLACES * finest) / w)) * finest;
  }

  /** A run over an area of w x h places that comes in rows; see Flow. */
  flow(w, h, mask = null) {
    return new Flow(this, this.inputs.map(() => [w, h]), mask);
  }

  /** Outputs, each (C, H, W) as a Float32Array (or Uint8Array), for inputs [data, [1, C, H, W]] of the same order. */
  run(inputs) {
    const flow = new Flow(this, inputs.map(([, [, , h, w]]) => [w, h]));
    try {
      inputs.forEach(([data, [, c]], i) => flow.input(i, data, c));
      flow.go();
      return this.outputs.map((name) => flow.output(name));
    } finally {
      flow.end();
    }
  }
}
