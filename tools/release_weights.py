# SPDX-License-Identifier: BSD-3-Clause
"""Release the weights of a training run: one command, then one commit.

    python tools/release_weights.py runs/talbot-eye --data photos/ --pictures kodak/
    python tools/release_weights.py runs/talbot-eye --skip export,bench      # some of the steps

export    the averaged weights of the run, to calotype/weights/ID; those that were there go to the archive, if a release
          shipped them
verify    hash and size; the same symbols with and without ONNX Runtime's optimisations, and from PyTorch; the files of
          calotype selftest, made anew where they are of other weights
bench     calotype bench, into benchmarks/results
tables    those of README.md, from what was measured
lock      weights.lock: id, SHA-256, bytes, parent, recipe and data of each bundle that ships or is in the archive

A step that fails ends it with a sentence and exit code 1; what was done before stays, and --skip leaves it out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calotype.engine.bundles import DESCRIPTION, Bundle  # noqa: E402

WEIGHTS, LOCK, RESULTS = ROOT / "calotype" / "weights", ROOT / "weights.lock", ROOT / "benchmarks" / "results"
RELEASES = ROOT / "tests" / "releases"
ARCHIVE = ROOT / "archive" / "calotype_weights_archive"
LARGEST = 16 << 20  # bytes of a bundle
STEPS = ("export", "verify", "bench", "tables", "lock")


def calotype(*arguments: str | Path) -> None:
    """Run a command of the package."""
    run("-m", "calotype", *arguments)


def run(*arguments: str | Path) -> None:
    """Run Python; SystemExit if it fails."""
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"release: {' '.join(map(str, arguments[:3]))} failed")


def bundle_in(folder: Path) -> Bundle:
    """The bundle in a folder."""
    return Bundle(folder, json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))


def retire(bundle: Bundle) -> None:
    """Copy weights that a release shipped to the archive, before others take their place."""
    from calotype import probe

    shipped = {probe(file.read_bytes()).bundle for file in RELEASES.glob("*/*.calo")}
    place = ARCHIVE / f"{bundle.id}-{bundle.hash[:8]}"
    if bundle.hash[:8] in shipped and not place.exists():
        place.mkdir(parents=True)
        for name in (DESCRIPTION, *bundle.files):
            shutil.copyfile(bundle.path / name, place / name)
        print(f"{bundle.id}: {bundle.hash[:8]} went to {place.relative_to(ROOT)}; name it in archive/README.md")


def verify(bundle: Bundle) -> None:
    """SystemExit if a bundle is damaged, too large, or does not compute the same everywhere."""
    bundle.verify()
    if bundle.size > LARGEST:
        raise SystemExit(f"release: {bundle.path} has {bundle.size >> 20} MB; at most {LARGEST >> 20} ship")
    if bundle.codec == "talbot" and not same_symbols(bundle):
        raise SystemExit(f"release: {bundle.path} decodes to other symbols in other arithmetic")
    print(f"{bundle.id}: {bundle.hash[:8]}, {bundle.size / 1e6:.1f} MB, exact")


def same_symbols(bundle: Bundle) -> bool:
    """Whether ONNX Runtime, plain and optimised, and PyTorch decode a picture to the same latents."""
    from unittest.mock import patch

    from calotype.codecs.quality import position, to_header
    from calotype.codecs.talbot import prior
    from calotype.codecs.talbot.codec import Talbot
    from calotype.codecs.talbot.model import STRIDE
    from calotype.training.replay import TorchGraph

    y, x = np.mgrid[:192, :256]
    picture = np.stack([127 + 90 * np.sin(x / (9 + 3 * c)) * np.cos(y / 13) for c in range(3)], 2)
    picture = (picture + np.random.default_rng(1).normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)
    shape = [side // STRIDE for side in picture.shape[:2]]
    for quality in (5.0, 60.0, 95.0):
        stored = to_header(quality)
        (data,) = Talbot(bundle, 1).encode(picture, stored)

        def decoded(optimise: bool, data: bytes = data, stored: int = stored) -> Any:
            return Talbot(bundle, 1, optimise).prior.decode(data, shape[0], shape[1], position(stored))

        reference = decoded(True)
        with patch.object(prior, "graph", lambda path, *_, **__: TorchGraph(path)):
            others = [decoded(True)]
        others.append(decoded(False))
        if not all(np.array_equal(reference, other) for other in others):
            return False
    return True


def locked(bundle: Bundle, recipe: Path | None = None, data: str = "") -> dict[str, Any]:
    """What ``weights.lock`` says of a bundle; recipe and data as before where they are not given."""
    entries = json.loads(LOCK.read_text(encoding="utf-8")).values() if LOCK.exists() else ()
    known = next((entry for entry in entries if entry["sha256"] == bundle.hash), {})
    return {
        "sha256": bundle.hash,
        "bytes": bundle.size,
        "parent": bundle.description.get("parent"),
        "training": bundle.description.get("training"),
        "recipe": tomllib.loads(recipe.read_text(encoding="utf-8")) if recipe else known.get("recipe"),
        "data": data or known.get("data"),
    }


def write_lock(released: str = "", recipe: Path | None = None, data: str = "") -> None:
    """Write ``weights.lock`` anew; recipe and data are those of the bundle ``released``."""
    found = {}
    for description in sorted(WEIGHTS.glob(f"*/{DESCRIPTION}")):
        bundle = bundle_in(description.parent)
        found[bundle.id] = locked(bundle, recipe, data) if bundle.id == released else locked(bundle)
    for description in sorted(ARCHIVE.glob(f"*/{DESCRIPTION}")):
        bundle = bundle_in(description.parent)
        found[description.parent.name] = {**locked(bundle), "archive": True}
    LOCK.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Do the steps that are not left out."""
    parser = argparse.ArgumentParser(description="Release the weights of a training run.")
    parser.add_argument("run", type=Path, help="folder of the training run")
    parser.add_argument("--data", default="", help="photographs, to calibrate with: as of calotype train")
    parser.add_argument("--recipe", help="another recipe than the one that the run keeps")
    parser.add_argument("--state", default="state.pt", help="which state of the run")
    parser.add_argument("--parent", type=Path, help="bundle that the run began from, where the run does not say")
    parser.add_argument("--id", default="", help="of the bundle; default: what the recipe says")
    parser.add_argument("--output", type=Path, help="folder of the bundle; default: calotype/weights/ID")
    parser.add_argument("--pictures", type=Path, help="folder of pictures to measure")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the measurements")
    parser.add_argument("--bench", default="", help="more options of calotype bench, in one string")
    parser.add_argument("--skip", default="", help=f"steps to leave out, with commas: {', '.join(STEPS)}")
    parser.add_argument("--description", default="", help="of the data, for weights.lock; default: --data")
    options = parser.parse_args(argv)
    steps = set(STEPS) - set(filter(None, options.skip.split(",")))
    from calotype.training.parents import KEPT, keep_parent
    from calotype.training.recipe import load_recipe, recipe_of, recipe_path

    recipe = recipe_path(options.recipe or recipe_of(options.run))
    tables = load_recipe(recipe)
    name = options.id or tables.get("bundle", {}).get("id") or tables.get("kind", "talbot")
    output = options.output or WEIGHTS / name
    for step, needed in (("export", options.data), ("bench", options.pictures)):
        if step in steps and not needed:
            parser.error(f"{step} needs --{'data' if step == 'export' else 'pictures'}, or --skip {step}")
    if options.parent and not (options.run / KEPT).exists():
        keep_parent(options.run, bundle_in(options.parent))
    if "export" in steps:
        if (output / DESCRIPTION).is_file():
            retire(bundle_in(output))
        calotype(
            "export", options.run, "--data", options.data, "--state", options.state, "--recipe", recipe, "-o", output
        )
    bundle = bundle_in(output)
    if "verify" in steps:
        verify(bundle)
        if output.parent == WEIGHTS:
            run("tools/golden.py")
            calotype("selftest", "--no-speed")
    if "bench" in steps:
        calotype("bench", options.pictures, "--out", options.results, *options.bench.split())
    if "tables" in steps:
        run("tools/readme.py")
    if "lock" in steps:
        write_lock(bundle.id, recipe, options.description or options.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
