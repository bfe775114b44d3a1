// SPDX-License-Identifier: BSD-3-Clause
// An ONNX graph of Calotype as a list of steps, each one kernel of the engine: convolutions take what follows them
// (activation, scale, rounding, limits, residual) with them. Shapes come from the inputs of each run.
import { BundleError } from './errors.js';
import { parseOnnx } from './onnx.js';

const CONVERT = { 3: 'from_i8', 5: 'from_i16', 6: 'from_i32', 10: 'from_f16' }; // by the type of an ONNX constant
const ROWS = 6; // of the packed weights, as in calo.c
const PANEL = 4 * 8 * 16; // bytes of a panel for one channel
const PAD = (h, w) => 4 * (h + 5) * (Math.ceil(w / 16) * 16 + 4); // bytes of a padded plane

export class Graph {
  /** Compile the bytes of an ONNX file; weights go into the engine's memory and stay there. */
  constructor(engine, bytes) {
    this.engine = engine;
    const { nodes, constants, inputs, outputs } = parseOnnx(bytes);
    this.constants = constants;
    this.inputs = inputs;
    this.outputs = outputs;
    for (const node of nodes) { // weights of fewer bits are constants behind a cast
      if (node.op === 'Cast' && constants[node.in[0]]) constants[node.out[0]] = constants[node.in[0]];
    }
    const rest = nodes.filter((node) => !constants[node.out[0]]);
    this.consumers = {};
    for (const node of rest) for (const name of node.in) (this.consumers[name] ??= []).push(node);
    this.absorbed = new Set();
    this.known = new Set(inputs); // what has been computed by the step at hand
    this.steps = [];
    for (const node of rest) {
      if (this.absorbed.has(node)) continue;
      const step = this.step(node);
      if (step.post?.residual) step.in.push(step.post.residual);
      this.steps.push(step);
      for (const name of step.out) this.known.add(name);
    }
    this.last = {}; // index of the step that needs a value last
    this.steps.forEach((step, i) => step.in.forEach((name) => (this.last[name] = i)));
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
    if (!CONVERT[type]) throw new BundleError(`a graph of the weights has constants of type ${type}, which is not known here`);
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
        return this.chain({ ...step, op: 'elementwise' }, first, node);
      case 'Add':
      case 'Sub':
        if (!this.constants[second]) return this.chain({ ...step, op: 'elementwise', in: [first] }, first, node);
        return { ...step, op: 'add_scalar', value: this.number(second) * (node.op === 'Sub' ? -1 : 1) };
      case 'DepthToSpace':
        return { ...step, block: node.attributes.blocksize };
      case 'Split': {
        const { raw } = this.constants[second];
        const sizes = Array.from({ length: raw.length / 8 }, (_, i) => new DataView(raw.buffer, raw.byteOffset).getUint32(8 * i, true));
        return { ...step, in: [first], sizes };
      }
      case 'Concat':
      case 'Identity':
      case 'Cast':
        return step;
      default:
        throw new BundleError(`a graph of the weights has the operator ${node.op}, which is not known here`);
    }
  }

  convolution(node, step) {
    const { memory, kernels } = this.engine;
    const [N, perGroup, side] = this.constants[node.in[1]].dims;
    const weights = this.floats(node.in[1]).at;
    step.bias = node.in[2] ? this.floats(node.in[2]).at : 0;
    step.channels = N;
    if ((node.attributes.group ?? 1) > 1) {
      if (side !== 5 || node.attributes.group !== N) throw new BundleError('a graph has a convolution that is not known here');
      step.op = 'depthwise';
      step.weights = weights;
    } else {
      step.op = 'pointwise';
      step.block = side; // the stride as well
      step.inputs = perGroup * side * side;
      step.weights = memory.take(4 * Math.ceil(N / ROWS) * ROWS * step.inputs);
      kernels.pack_rows(N, step.inputs, weights, step.weights);
      memory.give(weights);
    }
    return this.chain(step, node.out[0], null);
  }

  /** Let a step take with it what follows, from `node` on or from whoever consumes the value `out`. */
  chain(step, out, node) {
    const post = { stage: 0 };
    step.post = post;
    for (;;) {
      const next = node ?? this.follower(out);
      node = null;
      if (!next || !this.absorb(post, next, out)) break;
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
  absorb(post, next, out) {
    const other = next.in.find((name) => name !== out);
    const limits = () => [this.number(next.in[1]), this.number(next.in[2])];
    if (next.op === 'LeakyRelu' && post.stage < 1) {
      if (next.attributes.alpha !== 0.125) throw new BundleError('a graph has an activation that is not known here');
      post.leaky = true;
      post.stage = 1;
    } else if (next.op === 'Mul' && post.stage < 2 && this.constants[other]) {
      post.scale = this.floats(other);
      post.stage = 2;
    } else if (next.op === 'Round' && post.stage < 3) {
      post.round = true;
      post.stage = 3;
    } else if (next.op === 'Clip' && post.stage < 4) {
      post.clip = limits();
      post.stage = 4;
    } else if (next.op === 'Add' && post.stage < 5 && this.known.has(other)) {
      post.residual = other;
      post.stage = 5;
    } else if (next.op === 'Clip' && post.stage === 5) {
      post.clipSum = limits();
      post.stage = 6;
    } else return false;
    return true;
  }

  /**
   * Outputs, each a Float32Array (or Uint8Array), for inputs [data, [1, C, H, W]]. `there` {mask, h, w}: where the mask
   * is 0, on a grid of which all others are multiples, convolutions see zeros, as beyond the border.
   */
  run(inputs, there = null) {
    const run = new Run(this, there);
    try {
      this.inputs.forEach((name, i) => run.input(name, ...inputs[i]));
      this.steps.forEach((step, i) => run.step(step, i));
      return this.outputs.map((name) => run.output(name));
    } finally {
      run.end();
    }
  }
}

/** The values of one run: arrays (c, h, w) at an address, some of them parts of others. */
class Run {
  constructor(graph, there) {
    this.graph = graph;
    this.there = there;
    this.memory = graph.engine.memory;
    this.kernels = graph.engine.kernels;
    this.values = {};
    this.holders = new Map(); // number of values by the address of their block
  }

  make(c, h, w) {
    const block = this.memory.take(4 * c * h * w);
    this.holders.set(block, 1);
    return { block, at: block, c, h, w };
  }

  part(value, from, c) {
    this.holders.set(value.block, this.holders.get(value.block) + 1);
    return { ...value, at: value.at + 4 * from * value.h * value.w, c };
  }

  drop({ block }) {
    const left = this.holders.get(block) - 1;
    this.holders.set(block, left);
    if (!left) {
      this.holders.delete(block);
      this.memory.give(block);
    }
  }

  input(name, data, [, c, h, w]) {
    const value = this.make(c, h, w);
    this.memory.floats.set(data, value.at / 4);
    this.values[name] = value;
  }

  output(name) {
    const { at, c, h, w, bytes } = this.values[name];
    const size = c * h * w;
    if (!bytes) return this.memory.floats.slice(at / 4, at / 4 + size);
    const block = this.memory.take(size);
    this.kernels.to_u8(size, at, block);
    const result = this.memory.bytes.slice(block, block + size);
    this.memory.give(block);
    return result;
  }

  end() {
    for (const block of this.holders.keys()) this.memory.give(block);
  }

  step(step, index) {
    const inputs = step.in.map((name) => this.values[name]);
    const made = this[step.op](step, inputs[0], inputs);
    step.out.forEach((name, i) => (this.values[name] = made[i]));
    for (const name of new Set(step.in)) {
      if (this.graph.last[name] === index && !this.graph.outputs.includes(name)) {
        this.drop(this.values[name]);
        delete this.values[name];
      }
    }
  }

  /** Write what a kernel does with its sums where it looks for it. */
  post(post, channels) {
    const { memory } = this;
    const at = this.graph.engine.post;
    const fields = new DataView(memory.wasm.buffer, at, 40);
    let scale = 0;
    if (post.scale) {
      scale = post.scale.at;
      if (post.scale.count === 1 && channels > 1) scale = this.spread(post.scale, channels);
    }
    const numbers = [scale, post.residual ? this.values[post.residual].at : 0, post.leaky, post.round, post.clip, post.clipSum];
    numbers.forEach((value, i) => fields.setUint32(4 * i, typeof value === 'number' ? value : value ? 1 : 0, true));
    [...(post.clip ?? [0, 0]), ...(post.clipSum ?? [0, 0])].forEach((value, i) => fields.setFloat32(24 + 4 * i, value, true));
    return at;
  }

  /** One factor, as one for each of the channels; kept for the next run. */
  spread(scale, channels) {
    scale.spread ??= {};
    if (!scale.spread[channels]) {
      const at = this.memory.take(4 * channels);
      const { floats } = this.memory;
      floats.fill(floats[scale.at / 4], at / 4, at / 4 + channels);
      scale.spread[channels] = at;
    }
    return scale.spread[channels];
  }

  pointwise(step, x) {
    const { block } = step;
    let source = x;
    if (block > 1) {
      source = this.make(x.c * block * block, x.h / block, x.w / block);
      this.kernels.space_to_depth(x.c, source.h, source.w, block, x.at, source.at);
    }
    const y = this.make(step.channels, source.h, source.w);
    const panel = this.memory.take(PANEL * step.inputs);
    const size = source.h * source.w;
    const post = this.post(step.post, step.channels);
    this.kernels.pointwise(step.channels, step.inputs, size, step.weights, step.bias, source.at, y.at, panel, post);
    this.memory.give(panel);
    if (block > 1) this.drop(source);
    return [y];
  }

  /** Put zeros where there is no picture. What else reads the value does so place by place. */
  clear({ at, c, h, w }) {
    const { mask, h: rows, w: columns } = this.there;
    const side = h / rows;
    const { floats } = this.memory;
    for (let row = 0; row < rows; row++) {
      for (let from = 0, to; from < columns; from = to + 1) {
        for (to = from; to < columns && !mask[row * columns + to]; to++);
        if (to === from) continue;
        for (let k = 0; k < c; k++) {
          for (let y = row * side; y < (row + 1) * side; y++) {
            const start = at / 4 + (k * h + y) * w;
            floats.fill(0, start + from * side, start + to * side);
          }
        }
      }
    }
  }

  depthwise(step, x) {
    if (this.there) this.clear(x);
    const y = this.make(x.c, x.h, x.w);
    const pad = this.memory.take(PAD(x.h, x.w));
    this.kernels.depthwise(x.c, x.h, x.w, step.weights, step.bias, x.at, y.at, pad, this.post(step.post, x.c));
    this.memory.give(pad);
    return [y];
  }

  elementwise(step, x) {
    const y = this.make(x.c, x.h, x.w);
    this.kernels.elementwise(x.c, x.h * x.w, x.at, y.at, this.post(step.post, x.c));
    return [y];
  }

  add_scalar(step, x) {
    const y = this.make(x.c, x.h, x.w);
    this.kernels.add_scalar(x.c * x.h * x.w, step.value, x.at, y.at);
    return [y];
  }

  DepthToSpace({ block }, x) {
    const y = this.make(x.c / block / block, x.h * block, x.w * block);
    this.kernels.depth_to_space(y.c, x.h, x.w, block, x.at, y.at);
    return [y];
  }

  Concat(step, x, parts) {
    const y = this.make(parts.reduce((sum, part) => sum + part.c, 0), x.h, x.w);
    let { at } = y;
    for (const part of parts) {
      const size = 4 * part.c * part.h * part.w;
      this.memory.bytes.copyWithin(at, part.at, part.at + size);
      at += size;
    }
    return [y];
  }

  Split({ sizes }, x) {
    let from = 0;
    return sizes.map((c) => {
      from += c;
      return this.part(x, from - c, c);
    });
  }

  Identity(step, x) {
    return [this.part(x, 0, x.c)];
  }

  Cast(step, x) {
    return [{ ...this.part(x, 0, x.c), bytes: true }];
  }
}
