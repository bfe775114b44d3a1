# SPDX-License-Identifier: BSD-3-Clause
"""Build wheel and source distribution into ``dist/``, and check that the wheel alone works.

    python tools/distribution.py      # needs: pip install ".[docs]"

The wheel is installed into an empty environment, without this checkout in sight, where the self test must pass, and a
picture must go through the demonstration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
LARGEST = 45_000_000  # bytes of the wheel
NEEDED = ("selftest/golden/expected.json", "weights/talbot/model.json", "share/man/man1/calotype.1", "py.typed")


def call(*command: str | Path, folder: Path = ROOT) -> None:
    """Run a program; SystemExit if it fails."""
    line = [str(part) for part in command]
    print("$", *line, flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "CALOTYPE"))}
    if (code := subprocess.run(line, cwd=folder, env=environment, check=False).returncode) != 0:
        raise SystemExit(f"distribution: failed with exit code {code}: {' '.join(line)}")


def build() -> Path:
    """Both distributions; the path of the wheel."""
    for folder in (DIST, ROOT / "build"):
        shutil.rmtree(folder, ignore_errors=True)
    call(sys.executable, "-m", "build", "--outdir", DIST)
    call(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    (wheel,) = DIST.glob("*.whl")
    return wheel


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


def try_out(wheel: Path) -> None:
    """Install the wheel and use it."""
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


def main() -> None:
    """Build and check."""
    wheel = build()
    look_inside(wheel)
    try_out(wheel)
    print("distribution: both files in dist/ are ready")


if __name__ == "__main__":
    main()
