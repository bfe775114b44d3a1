# SPDX-License-Identifier: BSD-3-Clause
"""Savings of entropy coding on the binary codes of ``toderici2017``, iteration by iteration.

    python -m calotype.benchmark.studies.binary_codes --bundle calotype/weights/toderici2017 --data kodak/

The codes are those that the float network writes for whole pictures, cut into tiles of 32x32 cells; what counts is the
length of the written chunks. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...codecs.toderici2017.bits import CodeModel
from ...engine.tiling import Rectangle, grid
from ...networks.toderici2017 import CELL, Toderici2017, TodericiConfig
from ...training.data import find_pictures, load_rgb
from ...training.parents import bundle_in
from ...training.recipe import configure
from ...training.toderici2017.export import recover_all
from . import study

SIDE = 32  # cells of a tile


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=24, help="of pictures")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    described = json.loads((options.bundle / "model.json").read_text(encoding="utf-8"))["configuration"]
    fields = TodericiConfig.__dataclass_fields__
    network = Toderici2017(configure(TodericiConfig, {k: v for k, v in described.items() if k in fields})).eval()
    recover_all(network, bundle_in(options.bundle))
    with np.load(options.bundle / "codes.npz") as stored:
        model = CodeModel({name: stored[name] for name in stored.files if name != "amplitude"})
    raw, written = np.zeros(model.iterations), np.zeros(model.iterations)
    for file in find_pictures(options.data)[: options.count]:
        x = torch.from_numpy(load_rgb(file).copy()).permute(2, 0, 1)[None].float() / 255
        h, w = (s // CELL * CELL for s in x.shape[2:])
        with torch.inference_mode():
            codes = [b[0].to(torch.int8).numpy() for b, _ in network.iterate(x[..., :h, :w], model.iterations)]
        for _, _, place in grid(Rectangle(0, 0, w // CELL, h // CELL), SIDE):
            state = model.start(place.height, place.width)
            for t, bits in enumerate(codes):
                part = np.ascontiguousarray(bits[:, *place.slices])
                raw[t] += part.size
                written[t] += 8 * len(model.encode(part, state))
    print("| iteration | bits per pixel, raw so far | written so far | saved by this iteration |\n|---|---|---|---|")
    share = model.channels / CELL**2
    for t in range(model.iterations):
        so_far = share * (written[: t + 1] / raw[: t + 1]).sum()
        print(f"| {t + 1} | {share * (t + 1):.3f} | {so_far:.3f} | {100 * (1 - written[t] / raw[t]):.1f} % |")


if __name__ == "__main__":
    sys.exit(main())
