# SPDX-License-Identifier: BSD-3-Clause
"""One photograph through Calotype, beside JPEG, WebP and AVIF at the same number of bytes.

    python -m calotype.cli.demo [PHOTO] [--out FOLDER]

Prints a table and writes ``side-by-side.png``, the ``.calo`` file and the decoded picture into FOLDER (``demo``).
Without PHOTO it takes one that the scikit-image package ships, if that is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..benchmark import Contender
from ..benchmark.contender import Picture
from ..benchmark.ours import TALBOT_EYE as OURS
from ..benchmark.peers import AVIF, JPEG, WEBP
from ..benchmark.pictures import Photograph, load_photograph
from ..benchmark.records import Record, Trial, fingerprint
from ..benchmark.search import largest_within
from ..errors import CalotypeError, PictureError
from ..metrics.catalogue import BUTTERAUGLI, MS_SSIM, PSNR, SSIMULACRA2
from ..metrics.metric import Metric

PEERS = {"JPEG": JPEG, "WebP": WEBP, "AVIF": AVIF}  # AVIF at speed 6, 4:4:4
QUALITY = 40.0  # about 0.4 bits per pixel: where differences show
NEAR = 0.97  # a peer's file smaller than this share of ours is worth a remark
CROP = 320  # side in pixels of the detail that the picture shows
ZOOM = 3  # how much larger the lower row shows the middle third of it
MARGIN, CAPTION = 12, 58
HEADS = {"SSIMULACRA 2": "SSIMU-\nLACRA 2", "Butteraugli": "Butter-\naugli", "PSNR": "PSNR\ndB"}  # narrow ones


@dataclass(frozen=True)
class Entrant:
    """Result of a codec on the photograph."""

    label: str
    record: Record
    data: bytes
    decoded: Picture
    remark: str = ""


def shipped_photograph() -> Path:
    """A photograph inside an installed package (nothing of it is imported). Raises PictureError if there is none."""
    found = importlib.util.find_spec("skimage")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "data" / "astronaut.png"
        if path.is_file():
            return path
    raise PictureError(
        "name a photograph: python -m calotype.cli.demo PHOTO (or install scikit-image, which ships a photograph)"
    )


def metrics() -> list[Metric]:
    """What the table shows: what people see first, as far as it is installed."""
    return [metric for metric in (SSIMULACRA2, BUTTERAUGLI, MS_SSIM, PSNR) if not metric.missing()]


def run_codec(label: str, codec: Contender, photograph: Photograph, setting: float, remark: str = "") -> Entrant:
    """Encode and decode on the clock, after a first use that loads what the codec needs."""
    fingerprint(codec)
    trial = Trial(codec, photograph, setting)
    trial.run()
    return Entrant(label, trial.record(metrics()), trial.data, trial.decoded, remark)


def run_peer(label: str, codec: Contender, photograph: Photograph, limit: int) -> Entrant:
    """The peer's largest file within our number of bytes."""
    fit = largest_within(codec, photograph.samples, limit)
    remark = ""
    if not fit.fits:
        remark = f"cannot go lower: {len(fit.data) / limit:.2f}x the bytes"
    elif fit.setting >= codec.highest:
        remark = "at its highest quality"
    elif len(fit.data) < NEAR * limit:
        remark = f"nearest below: {len(fit.data) / limit:.0%} of the bytes"
    return run_codec(label, codec, photograph, fit.setting, remark)


def duration(seconds: float | None) -> str:
    """Seconds, or milliseconds below one."""
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def table(outcomes: Sequence[Entrant], title: str) -> Table:
    """The figures, within 80 columns."""
    made = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    made.add_column("codec", no_wrap=True)
    shown = metrics()
    for name in ("bytes", "bpp", *(HEADS.get(metric.title, metric.title) for metric in shown), "encode", "decode"):
        made.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        record = outcome.record
        row = [
            outcome.label,
            f"{record.bytes:,}",
            f"{record.bpp:.3f}",
            *(figure(record, metric) for metric in shown),
            duration(record.encode_s),
            duration(record.decode_s),
        ]
        made.add_row(*row, style="bold" if outcome is outcomes[0] else "")
    remarks = [f"{outcome.label}: {outcome.remark}" for outcome in outcomes if outcome.remark]
    made.caption = "; ".join(remarks) or None
    return made


def figure(record: Record, metric: Metric) -> str:
    """A number as a table shows it; a dash where there is none, as for small pictures."""
    value = record.quality.get(metric.key)
    return "-" if value is None else f"{value:.{metric.digits}f}"


def hardest_place(original: Picture, outcomes: Sequence[Entrant], side: int) -> tuple[int, int]:
    """Left and top of the square of ``side`` pixels in which all codecs together lose most."""
    height, width = original.shape[:2]
    cell = 16  # squares are looked for on a grid of cells, so that a large photograph costs little
    rows, columns = -(-height // cell), -(-width // cell)
    loss: NDArray[np.float64] = np.zeros((rows, columns))
    for outcome in outcomes:
        for row in range(rows):
            span = slice(row * cell, min((row + 1) * cell, height))
            difference = original[span].astype(np.float32) - outcome.decoded[span]
            along = (difference * difference).sum(axis=(0, 2))
            loss[row] += np.add.reduceat(along, np.arange(0, width, cell))
    total = np.pad(loss, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    cells_down, cells_across = max(1, min(rows, side // cell)), max(1, min(columns, side // cell))
    sums = (
        total[cells_down:, cells_across:]
        - total[:-cells_down, cells_across:]
        - total[cells_down:, :-cells_across]
        + total[:-cells_down, :-cells_across]
    )
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return min(int(left) * cell, max(0, width - side)), min(int(top) * cell, max(0, height - side))


def side_by_side(original: Picture, outcomes: Sequence[Entrant]) -> Image.Image:
    """Columns: the original and each codec; above a detail pixel by pixel, below its middle enlarged."""
    height, width = original.shape[:2]
    side = min(CROP, width, height)
    left, top = hardest_place(original, outcomes, side)
    part = max(1, side // ZOOM)
    inner_left, inner_top = left + (side - part) // 2, top + (side - part) // 2
    columns = [("Original", f"{width} x {height}", original)]
    for outcome in outcomes:
        record = outcome.record
        parts = [f"{record.bytes:,} bytes", *(f"{m.title} {figure(record, m)}" for m in metrics()[:2])]
        columns.append((outcome.label, ", ".join(parts), outcome.decoded))
    step = max(side, CROP) + MARGIN
    sheet = Image.new("RGB", (MARGIN + step * len(columns), CAPTION + 2 * (side + MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(20), ImageFont.load_default(13)
    for index, (name, figures, samples) in enumerate(columns):
        x = MARGIN + index * step
        draw.text((x, 8), name, fill="black", font=large)
        draw.text((x, 34), figures, fill="#444444", font=small)
        detail = Image.fromarray(np.ascontiguousarray(samples[top : top + side, left : left + side]))
        box = (inner_left - left, inner_top - top, inner_left - left + part, inner_top - top + part)
        enlarged = detail.crop(box).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(detail, (x, CAPTION))
        sheet.paste(enlarged, (x, CAPTION + side + MARGIN))
        if index == 0:  # where the lower row comes from
            corners = (x + box[0] - 1, CAPTION + box[1] - 1, x + box[2], CAPTION + box[3])
            draw.rectangle(corners, outline="white")
    return sheet


def run(photo: Path, folder: Path, quality: float, console: Console) -> None:
    """The whole demonstration."""
    small, decoded, together = folder / f"{photo.stem}.calo", folder / f"{photo.stem}.png", folder / "side-by-side.png"
    if photo.resolve() in {path.resolve() for path in (small, decoded, together)}:
        raise PictureError(f"{photo} would be overwritten: choose another folder with --out")
    photograph = load_photograph(photo)
    folder.mkdir(parents=True, exist_ok=True)
    height, width = photograph.samples.shape[:2]
    console.print(f"{photo.name}: {width} x {height} pixels, {photo.stat().st_size:,} bytes as it lies on disk")
    with console.status("Calotype encodes and decodes") as status:
        ours = run_codec("Calotype", OURS, photograph, quality)
        outcomes = [ours]
        for label, codec in PEERS.items():
            status.update(f"{label}: looking for the quality that gives {ours.record.bytes:,} bytes")
            outcomes.append(run_peer(label, codec, photograph, ours.record.bytes))
        status.update("Putting the pictures side by side")
        sheet = side_by_side(photograph.samples, outcomes)
    console.print(table(outcomes, "The same photograph in the same number of bytes; one thread each"))
    small.write_bytes(ours.data)
    Image.fromarray(ours.decoded).save(decoded)
    sheet.save(together)
    console.print(f"Look at {together}; the file is {small}, decoded it is {decoded}.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 0, or 1 with one sentence if the photograph will not do."""
    parser = argparse.ArgumentParser(
        prog="python -m calotype.cli.demo", description="Calotype beside JPEG, WebP and AVIF."
    )
    parser.add_argument("photo", nargs="?", type=Path, help="a photograph (default: one that scikit-image ships)")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="the folder for the results")
    parser.add_argument("--quality", type=float, default=QUALITY, help="Calotype's quality, 1 to 100")
    options = parser.parse_args(argv)
    try:
        run(options.photo or shipped_photograph(), options.out, options.quality, Console())
    except (CalotypeError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
