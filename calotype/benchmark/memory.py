# SPDX-License-Identifier: BSD-3-Clause
"""Memory that a codec takes, each call in a fresh process.

    python -m calotype.benchmark.memory CODEC SETTING PICTURE FILE encode|decode

Prints by how many bytes the resident memory of the process peaks above what it was with Python, NumPy, Pillow and the
picture (or the file) loaded: the codec's libraries and weights count, the interpreter does not. Linux alone tells.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..errors import CalotypeError
from .contender import Contender
from .measure import LabelledProgress
from .pictures import Photograph, load_photograph

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # written to clear_refs
SECONDS = 600  # longer than any call takes


@dataclass(frozen=True)
class Memory:
    """Peaks of one codec in bytes."""

    codec: str
    setting: float
    encode_bytes: int
    decode_bytes: int


def available() -> bool:
    """Whether this system tells the peak of a process and lets it be reset."""
    return STATUS.is_file() and CLEAR.is_file()


def weigh(
    codecs: Sequence[tuple[Contender, float]], photograph: Photograph, progress: LabelledProgress | None = None
) -> list[Memory]:
    """The peaks of each codec at its setting on one picture; an empty list where the system does not tell.

    The codecs must be those of :data:`calotype.benchmark.CODECS`.
    """
    if not available():
        return []
    found = []
    with tempfile.TemporaryDirectory() as folder:
        picture, file = Path(folder) / "picture.png", Path(folder) / "file"
        Image.fromarray(photograph.samples).save(picture)
        for index, (codec, setting) in enumerate(codecs):
            if progress:
                progress(index, len(codecs), f"{codec.name}, memory")
            peaks = [peak(codec.name, setting, picture, file, direction) for direction in ("encode", "decode")]
            found.append(Memory(codec.name, setting, *peaks))
    if progress:
        progress(len(codecs), len(codecs), "")
    return found


def peak(codec: str, setting: float, picture: Path, file: Path, direction: str) -> int:
    """Run one call in a process of its own."""
    command = [sys.executable, "-m", __name__, codec, f"{setting:g}", str(picture), str(file), direction]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    try:
        return int(done.stdout)
    except ValueError:
        reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        raise CalotypeError(f"the memory of {codec} ({direction}) could not be measured: {reason[0]}") from None


def kilobytes(name: str) -> int:
    """A field of the process's status."""
    return next(
        int(line.split()[1]) for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(f"{name}:")
    )


def main(arguments: Sequence[str]) -> None:
    """One call, weighed."""
    from . import CODECS

    codec, setting, picture, file, direction = arguments
    chosen, path = CODECS[codec], Path(file)
    samples = load_photograph(Path(picture)).samples
    data = path.read_bytes() if direction == "decode" else b""
    CLEAR.write_text(RESET_PEAK, encoding="utf-8")
    before = kilobytes("VmRSS")
    if direction == "encode":
        data = chosen.encode(samples, float(setting))
    else:
        chosen.decode(data)
    print((kilobytes("VmHWM") - before) * 1024)
    if direction == "encode":
        path.write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1:])
