// SPDX-License-Identifier: BSD-3-Clause
// The WebAssembly engine: its memory, its kernels, and the graphs of one bundle that it has compiled.
import { BundleError } from './errors.js';
import { Graph } from './graph.js';
import { Memory } from './memory.js';

// A module whose only function uses f32x4.relaxed_madd.
const RELAXED = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0, 253, 17, 65,
  0, 253, 17, 253, 133, 2, 11,
); // prettier-ignore

// On x86, what is no number comes with its sign set. ARM adds pairs of products in four instructions, x86 in two.
const nothing = Float32Array.of(Infinity);
nothing[0] -= nothing[0];
const X86 = new Uint8Array(nothing.buffer)[3] === 255;

/** Whether this browser has relaxed SIMD, with which sums of floats are faster. */
export const hasRelaxed = () => WebAssembly.validate(RELAXED);

export class Engine {
  /**
   * @param {(name: string) => Promise<Uint8Array>} load a file of the bundle
   * @param {WebAssembly.Module} module engine.wasm or engine-relaxed.wasm, compiled
   */
  static async open(load, module) {
    const engine = new Engine();
    engine.load = load;
    engine.memory = new Memory();
    engine.graphs = new Map();
    const instance = await WebAssembly.instantiate(module, { env: { memory: engine.memory.wasm } });
    engine.kernels = instance.exports;
    engine.memory.begin(engine.kernels.heap());
    engine.post = engine.memory.take(52);
    return engine;
  }

  /** Load and compile a graph ahead of its first use; `rounded` where 16 bits of precision are enough, if that is faster here. */
  graph(name, rounded = false) {
    rounded &&= X86;
    const key = rounded ? `${name}, rounded` : name;
    if (!this.graphs.has(key)) {
      const made = this.load(`${name}.onnx`).then((bytes) => new Graph(this, bytes, rounded));
      made.catch(() => this.graphs.delete(key)); // so that another try may succeed
      this.graphs.set(key, made);
    }
    return this.graphs.get(key);
  }

  /** Outputs of a graph for inputs [data, [1, C, H, W]]: see Graph.run. */
  async run(name, inputs) {
    const graph = await this.graph(name);
    if (graph.inputs.length !== inputs.length) throw new BundleError(`the graph ${name} of the weights has other inputs`);
    return graph.run(inputs);
  }
}
