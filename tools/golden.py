# SPDX-License-Identifier: BSD-3-Clause
"""Make the files of ``calotype selftest``: one for each bundle that ships.

    python tools/golden.py            # after weights were added or replaced
    python tools/golden.py --check    # change nothing; exit code 1 if a bundle that ships has no current file
    python tools/golden.py --release  # keep them for good, as the files of this version

Files of weights that have not changed are kept as they are: other machines must decode them to the same symbols. Files
of a release are in ``tests/releases/VERSION``, and every later version must decode them as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import calotype  # noqa: E402
from calotype.engine import bundles  # noqa: E402
from calotype.selftest import EXPECTED, FOLDER, expected, pixels  # noqa: E402
from calotype.selftest.symbols import symbols_hash  # noqa: E402

HEIGHT, WIDTH = 72, 104
WEIGHTS = ROOT / "calotype" / "weights"
RELEASES = ROOT / "tests" / "releases"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def drawing() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Soft waves of three colours, and two hard edges."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    waves = [np.sin(x / (11 + 4 * c)) * np.cos(y / (9 + 3 * c)) for c in range(3)]
    picture = 128 + 70 * np.stack(waves, 2)
    picture[20:44, 30:70] = 255 - picture[20:44, 30:70]
    return np.rint(picture).astype(np.uint8)


def texts(data: bytes) -> dict[str, str]:
    """What a file says beside its pixels: the ``info`` of its Pillow image, as text."""
    return {name: repr(value) for name, value in calotype.decode(data, threads=1).info.items()}


def options(bundle: bundles.Bundle) -> dict[str, Any]:
    """What makes the encoder take this bundle."""
    match bundle.codec:
        case "talbot":
            return {"tune": bundle.id.removeprefix("talbot-") if bundle.id != "talbot" else "psnr"}
        case "ledig2017":
            model, _, scale = bundle.id.partition("-x")
            return {"model": model, "scale": int(scale)}
    return {}


def shipped() -> list[bundles.Bundle]:
    """The bundles of the package, without those of the environment."""
    return sorted((b for b in bundles.installed() if b.path.parent == WEIGHTS), key=lambda bundle: bundle.id)


def stale() -> list[bundles.Bundle]:
    """Bundles whose file is missing, or is of weights that no longer ship."""
    there = {bundle.hash[:8] for bundle in shipped()}

    def current(bundle: bundles.Bundle) -> bool:
        file = FOLDER / f"{bundle.id}.calo"
        if not file.is_file() or bundle.id not in expected():
            return False
        info = calotype.probe(file.read_bytes())
        return info.bundle == bundle.hash[:8] and info.inner_bundle in {*there, ""}

    return [bundle for bundle in shipped() if not current(bundle)]


def write(file: Path, results: dict[str, Any]) -> None:
    """One line a file, in the order of their names."""
    lines = [f"  {json.dumps(name)}: {json.dumps(results[name])}" for name in sorted(results)]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def kinds() -> dict[str, bytes]:
    """A file of each kind that the self test leaves out: what a file may hold beside the latents of one bundle."""
    picture, transparent = drawing(), np.arange(HEIGHT * WIDTH, dtype=np.uint32).reshape(HEIGHT, WIDTH, 1) % 251
    deep = drawing().astype(np.uint16) * 257 + (transparent % 7).astype(np.uint16)
    described = Image.fromarray(picture)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Calotype", "a drawing"  # make and model
    described.info = {"exif": exif.tobytes(), "dpi": (300, 300), "xmp": XMP}

    def encode(shown: Any, codec: str = "talbot", **options: Any) -> bytes:
        return calotype.encode(shown, codec=codec, threads=1, **options)

    return {
        "alpha": encode(np.concatenate([picture, transparent.astype(np.uint8)], 2)),
        "grey": encode(picture[:, :, 1].copy()),
        "metadata": encode(described),
        "quality-100": encode(picture, quality=100),
        "lossless": encode(picture, "lossless"),
        "lossless-deep": encode(deep, "lossless"),
        **{f"tao2017-{base}": encode(picture, "tao2017", base=base) for base in ("webp", "avif", "jpeg2000")},
    }


def keep() -> None:
    """Copy the files to those of this version, and make more; SystemExit if it has some already."""
    place = RELEASES / calotype.__version__
    if place.exists():
        raise SystemExit(f"golden: {place} exists, and files of a release never change")
    more = kinds()
    shutil.copytree(FOLDER, place)
    results = expected()
    for name, data in more.items():
        (place / f"{name}.calo").write_bytes(data)
        results[name] = {"symbols": symbols_hash(data), "pixels": pixels(data)}
    results["metadata"]["info"] = texts(more["metadata"])
    write(place / EXPECTED.name, results)
    print(f"golden: {place} holds the files of this release; commit them")


def main(argv: Sequence[str] | None = None) -> int:
    """Make or check; 1 if something is out of date."""
    parser = argparse.ArgumentParser(description="Make the files of calotype selftest.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something is out of date")
    parser.add_argument("--release", action="store_true", help="keep the files for good, as those of this version")
    out_of_date, names = stale(), {bundle.id for bundle in shipped()}
    left = sorted(path.stem for path in FOLDER.glob("*.calo") if path.stem not in names)
    asked = parser.parse_args(argv)
    if asked.check:
        for name in [*(bundle.id for bundle in out_of_date), *left]:
            print(f"golden: {name} is out of date; run tools/golden.py", file=sys.stderr)
        return int(bool(out_of_date or left))
    FOLDER.mkdir(exist_ok=True)
    known = expected() if EXPECTED.is_file() else {}
    for name in left:
        (FOLDER / f"{name}.calo").unlink()
    for bundle in out_of_date:
        data = calotype.encode(drawing(), codec=bundle.codec, quality=50, threads=1, **options(bundle))
        if calotype.probe(data).bundle != bundle.hash[:8]:
            raise SystemExit(f"golden: the encoder took other weights than {bundle.id}")
        (FOLDER / f"{bundle.id}.calo").write_bytes(data)
        known[bundle.id] = {"symbols": symbols_hash(data), "pixels": pixels(data)}
        print(f"{bundle.id}: {len(data)} bytes")
    write(EXPECTED, {name: known[name] for name in names})
    if asked.release:
        keep()
    return 0


if __name__ == "__main__":
    sys.exit(main())
