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

/** Whether this browser has relaxed SIMD, with which the engine is nearly twice as fast. */
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
    engine.post = engine.memory.take(40);
    return engine;
  }

  /** Load and compile a graph ahead of its first use. */
  graph(name) {
    if (!this.graphs.has(name)) {
      const made = this.load(`${name}.onnx`).then((bytes) => new Graph(this, bytes));
      made.catch(() => this.graphs.delete(name)); // so that another try may succeed
      this.graphs.set(name, made);
    }
    return this.graphs.get(name);
  }

  /** Outputs of a graph for inputs [data, [1, C, H, W]]; `there` {mask, h, w}: see Graph.run. */
  async run(name, inputs, there = null) {
    const graph = await this.graph(name);
    if (graph.inputs.length !== inputs.length) throw new BundleError(`the graph ${name} of the weights has other inputs`);
    return graph.run(inputs, there);
  }
}
