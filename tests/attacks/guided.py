# SPDX-License-Identifier: BSD-3-Clause
"""Let coverage guide damage through the parsers; needs the package atheris.

    python -m tests.attacks.guided FOLDER [options of libFuzzer, such as -max_total_time=600 -seed=1]

FOLDER keeps inputs that reached new code; it is filled with sound files first. Checksums are mended in half of the
inputs, because nothing reaches deep code by guessing them.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["calotype.container", "calotype.api", "calotype.raster", "calotype.codecs"]):
    import calotype.api.probe
    import calotype.api.progressive
    import calotype.api.truncate
    import calotype.api.wrap
    import calotype.codecs.tao2017.standard
    import calotype.container.salvage
    import calotype.raster.alpha
    import calotype.raster.dimensions

from calotype.container import unpack
from calotype.errors import CalotypeError
from tests.attacks import judge, mutation
from tests.attacks.originals import Original, install_weights, originals

ORIGINALS: list[Original] = []


def one(data: bytes) -> None:
    """Judge one input. Whatever this lets through is a find of libFuzzer's."""
    rng = random.Random(0)
    judge.judge(data, ORIGINALS[0], rng, forged=True, decoding=False)
    try:
        content = unpack(data, salvage=True)
        header = content.header
        calotype.raster.dimensions.of_size(content.metadata, 5, 7)
        if content.alpha is not None and header.width * header.height <= judge.MAX_PIXELS:
            calotype.raster.alpha.decode_alpha(content.alpha, header.width, header.height, header.depth)
        if content.tiles and content.tiles[0]:
            calotype.codecs.tao2017.standard.StandardFile(content.tiles[0])
    except CalotypeError:
        pass


def mutate(data: bytes, most: int, number: int) -> bytes:
    """Another input: libFuzzer's mutation, or ours, and the checksums mended in every second one."""
    rng = random.Random(number)
    changed = atheris.Mutate(data, len(data)) if rng.random() < 0.7 or not data else mutation.damaged(data, rng)
    if rng.random() < 0.5:
        changed = mutation.mended(changed)
    return changed[:most]


def main() -> None:
    """Fuzz until libFuzzer's options say stop."""
    with tempfile.TemporaryDirectory() as weights:
        install_weights(Path(weights))
        ORIGINALS.extend(originals())
        folder = Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        for original in ORIGINALS:
            (folder / f"{original.name}.calo").write_bytes(original.data)
        atheris.Setup(sys.argv, one, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
