# SPDX-License-Identifier: BSD-3-Clause
"""Build wheel and source distribution into ``dist/``, and those of the archive of weights; check that the wheel works.

    python tools/distribution.py      # needs: pip install ".[docs]"

The wheel is installed into an empty environment, without this checkout in sight, where the self test must pass, and a
picture must go through the demonstration. With the wheel of the archive beside it, a file of weights that no longer
ship must open.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
ARCHIVE = ROOT / "archive"
OLD = ROOT / "tests" / "releases" / "1.0.0" / "talbot.calo"  # a file of weights that no longer ship
LARGEST = 45_000_000  # bytes of the wheel
NEEDED = ("selftest/golden/expected.json", "weights/talbot/model.json", "share/man/man1/calotype.1", "py.typed")


def call(*command: str | Path, folder: Path = ROOT) -> None:
    """Run a program; SystemExit if it fails."""
    line = [str(part) for part in command]
    print("$", *line, flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "CALOTYPE"))}
    if (code := subprocess.run(line, cwd=folder, env=environment, check=False).returncode) != 0:
        raise SystemExit(f"distribution: failed with exit code {code}: {' '.join(line)}")


def build() -> tuple[Path, Path]:
    """All distributions; the paths of the wheel and of that of the archive."""
    for folder in (DIST, ROOT / "build"):
        shutil.rmtree(folder, ignore_errors=True)
    for source in (ROOT, ARCHIVE):
        call(sys.executable, "-m", "build", "--outdir", DIST, source)
    call(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    (wheel,), (archive,) = DIST.glob("calotype-*.whl"), DIST.glob("calotype_weights_archive-*.whl")
    return wheel, archive


def look_inside(wheel: Path) -> None:
    """SystemExit if the wheel is too large or lacks a file."""
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size / 1e6:.1f} MB")
    if size > LARGEST:
        raise SystemExit(f"distribution: the wheel has {size:,} bytes, more than {LARGEST:,}")
    names = zipfile.ZipFile(wheel).namelist()
    missing = [needed for needed in NEEDED if not any(name.endswith(needed) for name in names)]
    if missing:
        raise SystemExit(f"distribution: the wheel lacks {', '.join(missing)}; see package-data in pyproject.toml")


def try_out(wheel: Path, archive: Path) -> None:
    """Install the wheel and use it, then the archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        python, calotype = scripts / "python", scripts / "calotype"
        call(python, "-m", "pip", "install", "--quiet", wheel)
        picture = (
            "from PIL import Image; Image.radial_gradient('L').resize((320, 240)).convert('RGB').save('photo.png')"
        )
        call(python, "-c", picture, folder=folder)
        call(calotype, "--version", "--verbose", folder=folder)
        call(calotype, "selftest", folder=folder)
        call(calotype, "encode", "photo.png", folder=folder)
        call(calotype, "decode", "photo.calo", "-o", "back.png", folder=folder)
        call(python, "-m", "calotype.cli.demo", "photo.png", "--out", "demo", folder=folder)
        call(python, "-m", "pip", "install", "--quiet", archive)
        call(calotype, "decode", OLD, "-o", "old.png", folder=folder)


def main(argv: Sequence[str] | None = None) -> None:
    """Build and check."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0]).parse_args(argv)
    wheel, archive = build()
    look_inside(wheel)
    try_out(wheel, archive)
    print("distribution: the files in dist/ are ready")


if __name__ == "__main__":
    main()
