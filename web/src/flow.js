// SPDX-License-Identifier: BSD-3-Clause
// A graph at work on an area that comes in rows, from the top: each step makes the rows that it can, and rows that
// nobody needs any more are forgotten. Nothing is computed twice, and memory grows with the width of the area alone.

const REACH = 2; // rows that a 5x5 convolution sees above and below

/** An array (h, w, c) of which the rows low..high are in memory. */
class Value {
  constructor(memory, c, w, h) {
    Object.assign(this, { memory, c, w, h, low: 0, high: 0, block: 0, room: 0 });
  }

  get line() {
    return 4 * this.w * this.c; // bytes of a row
  }

  row(r) {
    return this.block + (r - this.low) * this.line;
  }

  /** Make room for rows up to `high`; those before `low` may go. */
  extend(low, high) {
    const { memory, line } = this;
    const from = this.row(low);
    const size = Math.max(this.high - low, 0) * line;
    let { block } = this;
    if (high - low > this.room) block = memory.take((this.room = high - low) * line);
    if (size && from !== block) memory.bytes.copyWithin(block, from, from + size);
    if (this.block && block !== this.block) memory.give(this.block);
    Object.assign(this, { block, low, high });
  }

  /** Forget all rows. */
  end() {
    if (this.block) this.memory.give(this.block);
    this.block = this.room = 0;
  }
}

export class Flow {
  /** @param sizes [w, h] of each input @param mask (h, w) of the first one, a byte each: where it is 0, convolutions see zeros, as beyond the border */
  constructor(graph, sizes, mask = null) {
    const { memory, kernels } = graph.engine;
    Object.assign(this, { graph, memory, kernels, mask, values: {} });
    this.done = graph.steps.map(() => 0); // rows that a step has made, before it makes more of each
    graph.inputs.forEach((name, i) => (this.values[name] = new Value(memory, 0, ...sizes[i])));
    this.shaped = false;
  }

  /** Shapes of all values, from those of the inputs. */
  shape() {
    this.shaped = true;
    for (const step of this.graph.steps) {
      const inputs = step.in.map((name) => this.values[name]);
      const { w, h } = inputs[0];
      const { up = 1, down = 1 } = step;
      const channels = step.op === 'Concat' ? inputs.reduce((sum, x) => sum + x.c, 0) : step.channels ? step.channels / up / up : inputs[0].c;
      const y = new Value(this.memory, channels, (w / down) * up, (h / down) * up);
      this.values[step.out[0]] = y;
    }
  }

  /** A whole input (c, h, w). */
  input(index, data, c) {
    const value = this.values[this.graph.inputs[index]];
    value.c = c;
    value.extend(0, value.h);
    const size = data.length;
    if (c === 1 || size === c) this.memory.floats.set(data, value.block / 4);
    else {
      const planes = this.memory.take(4 * size);
      this.memory.floats.set(data, planes / 4);
      this.kernels.transpose(c, size / c, planes, value.block);
      this.memory.give(planes);
    }
  }

  /** The next rows (rows, w, c) of the only input, as many as there are; calls `made` whenever rows of the output are there. */
  push(data, c, made) {
    const value = this.values[this.graph.inputs[0]];
    value.c = c;
    const line = value.w * c;
    const rows = this.graph.rows(value.w);
    for (let at = 0; at < data.length; at += rows * line) {
      const part = data.subarray(at, at + rows * line);
      const first = value.high;
      value.extend(this.needed(this.graph.inputs[0]), first + part.length / line);
      this.memory.floats.set(part, value.row(first) / 4);
      this.go();
      const out = this.values[this.graph.outputs[0]];
      if (out.high > out.low) made(out);
      out.low = out.high;
    }
  }

  /** The first row of a value that somebody still needs. */
  needed(name) {
    let first = this.graph.outputs.includes(name) ? this.values[name].low : Infinity;
    this.graph.steps.forEach((step, i) => {
      if (!step.in.includes(name)) return;
      const row = this.done[i] * (step.down ?? 1);
      const before = step.op === 'depthwise' && step.in[0] === name ? REACH : 0;
      first = Math.min(first, row === this.values[name].h ? row : Math.max(0, row - before));
    });
    return Math.min(first, this.values[name].high);
  }

  /** Make all rows that can be made. */
  go() {
    if (!this.shaped) this.shape();
    const { steps, widely, outputs } = this.graph;
    steps.forEach((step, i) => {
      const inputs = step.in.map((name) => this.values[name]);
      const { up = 1, down = 1 } = step;
      const from = this.done[i];
      const to = Math.min(...inputs.map((x, k) => {
        const border = step.op === 'depthwise' && !k && x.high < x.h ? REACH : 0;
        return Math.floor((x.high - border) / down);
      }));
      if (to > from) {
        const [name] = step.out;
        const y = this.values[name];
        y.extend(this.needed(name), to * up);
        this[step.op](step, inputs, y, from, to);
        this.done[i] = to;
        if (this.mask && widely.has(name)) this.clear(y, from * up, to * up);
      }
      for (const name of step.in) {
        const x = this.values[name];
        if (x.high === x.h && !outputs.includes(name) && this.needed(name) === x.h) x.end();
      }
    });
  }

  /** A whole output (c, h, w). */
  output(name) {
    const { block, c, w, h } = this.values[name];
    const size = c * w * h;
    const planes = this.memory.take(4 * size);
    this.kernels.transpose(w * h, c, block, planes);
    let result;
    if (this.graph.bytes.has(name)) {
      this.kernels.to_u8(size, planes, block);
      result = this.memory.bytes.slice(block, block + size);
    } else result = this.memory.floats.slice(planes / 4, planes / 4 + size);
    this.memory.give(planes);
    return result;
  }

  end() {
    for (const value of Object.values(this.values)) value.end();
  }

  /** Put zeros where there is no picture. What else reads the value does so place by place. */
  clear(y, from, to) {
    const { mask } = this;
    const first = this.values[this.graph.inputs[0]];
    const side = y.h / first.h;
    const { floats } = this.memory;
    for (let r = from; r < to; r++) {
      const line = Math.floor(r / side) * first.w;
      for (let left = 0, right; left < first.w; left = right + 1) {
        for (right = left; right < first.w && !mask[line + right]; right++);
        if (right > left) floats.fill(0, y.row(r) / 4 + left * side * y.c, y.row(r) / 4 + right * side * y.c);
      }
    }
  }

  /** Write what a kernel does with its sums where it looks for it; the first channel of the kernel is `channel`, its first row `row`. */
  post({ post, bias }, row, channel = 0) {
    const at = this.graph.engine.post;
    const fields = new DataView(this.memory.wasm.buffer, at, 52);
    const scale = post.scale?.at;
    const some = bias || post.stage > 0;
    const pointers = [bias && bias.at + 4 * channel, scale && scale + 4 * channel, post.residual && this.values[post.residual].row(row)];
    [...pointers, some && 1, post.leaky && 1, post.round && 1, post.clip && 1, post.clipSum && 1].forEach((value, i) => fields.setUint32(4 * i, Number(value ?? 0), true));
    [...(post.clip ?? [0, 0]), ...(post.clipSum ?? [0, 0]), post.offset ?? 0].forEach((value, i) => fields.setFloat32(32 + 4 * i, value, true));
    return at;
  }

  pointwise(step, [x], y, from, to) {
    const { memory, kernels } = this;
    const { down, up, pairs, stretched, inputs: K, channels: N, weights, factors } = step;
    const [w, rows] = [x.w / down, to - from];
    const multiply = kernels[pairs ? 'pointwise_pairs' : 'pointwise'];
    const width = pairs ? K + (K & 1) : K; // of a place, in numbers
    const size = pairs ? 2 : 4;
    let source = x.row(from * down);
    const borrowed = [];
    const borrow = (bytes) => borrowed[borrowed.push(memory.take(bytes)) - 1];
    if (down > 1) {
      const blocks = borrow(4 * rows * w * K);
      kernels.space_to_depth(x.c, rows, w, down, source, blocks);
      source = blocks;
    }
    const units = stretched ? borrow(4 * rows * w) : 0;
    if (pairs) {
      const rounded = borrow(size * rows * w * width);
      kernels.to_pairs(rows * w, K, source, rounded, units);
      source = rounded;
    }
    if (up === 1) multiply(N, width, rows * w, weights, source, y.row(from), this.post(step, from), units, factors);
    else {
      for (let i = 0, n = N / up; i < up; i++) { // lines of a block
        const post = this.post(step, from, i * n);
        for (let r = 0; r < rows; r++) {
          const part = [weights + size * i * n * width, source + size * r * w * width, y.row((from + r) * up + i), post];
          multiply(n, width, w, ...part, units && units + 4 * r * w, factors + 4 * i * n);
        }
      }
    }
    borrowed.forEach((at) => memory.give(at));
  }

  depthwise(step, [x], y, from, to) {
    const patch = this.memory.take(4 * 48 * x.c);
    const [above, below] = [from, x.h - to].map((rows) => Math.min(REACH, rows));
    this.kernels.depthwise(x.c, to - from, x.w, above, below, step.weights, x.row(from), y.row(from), patch, this.post(step, from));
    this.memory.give(patch);
  }

  elementwise(step, [x], y, from, to) {
    const places = (to - from) * x.w;
    this.kernels.elementwise(...(step.each ? [places, x.c] : [Math.ceil((places * x.c) / 4), 4]), x.row(from), y.row(from), this.post(step, from));
  }

  Concat(step, parts, y, from, to) {
    let at = y.row(from);
    for (const x of parts) {
      this.kernels.copy_channels((to - from) * x.w, x.c, x.c, y.c, x.row(from), at);
      at += 4 * x.c;
    }
  }
}
